"""What the list of files can be narrowed to."""

from datetime import timedelta
from functools import cached_property
from typing import Any, override

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from console.records.filters import AskingFilter, by_condition
from console.records.lists import is_key
from core.base.clock import now
from storage.admin.folders import Folder, is_browsed
from storage.admin.kinds import CHOICES, IS_FILE
from storage.admin.names import visible
from storage.admin.places import IN
from storage.backends.stored import nanoseconds
from storage.models import StorageRoot

MB, GB = 10**6, 10**9  # as `core.base.sizes`
NOBODY = "nobody"
BY_SCHEDULE, BY_APP = "schedule", "app"
# More are found by the address, and by their files.
PEOPLE_AT_MOST = 200
DAYS = {
    "today": ("Past 24 hours", 1),
    "week": ("Past 7 days", 7),
    "month": ("Past 30 days", 30),
    "year": ("Past year", 365),
}
EARLIER = "earlier"


class FolderFilter(AskingFilter):
    """The root, or a folder of it; what lies directly in it while nothing else is asked for, else whatever lies below."""

    title = "where"
    parameter_name = IN

    @cached_property
    def folder(self) -> Folder | None:
        """Where the address says that the list is.

        Raises:
            IncorrectLookupParameters: there is no such root.
        """
        return Folder.at(str(self.value())) if self.value() else None

    @override
    def called(self, chosen: str) -> str:
        return visible(self.folder.shown if self.folder else chosen)

    @override
    def there_is(self) -> list[tuple[str, str]]:
        return [(f"{root.name}/", root.title) for root in StorageRoot.objects.only("name", "declaration")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.folder is None:
            return queryset
        return self.folder.directly(queryset) if is_browsed(request.GET) else self.folder.below(queryset)


class OwnerFilter(AskingFilter):
    """Whose the files are. Where that is said by the path, the files of one lie together, and are found by it."""

    title = "owner"
    parameter_name = "owner"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        people = User.objects.order_by("username").values_list("pk", "username")[:PEOPLE_AT_MOST]
        return [(NOBODY, "Nobody"), *((str(pk), name) for pk, name in people)]

    @override
    def called(self, chosen: str) -> str:
        found = User.objects.filter(pk=chosen).first() if is_key(chosen) else None
        return str(found) if found else f"No. {chosen}"

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = str(self.value() or "")
        if not chosen:
            return queryset
        if chosen == NOBODY:
            return queryset.filter(owner=None)
        if not is_key(chosen):
            raise IncorrectLookupParameters
        roots = list(StorageRoot.objects.values_list("pk", flat=True))
        first = f"{int(chosen)}/"
        return queryset.filter(owner=chosen, root__in=roots, key__gte=first, key__lt=f"{first[:-1]}0")


class AfterFilter(AskingFilter):
    """Who looks after the roots. What is missing where an app does is the app's business."""

    title = "looked after by"
    parameter_name = "after"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        return [(BY_SCHEDULE, "The schedule"), (BY_APP, "An app")] if StorageRoot.of_apps().exists() else []

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = str(self.value() or "")
        if not chosen:
            return queryset
        if chosen not in {BY_SCHEDULE, BY_APP}:
            raise IncorrectLookupParameters
        of_apps = list(StorageRoot.of_apps().values_list("pk", flat=True))
        return queryset.filter(root__in=of_apps) if chosen == BY_APP else queryset.exclude(root__in=of_apps)


class ChangedFilter(admin.SimpleListFilter):
    """When the file was changed, by the clock of its storage."""

    title = "changed"
    parameter_name = "changed"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((name, label) for name, (label, _) in DAYS.items()), (EARLIER, "More than a year ago")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen == EARLIER:
            return queryset.filter(modified_ns__lt=_days_ago(DAYS["year"][1]))
        if chosen not in DAYS:
            raise IncorrectLookupParameters
        return queryset.filter(modified_ns__gte=_days_ago(DAYS[chosen][1]))


def _days_ago(days: int) -> int:
    return nanoseconds(now() - timedelta(days=days))


BY_SIZE = by_condition(
    "size",
    {
        "Empty": IS_FILE & Q(size=0),
        "Up to 1 MB": IS_FILE & Q(size__gt=0, size__lte=MB),
        "1 to 100 MB": Q(size__gt=MB, size__lte=100 * MB),
        "100 MB to 1 GB": Q(size__gt=100 * MB, size__lte=GB),
        "More than 1 GB": Q(size__gt=GB),
    },
)
BY_KIND = by_condition("type", CHOICES)
FILTERS = (FolderFilter, BY_KIND, "state", AfterFilter, OwnerFilter, BY_SIZE, ChangedFilter)

"""What the list of documents can be narrowed to, beside what any machine's can."""

from functools import reduce
from operator import or_
from typing import override

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from console.records.filters import AskingFilter, by_condition
from core.base.clock import now
from documents.models import Document

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."
WRITTEN = ("application/msword", f"{OFFICE}wordprocessingml.document", f"{OPEN}text", "application/rtf")
SHEETS = ("application/vnd.ms-excel", f"{OFFICE}spreadsheetml.sheet", f"{OPEN}spreadsheet", "text/csv")
MAIL = ("message/rfc822", "application/vnd.ms-outlook")
# By what the content says; what is none of these is an other one, once it was looked at.
KINDS = {
    "PDF": Q(mime_type="application/pdf"),
    "Image": Q(mime_type__startswith="image/"),
    "Text document": Q(mime_type__in=WRITTEN),
    "Table": Q(mime_type__in=SHEETS),
    "Mail": Q(mime_type__in=MAIL),
    "Plain text": Q(mime_type="text/plain"),
}
NOT_KNOWN = Q(mime_type="")
OTHER = ~reduce(or_, KINDS.values(), NOT_KNOWN)
KindFilter = by_condition("kind of file", KINDS | {"Other": OTHER, "Not known yet": NOT_KNOWN})


class OwnerFilter(AskingFilter):
    """Those who have any."""

    title = "owner"
    parameter_name = "owner__id__exact"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        """Person by person, each by one look into an index: there may be a million documents."""
        owners = User.objects.filter(Exists(Document.objects.filter(owner=OuterRef("pk")).order_by()))
        return [(str(pk), name) for pk, name in owners.order_by("username").values_list("pk", "username")]


class CheckedOutFilter(AskingFilter):
    """By whom, of those that somebody has to themselves now."""

    title = "checked out by"
    parameter_name = "checked_out_by"
    anybody = "anybody"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        held = Document.objects.filter(_is_held(), checked_out_by=OuterRef("pk")).order_by()
        people = User.objects.filter(Exists(held)).order_by("username").values_list("pk", "username")
        return [(self.anybody, "Anybody"), *((str(pk), name) for pk, name in people)]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> QuerySet[Document]:
        """Raises: IncorrectLookupParameters: it names nobody."""
        found = queryset.filter(_is_held()) if self.value() else queryset
        return found if self.value() == self.anybody else super().queryset(request, found)


def _is_held() -> Q:
    """As `Document.is_checked_out_at`, now."""
    return Q(checked_out_by__isnull=False, checked_out_until__gt=now())

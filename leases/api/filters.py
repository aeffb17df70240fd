"""Which leases a program means: a list's parameters, and what it says of many that it would run."""

from collections.abc import Mapping
from typing import Annotated, Literal

from django.db.models import Q, QuerySet
from pydantic import BaseModel, ConfigDict, Field

from api.paging import Paged
from api.shapes import Key, Moment, Said, Text
from console.batches.filters import STANDINGS
from console.records.long_search import refused_if_too_many
from core.base.clock import in_utc
from leases import search
from leases.api.shapes import AnAgency, Shown
from leases.errors import ChoiceUnclear
from leases.models import BatchLease, Lease

type Standing = Literal["waiting", "settled", "not_run"]
CHOSEN_AT_MOST = 1_000
# By columns that have an index.
ORDERS: Mapping[str, str] = {
    "id": "pk",
    "number": "lease_number",
    "created_at": "created_at",
    "changed_at": "entered_at",
}
type LeaseOrder = Literal["id", "-id", "number", "-number", "created_at", "-created_at", "changed_at", "-changed_at"]


class Narrowed(BaseModel):
    """What leases can be narrowed to, as the console's list; all of it has to hold.

    Attributes:
        number: a whole number, or several with commas between them; blanks and case do not matter.
        search: part of a number, or whole numbers, as in the console's search box.
        report: whether a previous report was found.
        failure: the code of what it failed for, or of why the last try did not work.
        batch: the number of an import or a run.
        standing: which leases of that batch, as its page counts them.
        created_by: the number of the person who made it.
        started_by: the number of the person who started its run.
        changed_since: it came into its state then, or later.
    """

    agency: AnAgency | None = None
    state: Shown | None = None
    number: Text | None = None
    search: Text = ""
    report: bool | None = None
    failure: Annotated[Text, Field(max_length=50)] | None = None
    batch: Key | None = None
    standing: Standing | None = None
    created_by: Key | None = None
    started_by: Key | None = None
    changed_since: Moment | None = None

    def leases(self) -> QuerySet[Lease]:
        """Those to which all of it applies.

        Raises:
            TooManySearched: nobody looks for so many at once.
        """
        found = Lease.objects.filter(**{name: value for name, value in self._plain() if value is not None})
        if self.state is not None:
            found = found.filter(Lease.shown_as(self.state))
        if self.batch is not None:
            found = found.filter(self._of_batch())
        for text in (self.number or "", self.search):
            refused_if_too_many(search.keys_of(text), many="numbers")
        if self.number is not None:
            found = search.numbered(found, self.number)
        return search.matching(found, self.search)

    def _plain(self) -> list[tuple[str, object]]:
        return [
            ("agency", self.agency),
            ("runsheet_report_found", self.report),
            ("failure_code", self.failure),
            ("created_by", self.created_by),
            ("initiated_by", self.started_by),
            ("entered_at__gte", self.changed_since and in_utc(self.changed_since)),
        ]

    def _of_batch(self) -> Q:
        items = BatchLease.objects.filter(batch=self.batch)
        if self.standing is not None:
            _label, standing = STANDINGS[self.standing]
            items = standing(items)
        return Q(pk__in=items.values("record"))


class Listed(Paged, Narrowed):
    """The parameters of the list."""

    order: LeaseOrder = "-id"

    @property
    def by(self) -> str:
        """The order, by the names of the columns."""
        down = "-" if self.order.startswith("-") else ""
        return f"{down}{ORDERS[self.order.removeprefix('-')]}"


class Meant(Narrowed):
    """The same in a body, where nothing is said in vain."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Chosen(Said):
    """Which leases something is done with, by their numbers or by a filter."""

    ids: Annotated[list[Key], Field(min_length=1, max_length=CHOSEN_AT_MOST)] | None = None
    filter: Meant | None = None

    def leases(self) -> QuerySet[Lease]:
        """Those that are meant.

        Raises:
            ChoiceUnclear: it is not said, or twice.
            TooManySearched: nobody looks for so many at once.
        """
        if (self.ids is None) == (self.filter is None):
            raise ChoiceUnclear
        if self.filter is not None:
            return self.filter.leases()
        return Lease.objects.filter(pk__in=self.ids or ())

"""Lists for programs: some rows at a time, each once, whatever comes and goes meanwhile.

A page begins behind the last row of the one before, by the values that the rows are ordered by. So no row moves another
one, and the thousandth page costs what the first does. A cursor holds these values; it is signed with what list it is of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any, Self

from django.core.exceptions import FieldDoesNotExist
from django.core.signing import BadSignature, Signer
from django.db.models import F, Model, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, Field

from api.errors import CursorUnknown

ONE_PAGE, AT_MOST = 100, 1_000
DOWN = "-"


class Paged(BaseModel):
    """The parameters of every list; a list with more of them derives from this.

    Attributes:
        cursor: the “next” of the answer before; empty: from the beginning.
        total: whether all rows are counted, too.
    """

    cursor: str = ""
    limit: Annotated[int, Field(ge=1, le=AT_MOST)] = ONE_PAGE
    total: bool = False


class Page[Item](BaseModel):
    """Some rows of a list.

    Attributes:
        next: what to ask for as `cursor` to get those that follow; null: there are none.
        total: how many there are in the whole list; null: nobody has asked.
    """

    items: list[Item]
    next: str | None = None
    total: int | None = None

    def shown[Shown](self, show: Callable[[Item], Shown]) -> "Page[Shown]":
        """The same page of what each row is shown as."""
        return Page[Any](items=[show(each) for each in self.items], next=self.next, total=self.total)

    def told(self, request: HttpRequest, response: HttpResponse) -> Self:
        """Put the address of the page that follows on the answer, as a link."""
        if self.next:
            query = request.GET.copy()
            query["cursor"] = self.next
            response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
        return self


def page[Record: Model](
    queryset: QuerySet[Record],
    *,
    order: Sequence[str],
    cursor: str = "",
    limit: int = ONE_PAGE,
    total: bool = False,
    of: str = "",
) -> "Page[Record]":
    """The rows that follow the cursor, in one statement; one more where they are counted.

    Args:
        order: fields and annotations, also of related rows, with “-” before those that go down; the primary key, which
            tells equal rows apart, is added where it is not among them, in the direction of the last. Empty values stand where PostgreSQL puts them.
        of: tells apart lists of the same model, as the histories of two records are.

    Raises:
        CursorUnknown: it is no cursor, or of another list or order.
    """
    by = _whole(order)
    signer = Signer(salt=f"cursor:{queryset.model._meta.label_lower}:{of}:{','.join(by)}")
    found = queryset.order_by(*by)
    if cursor:
        found = found.filter(_behind(_bounds(queryset, by, _unsigned(signer, cursor))))
    rows = list(found[: limit + 1])
    shown = rows[:limit]
    follow = signer.sign_object([_plain(_value(shown[-1], name)) for name in by]) if len(rows) > limit else None
    return Page[Any](items=shown, next=follow, total=queryset.order_by().count() if total else None)


def _whole(order: Sequence[str]) -> list[str]:
    """With the key that tells equal rows apart: in the direction of what it follows, so that one index has both."""
    names = {each.removeprefix(DOWN) for each in order}
    down = DOWN if order and order[-1].startswith(DOWN) else ""
    return [*order] if names & {"pk", "id"} else [*order, f"{down}pk"]


def _unsigned(signer: Signer, cursor: str) -> list[Any]:
    try:
        values: list[Any] = signer.unsign_object(cursor)
    except BadSignature as error:
        raise CursorUnknown from error
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """One of the values behind whose row a page begins."""

    name: str
    value: Any
    is_down: bool
    may_be_empty: bool

    @property
    def same(self) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if self.value is None else Q(**{self.name: self.value})

    @property
    def further(self) -> Q:
        """PostgreSQL takes an empty value for the largest."""
        if self.value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.is_down else Q(pk__in=[])
        return self._to("lt" if self.is_down else "gt")

    @property
    def at_least(self) -> Q:
        """The same or further: where an index begins."""
        if self.value is None:
            return Q() if self.is_down else self.same
        return self._to("lte" if self.is_down else "gte")

    def _to(self, compared: str) -> Q:
        met = Q(**{f"{self.name}__{compared}": self.value})
        return met | Q(**{f"{self.name}__isnull": True}) if self.may_be_empty and not self.is_down else met


def _bounds[Record: Model](queryset: QuerySet[Record], by: Sequence[str], told: Sequence[Any]) -> list[_Bound]:
    """What was told as JSON, as the fields hold it."""
    query = queryset.all().query  # a copy: to look for a field may join its table
    found = []
    for each, value in zip(by, told, strict=True):
        name = each.removeprefix(DOWN)
        field = F(name).resolve_expression(query).output_field
        found.append(
            _Bound(
                name=name,
                value=None if value is None else field.to_python(value),
                is_down=each.startswith(DOWN),
                may_be_empty=_may_be_empty(queryset.model, name),
            )
        )
    return found


def _may_be_empty(model: type[Model], name: str) -> bool:
    """So may whatever is no column of the model's own."""
    try:
        return name != "pk" and bool(model._meta.get_field(name).null)
    except FieldDoesNotExist:
        return True


def _behind(bounds: Sequence[_Bound]) -> Any:
    """What comes after these values: further in the first, or as far in it and further in those that follow.

    Where all go in one direction and none is empty, PostgreSQL compares the values at once, and begins in an index just there,
    also among thousands of rows of which the first value is the same.
    """
    first, *others = bounds
    if others and not any(each.may_be_empty or each.is_down != first.is_down for each in bounds):
        further = TupleLessThan if first.is_down else TupleGreaterThan
        return further(Tuple(*(F(each.name) for each in bounds)), tuple(each.value for each in bounds))
    return first.at_least & (first.further | (first.same & _behind(others))) if others else first.further


def _value(row: object, name: str) -> Any:
    held: Any = row
    for each in name.removeprefix(DOWN).split("__"):
        held = getattr(held, each) if held is not None else None
    return held


def _plain(value: Any) -> Any:
    """As JSON holds it, to the microsecond."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

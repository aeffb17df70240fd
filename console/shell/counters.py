"""What stands counted on the start page. Each app says once, for itself, what it counts there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, QuerySet, Value
from django.urls import reverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A number, and the list of what it counts.

    Attributes:
        order: counters stand in the order of these.
        counted: the records that it counts; all counters of a page are counted by one statement.
        address: the name of the list's address.
        right: who holds it is shown the counter.
        narrowed: what the list is narrowed to, so that it has just those that are counted.
    """

    order: int
    label: str
    counted: Callable[[], QuerySet[Any]]
    address: str
    right: str
    narrowed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A counter as somebody sees it now."""

    label: str
    count: int
    url: str


_COUNTERS: dict[str, tuple[Counter, ...]] = {}


def put(app: str, *counters: Counter) -> None:
    """Put these on the start page, instead of what the app has put there before."""
    _COUNTERS[app] = counters


def counted_for(user: User | AnonymousUser) -> list[Counted]:
    """What the person may see; what nobody is shown, the database is not asked for."""
    counters = sorted((each for put in _COUNTERS.values() for each in put), key=lambda each: each.order)
    shown = [each for each in counters if user.has_perm(each.right)]
    found = _count([each.counted() for each in shown])
    return [
        Counted(label=each.label, count=count, url=reverse(each.address, query=dict(each.narrowed) or None))
        for each, count in zip(shown, found, strict=True)
    ]


def _count(sets: list[QuerySet[Any]]) -> list[int]:
    """How many records each has."""
    if not sets:
        return []
    first, *others = (
        each.order_by().values(counter_place=Value(place)).annotate(counted_there=Count("*"))
        for place, each in enumerate(sets)
    )
    # One without records has no line.
    found = {line["counter_place"]: line["counted_there"] for line in first.union(*others, all=True).order_by()}
    return [found.get(place, 0) for place in range(len(sets))]

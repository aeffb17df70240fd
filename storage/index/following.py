"""What follows from what lies in a root beyond the rows of its files: who reads files of some kind registers here.

It is done after the changes of a run, piece by piece, each in one transaction with the place that it has reached. Where a run
only says what it would do, the same is done and taken back, so that its figures are those of the real run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from django.db import transaction

from storage.index.entries import name_of
from storage.index.planning import Keep
from storage.models import Action, IndexChange, IndexRun

# What an anomaly that was found here is called in a word.
KIND = "follows"


class Finding(NamedTuple):
    """What became of a file that was read.

    Attributes:
        is_brought: a record was brought back; else something is odd, or could not be.
        detail: what, in a sentence.
    """

    key: str
    is_brought: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a piece has come to.

    Attributes:
        place: where the next piece begins; None: there is none.
    """

    place: dict[str, Any] | None
    findings: list[Finding]


class Follower(Protocol):
    """Given a run whose changes are applied (or, in a dry one, planned), it does the next piece of what follows."""

    def __call__(self, run: IndexRun, *, place: Mapping[str, Any], is_dry: bool) -> Followed: ...


_followers: dict[str, Follower] = {}


def register(name: str, follower: Follower) -> None:
    """Let somebody read what lies in roots. The same name replaces what was there."""
    _followers[name] = follower


def forget(name: str) -> None:
    """Let nobody of that name read anything any more."""
    _followers.pop(name, None)


def follow(run: IndexRun, *, keep: Keep, is_time_up: Callable[[], bool], is_dry: bool = False) -> bool:
    """Go on with what follows; whether it has come to its end."""
    stage = "would_follow" if is_dry else "followed"
    if not is_dry and "would_follow" in run.place:
        _begin_anew(run, keep)
    for name, follower in _followers.items():
        while (place := run.place.get(stage, {}).get(name, {})) is not None:
            _piece(run, follower, place, keep=keep, stage=stage, name=name)
            if is_time_up():
                return False
    return True


def _piece(run: IndexRun, follower: Follower, place: Mapping[str, Any], *, keep: Keep, stage: str, name: str) -> None:
    is_dry = stage == "would_follow"
    with transaction.atomic():
        with transaction.atomic():
            done = follower(run, place=place, is_dry=is_dry)
            if is_dry:
                transaction.set_rollback(True)  # of the inner one
        reached = _written_down(run, done.findings)
        reached["place"] = {**run.place, stage: {**run.place.get(stage, {}), name: done.place}}
        if not is_dry:
            reached["applied_up_to"] = reached["planned_up_to"]
        keep(**reached)
    for field, value in reached.items():
        setattr(run, field, value)


def _written_down(run: IndexRun, findings: list[Finding]) -> dict[str, Any]:
    """Say it where the run says all else."""
    IndexChange.objects.bulk_create(
        IndexChange(
            run=run,
            number=number,
            action=Action.RESTORE if found.is_brought else Action.ANOMALY,
            key=found.key,
            name=name_of(found.key),
            etag=KIND,
            detail=found.detail,
        )
        for number, found in enumerate(findings, run.planned_up_to + 1)
    )
    brought = sum(found.is_brought for found in findings)
    more = {"records_restored": brought, "anomalies": len(findings) - brought}
    counts = {**run.counts, **{name: run.counts.get(name, 0) + count for name, count in more.items() if count}}
    return {"counts": counts, "planned_up_to": run.planned_up_to + len(findings)}


def _begin_anew(run: IndexRun, keep: Keep) -> None:
    """Forget what the plan said would follow, since it is done now."""
    said = IndexChange.objects.filter(run=run, etag=KIND, action__in=[Action.RESTORE, Action.ANOMALY])
    with transaction.atomic():
        odd = said.filter(action=Action.ANOMALY).count()
        said.delete()
        place = {name: value for name, value in run.place.items() if name != "would_follow"}
        counts = {**run.counts, "records_restored": 0, "anomalies": run.counts.get("anomalies", 0) - odd}
        keep(place=place, counts=counts)
    run.place, run.counts = place, counts

"""How many calls and tries a run may take."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.story import Look, Step, Story, rows

LIST = "files/list_folder"
LINK = "sharing/create_shared_link_with_settings"
# Calls beyond the ideal: one in ten, and for each fault one.
SLACK = 1.1
# What the evidence says of a link that was stored already, and that nobody looked at again.
BELIEVED = "stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call in the stand-in's journal."""

    seq: int
    route: str
    path: str
    status: int | None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the blows may have cost.

    Attributes:
        hits: how often a worker was kept from recording what it had asked; each may cost the calls that it had made.
        kills: how often a worker at work was killed or stopped; each may cost a try.
        other_calls: asked for besides the leases' own: a token after each expiry, the base path after each loss of the
            cache.
    """

    hits: int = 0
    kills: int = 0
    other_calls: int = 0


def links_of_what_was_not_listed(calls: Sequence[Asked]) -> Iterator[str]:
    listed: set[str] = set()
    for call in sorted(calls, key=lambda call: call.seq):
        if call.route == LIST and call.status == 200:
            listed.add(call.path.casefold())
        if call.route == LINK and call.path.casefold() not in listed:
            yield f"asked for a link to {call.path}, which had not been listed"


def ideal_calls(stories: Sequence[Story], *, other: int = 0) -> int:
    """A listing for each run that was started, a link for what is found; more where a listing does not tell enough."""
    listings = sum(1 for _ in rows(stories, "start_search"))
    links = sum(step.row.link != BELIEVED for step in rows(stories, "record_found"))
    descriptions = sum(_needs_description(step) for step in rows(stories, "record_found"))
    failures = sum(_looked_twice(step) for step in rows(stories, "fail"))
    return listings + links + descriptions + failures + other


def _needs_description(step: Step) -> bool:
    """Whether the listing does not prove that all is seen."""
    return step.seen is not None and not step.seen.shows_all


def _looked_twice(step: Step) -> int:
    """What a run asked besides the listing before it failed for what cannot be seen."""
    match step.row.code:
        case "another_folder" | "base_path_missing":
            return 1
        case "archive_out_of_sight":
            return 2 if step.row.source == "searching" and step.seen and step.seen.look is not Look.PARTIAL else 0
    return 0


def too_many_calls(stories: Sequence[Story], calls: Sequence[Asked], *, cost: Cost) -> Iterator[str]:
    """At most a tenth more than the ideal, and one for each call that was spoiled or blow that hit a worker in a job."""
    ideal, spoiled, allowed = allowance(stories, calls, cost=cost)
    if len(calls) > allowed:
        yield f"{len(calls)} calls, {allowed} allowed: {SLACK} of {ideal}, {spoiled} spoiled, {cost.hits} hit"


def allowance(stories: Sequence[Story], calls: Sequence[Asked], *, cost: Cost) -> tuple[int, int, int]:
    """The ideal, how many were spoiled, and how many may be made."""
    ideal, spoiled = ideal_calls(stories, other=cost.other_calls), sum(call.fault is not None for call in calls)
    return ideal, spoiled, math.floor(SLACK * ideal) + spoiled + cost.hits


def too_many_tries(stories: Sequence[Story], calls: Sequence[Asked], *, cost: Cost) -> Iterator[str]:
    """Each try but the first was spent on something: what Dropbox spoiled, or a worker that was killed or stopped.

    An outage of Redis, of PostgreSQL or of its disk costs none.
    """
    spent, spoiled = spent_tries(stories), sum(call.fault is not None for call in calls)
    if spent > spoiled + cost.kills:
        yield f"{spent} tries were spent, {spoiled} on spoiled calls and {cost.kills} on killed workers at most"


def spent_tries(stories: Sequence[Story]) -> int:
    """How many tries but the first."""
    return sum(max(0, row.tries - 1) for story in stories for row in story.taken if row.by == "worker")

"""Whether a run was right: rules over the transition log, the rows as they ended, and the stand-in's journal.

Knows no database and no engine; the diagram is written down here once more, so that a wrong edge in the product is found.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# transition → (from where, to where)
DIAGRAM: Mapping[str, tuple[frozenset[str], str]] = {
    "start_search": (frozenset({"pending", "found", "not_found", "done", "failed"}), "searching"),
    "record_found": (frozenset({"searching"}), "found"),
    "record_not_found": (frozenset({"searching", "detecting"}), "not_found"),
    "start_detection": (frozenset({"found", "done", "failed"}), "detecting"),
    "record_detection": (frozenset({"detecting"}), "done"),
    "fail": (frozenset({"searching", "detecting"}), "failed"),
    "cancel": (frozenset({"searching", "detecting"}), "pending"),
}
FOUND_OUT = frozenset({"record_found", "record_not_found", "record_detection"})
# What a person does, as the log shows it. A lease that is at work is stopped before its new number is searched for.
SHOWN_AS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "edit": (("start_search",), ("cancel", "start_search")),
    "cancel": (("cancel",),),
    "start": (("start_search",),),
}
EDITED = "changed from"
TRIES = 5
LIST = "files/list_folder"
LINK = "sharing/create_shared_link_with_settings"
# Calls beyond the ideal: one in ten, and for each fault one.
SLACK = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One row of the transition log; `path` is the evidence's, empty where there is none."""

    transition: str
    source: str
    target: str
    generation: int
    by: str
    reason: str = ""
    tries: int = 1
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number that the lease had, where it lies, and what a run for it must come to.

    Attributes:
        link: whether there must be a share link; False: Dropbox's refusal instead; None: neither.
    """

    number: str
    path: str
    state: str
    reports: tuple[str, ...] = ()
    link: bool | None = None

    @property
    def exists(self) -> bool:
        return self.state != "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person did: edit (to another target), cancel, or start."""

    kind: str
    target: Target | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The row as it is when nothing moves any more."""

    state: str
    number: str
    generation: int
    owed: bool = False
    path: str = ""
    reports: tuple[str, ...] = ()
    link: bool = False
    refusal: bool = False
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is known of one lease; `taken` in the order of the log."""

    lease: int
    target: Target
    acts: tuple[Act, ...] = ()
    taken: tuple[Taken, ...]
    ending: Ending

    @property
    def targets(self) -> tuple[Target, ...]:
        """The numbers that it had, one after the other."""
        return (self.target, *(act.target for act in self.acts if act.target))

    @property
    def last_target(self) -> Target:
        return self.targets[-1]

    @property
    def stopped(self) -> bool:
        """Whether the last thing that a person did was to stop it."""
        return bool(self.acts) and self.acts[-1].kind == "cancel"

    def runs(self) -> list[list[Taken]]:
        """The log, cut where a person starts or stops something."""
        runs: list[list[Taken]] = [[]]
        for row in self.taken:
            if row.by == "user":
                runs.append([])
            runs[-1].append(row)
        return [run for run in runs if run]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call in the stand-in's journal."""

    seq: int
    route: str
    path: str
    status: int | None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that was broken; `lease` is None where the rule is about all calls together."""

    rule: str
    what: str
    lease: int | None = None

    def __str__(self) -> str:
        return self.what if self.lease is None else f"lease {self.lease} {self.what}"


# --- Rules for one lease --------------------------------------------------------------------------------------------


def is_settled(story: Story) -> Iterator[str]:
    ending = story.ending
    expected = "pending" if story.stopped else story.last_target.state
    if ending.owed:
        yield f"is still owed work, {ending.state}"
    if ending.state != expected:
        yield f"ended as {ending.state} {ending.failure_code}, not as {expected}".replace(" ,", ",")


def has_its_result(story: Story) -> Iterator[str]:
    ending, target = story.ending, story.last_target
    if ending.number != target.number:
        yield f"has the number {ending.number}, not {target.number}"
    if ending.state != "done":
        return
    if ending.reports != target.reports:
        yield f"has the reports {ending.reports}, not {target.reports}"
    if (ending.link, ending.refusal) != (target.link is True, target.link is False):
        yield f"link: {ending.link}, refusal: {ending.refusal}; expected link: {target.link}"


def follows_the_diagram(story: Story) -> Iterator[str]:
    at = "pending"
    for row in story.taken:
        sources, target = DIAGRAM.get(row.transition, (frozenset(), ""))
        if row.source != at:
            yield f"left {row.source} by {row.transition}, but was {at}"
        if row.source not in sources or row.target != target:
            yield f"took {row.transition} from {row.source} to {row.target}"
        at = row.target
    if at != story.ending.state:
        yield f"is {story.ending.state}, but its log ends with {at}"


def repeats_nothing(story: Story) -> Iterator[str]:
    for run in story.runs():
        names = [row.transition for row in run]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"took {name} {names.count(name)} times in one run"


def obeys_people_only(story: Story) -> Iterator[str]:
    """What the log says people did is what they did, in that order, and no more."""
    rows = [row.transition for row in story.taken if row.by == "user"]
    possible: list[tuple[str, ...]] = [()]
    for act in story.acts:
        possible = [before + shown for before in possible for shown in SHOWN_AS[act.kind]]
    if tuple(rows) not in possible:
        yield f"people did {[act.kind for act in story.acts]}, its log says {rows}"


def has_rising_generations(story: Story) -> Iterator[str]:
    for before, after in pairwise(row.generation for row in story.taken):
        if after <= before:
            yield f"went from generation {before} to {after}"
    if story.taken and story.ending.generation < story.taken[-1].generation:
        yield f"is at generation {story.ending.generation}, its log at {story.taken[-1].generation}"


def keeps_results_apart(story: Story) -> Iterator[str]:
    """No result of one number on another: what was asked is what the lease's number was at that time."""
    waiting = list(story.targets)
    target = waiting.pop(0)
    for row in story.taken:
        if row.by == "user" and row.transition == "start_search" and row.reason.startswith(EDITED) and waiting:
            target = waiting.pop(0)
        if row.transition in FOUND_OUT and row.path.casefold() != target.path.casefold():
            yield f"was {target.number} when {row.transition} told of {row.path or 'no path'}"
    if story.ending.path and story.ending.path.casefold() != story.last_target.path.casefold():
        yield f"is {story.last_target.number}, but its directory is {story.ending.path}"
    if foreign := [name for name in story.ending.reports if name not in story.last_target.reports]:
        yield f"is {story.last_target.number}, but its reports are {foreign}"


def gives_up_when_spent(story: Story) -> Iterator[str]:
    for row in story.taken:
        if row.transition == "fail" and row.tries < TRIES:
            yield f"gave up after {row.tries} of {TRIES} tries: {row.reason}"


RULES: Mapping[str, Callable[[Story], Iterator[str]]] = {
    "every lease is settled in the right state": is_settled,
    "every lease has its result": has_its_result,
    "every history is a path of the diagram": follows_the_diagram,
    "nothing is done twice": repeats_nothing,
    "only people start and stop again": obeys_people_only,
    "generations rise": has_rising_generations,
    "no result of one number on another": keeps_results_apart,
    "nobody gives up too soon": gives_up_when_spent,
}


# --- Rules for all calls --------------------------------------------------------------------------------------------


def links_of_what_was_not_listed(calls: Sequence[Asked]) -> Iterator[str]:
    listed: set[str] = set()
    for call in sorted(calls, key=lambda call: call.seq):
        if call.route == LIST and call.status == 200:
            listed.add(call.path.casefold())
        if call.route == LINK and call.path.casefold() not in listed:
            yield f"asked for a link to {call.path}, which had not been listed"


def ideal_calls(stories: Sequence[Story], *, other: int = 0) -> int:
    """A listing for each run that was started, a link for each archive that exists.

    Args:
        other: what is asked for besides: a token after each expiry, the base path after each loss of the cache.
    """
    listings = sum(row.transition == "start_search" for story in stories for row in story.taken)
    links = sum(target.exists for story in stories for target in story.targets)
    return listings + links + other


def too_many_calls(calls: Sequence[Asked], *, ideal: int, blows: int) -> Iterator[str]:
    """At most a tenth more than the ideal, and one for each call that was spoiled or blow that hit a worker in a job."""
    spoiled = sum(call.fault is not None for call in calls)
    allowed = math.floor(SLACK * ideal) + spoiled + blows
    if len(calls) > allowed:
        yield f"{len(calls)} calls, {allowed} allowed: {SLACK} of {ideal}, {spoiled} spoiled, {blows} hit"


SEARCHED_FIRST = "no link to what was not searched"
FEW_CALLS = "no more calls than needed"


def judge(stories: Sequence[Story], calls: Sequence[Asked], *, blows: int, other: int = 0) -> list[Violation]:
    """Every rule that was broken.

    Args:
        blows: how often a worker in the middle of a job was hit.
        other: see `ideal_calls`.
    """
    found = [
        Violation(rule=rule, lease=story.lease, what=what)
        for story in stories
        for rule, check in RULES.items()
        for what in check(story)
    ]
    ideal = ideal_calls(stories, other=other)
    found += [Violation(rule=SEARCHED_FIRST, what=what) for what in links_of_what_was_not_listed(calls)]
    found += [Violation(rule=FEW_CALLS, what=what) for what in too_many_calls(calls, ideal=ideal, blows=blows)]
    return found

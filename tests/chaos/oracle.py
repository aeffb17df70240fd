"""Whether a run was right: rules over the transition log, the rows as they ended, and the stand-in's journal.

Knows no database and no engine; the diagram is written down here once more, so that a wrong edge in the product is found.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos import answers, calls
from tests.chaos.calls import Asked, Cost
from tests.chaos.story import Story, judgement

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
    expected, code = judgement(story.last_seen, path=story.last_path, known=story.known_before)
    if story.stopped:
        expected, code = "pending", ""
    if ending.owed:
        yield f"is still owed work, {ending.state}"
    if (ending.state, ending.failure_code) != (expected, code):
        told = f"{ending.state} {ending.failure_code}".strip()
        seen = f"{story.runner} sees {story.last_seen.look} in {story.bases[-1].base}"
        yield f"ended as {told}, not as {expected} {code}".strip() + f": {seen}"


def has_its_result(story: Story) -> Iterator[str]:
    ending, seen = story.ending, story.last_seen
    if ending.number != story.last_target.number:
        yield f"has the number {ending.number}, not {story.last_target.number}"
    if ending.state != "done":
        return
    if ending.reports != seen.reports:
        yield f"has the reports {ending.reports}, not {seen.reports}"
    if (ending.link, ending.refusal) != (seen.link is True, seen.link is False):
        yield f"link: {ending.link}, refusal: {ending.refusal}; expected link: {seen.link}"


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


def starts_once_for_each_configuration(story: Story) -> Iterator[str]:
    """Each changed base path owes a run to what it makes doubtful, and no more than one."""
    started = [row for row in story.taken if row.by_configuration]
    saved = story.bases[1:]
    for number, row in enumerate(started, start=1):
        before = [each for each in saved if each.after < row.key]
        if number > len(before):
            yield f"started by itself for the {number}th time, but the base path was changed {len(before)} times"


def has_rising_generations(story: Story) -> Iterator[str]:
    for before, after in pairwise(row.generation for row in story.taken):
        if after <= before:
            yield f"went from generation {before} to {after}"
    if story.taken and story.ending.generation < story.taken[-1].generation:
        yield f"is at generation {story.ending.generation}, its log at {story.taken[-1].generation}"


def keeps_results_apart(story: Story) -> Iterator[str]:
    """No result of one number on another: what was asked is what the lease's number was at that time."""
    for step in story.steps():
        if step.row.transition in FOUND_OUT and not step.target.is_at(step.row.path):
            yield f"was {step.target.number} when {step.row.transition} told of {step.row.path or 'no path'}"
    ending, last = story.ending, story.last_target
    if ending.path and not last.is_at(ending.path):
        yield f"is {last.number}, but its directory is {ending.path}"
    if foreign := [name for name in ending.reports if not any(name in seen.reports for seen in last.seen.values())]:
        yield f"is {last.number}, but its reports are {foreign}"


RULES: Mapping[str, Callable[[Story], Iterator[str]]] = {
    "every lease is settled in the right state": is_settled,
    "every lease has its result": has_its_result,
    "every history is a path of the diagram": follows_the_diagram,
    "nothing is done twice": repeats_nothing,
    "only people start and stop again": obeys_people_only,
    "a changed base path starts once what it makes doubtful": starts_once_for_each_configuration,
    "generations rise": has_rising_generations,
    "no result of one number on another": keeps_results_apart,
    **answers.RULES,
}


# --- All of them ----------------------------------------------------------------------------------------------------

SEARCHED_FIRST = "no link to what was not searched"
FEW_CALLS = "no more calls than needed"
FEW_TRIES = "no more tries than something cost"


def judge(stories: Sequence[Story], asked: Sequence[Asked], *, cost: Cost) -> list[Violation]:
    """Every rule that was broken.

    Args:
        cost: what the blows may have cost.
    """
    found = [
        Violation(rule=rule, lease=story.lease, what=what)
        for story in stories
        for rule, check in RULES.items()
        for what in check(story)
    ]
    for rule, broken in (
        (SEARCHED_FIRST, calls.links_of_what_was_not_listed(asked)),
        (FEW_CALLS, calls.too_many_calls(stories, asked, cost=cost)),
        (FEW_TRIES, calls.too_many_tries(stories, asked, cost=cost)),
    ):
        found += [Violation(rule=rule, what=what) for what in broken]
    return found

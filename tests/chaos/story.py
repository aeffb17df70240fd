"""What the rules speak of: what each person sees, what was done, what the log says, and how it ended. No database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

# Why the reconciler starts what nobody has started again, as the log says it.
BY_CONFIGURATION = (
    "the folder of the archives of",
    "the storage configuration of",
    "the archives of its agency lie elsewhere now",
)
SIGHTINGS = frozenset({"record_found", "record_detection"})
# The spaces whose members judge what another one has seen; everybody else has a space of their own.
TEAM = "the team's space"


class Look(StrEnum):
    """What a person sees where a lease's archive should lie."""

    FOLDER = "the folder and all that is in it"
    PARTIAL = "the folder, and what is shared of it"
    CLOSED = "that there is a folder, which does not open"
    ABSENT = "a base folder without it"
    OUT_OF_SIGHT = "a part of the base folder, and it is not in that"
    NO_BASE = "no base folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one person sees under one base path.

    Attributes:
        space: whose folder it is.
        reports: the names that detection must find.
        link: whether there can be a share link; False: Dropbox's refusal instead; None: neither.
        shows_all: whether the listing alone proves that all is seen.
    """

    look: Look
    space: str = TEAM
    reports: tuple[str, ...] = ()
    link: bool | None = None
    shows_all: bool = True

    @property
    def is_listed(self) -> bool:
        return self.look in {Look.FOLDER, Look.PARTIAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number that the lease had, and what each person sees of it under each base path."""

    number: str
    seen: Mapping[tuple[str, str], Seen] = field(repr=False)

    def is_at(self, path: str) -> bool:
        return path.rpartition("/")[2].casefold() == self.number.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the log's answers so far have told of a lease."""

    person: str
    base: str
    space: str
    path: str
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A base path of the lease's agency, and the last row of the log that another one was asked for.

    Attributes:
        after: later rows may be of this base path.
        surely_after: later rows must be, until the next one comes. It is later where saving had to be done twice.
    """

    base: str
    after: int = 0
    surely_after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One row of the transition log.

    Attributes:
        key: rises through the whole log.
        path, person, reports, link: the evidence's; empty where there is none.
        code: of a failure.
        tells_witness: whether it would say so if somebody else than `person` stayed the one whom it is known from.
    """

    transition: str
    source: str
    target: str
    generation: int
    by: str
    reason: str = ""
    tries: int = 1
    key: int = 0
    path: str = ""
    person: str = ""
    reports: tuple[str, ...] = ()
    link: str = ""
    code: str = ""
    tells_witness: bool = True

    @property
    def base(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def by_configuration(self) -> bool:
        """Whether it was started since what is configured had changed."""
        return self.transition == "start_search" and self.by != "user" and self.reason.startswith(BY_CONFIGURATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person did: edit (to another target), cancel, or start."""

    kind: str
    person: str = ""
    target: Target | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The row as it is when nothing moves any more.

    Attributes:
        known_person, known_base: whom its result was asked of, and under which base path.
        link_space: whose folder the share link leads to.
    """

    state: str
    number: str
    generation: int
    owed: bool = False
    path: str = ""
    reports: tuple[str, ...] = ()
    link: bool = False
    link_space: str = ""
    refusal: bool = False
    failure_code: str = ""
    known_person: str = ""
    known_base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of the log with all that stood when it was written.

    Attributes:
        known: of the lease's present answer.
        remembered: what earlier rows have told of other places, by path in lower case: under another number or base path.
    """

    row: Taken
    target: Target
    runner: str
    known: Known | None
    remembered: Mapping[str, Known] = field(default_factory=dict)

    @property
    def seen(self) -> Seen | None:
        """What whoever was asked sees where they were asked; None if nobody was, or nothing like that was planned."""
        return self.target.seen.get((self.row.person, self.row.base))

    def known_at(self, path: str) -> Known | None:
        """Who has seen a directory there before."""
        there = path.casefold()
        return self.known if self.known and self.known.path.casefold() == there else self.remembered.get(there)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that is known of one lease; `taken` in the order of the log, `bases` in the order in which they were saved."""

    lease: int
    person: str
    target: Target
    bases: tuple[Configured, ...]
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

    @property
    def runner(self) -> str:
        """Who started it last."""
        return next((act.person for act in reversed(self.acts) if act.kind != "cancel"), self.person)

    @property
    def last_seen(self) -> Seen:
        """What the last runner sees under the last base path."""
        return self.last_target.seen[self.runner, self.bases[-1].base]

    @property
    def last_path(self) -> str:
        return f"{self.bases[-1].base}/{self.last_target.number}"

    def bases_at(self, row: Taken) -> set[str]:
        """Which base path may have been configured when the row was written; more than one if nobody can tell."""
        begun = [each for each in self.bases if each.after < row.key or each is self.bases[0]]
        replaced = [each for each in self.bases if each.surely_after < row.key]
        surely = self.bases.index(replaced[-1]) if replaced else 0
        return {each.base for each in begun if self.bases.index(each) >= surely}

    def runs(self) -> list[list[Taken]]:
        """The log, cut where a person starts or stops something, and where a changed configuration does."""
        runs: list[list[Taken]] = [[]]
        for row in self.taken:
            if row.by == "user" or row.by_configuration:
                runs.append([])
            runs[-1].append(row)
        return [run for run in runs if run]

    def steps(self) -> Iterator[Step]:
        """The log, row by row, with what stood before each."""
        acts, target, runner = list(self.acts), self.target, self.person
        known: Known | None = None
        remembered: dict[str, Known] = {}
        for row in self.taken:
            if row.by == "user":
                act = _next_act(acts, row)
                target, runner = act.target or target, act.person or runner
                known = None if act.target else known
            step = Step(row=row, target=target, runner=runner, known=known, remembered=dict(remembered))
            yield step
            known = learned(step)
            if row.transition == "record_not_found":
                remembered.pop(row.path.casefold(), None)
            elif row.transition in SIGHTINGS and known and step.seen:
                told = known if row.tells_witness else replace(known, person=row.person, space=step.seen.space)
                remembered[known.path.casefold()] = told

    @property
    def known_at_last(self) -> Known | None:
        """What is known when the log ends."""
        known = None
        for step in self.steps():
            known = learned(step)
        return known

    @property
    def known_before(self) -> Known | None:
        """Who had seen a directory at the last path when the last run began."""
        before = [step for step in self.steps() if step.row.transition == "start_search"]
        return before[-1].known_at(self.last_path) if before else None


def _next_act(acts: list[Act], row: Taken) -> Act:
    """What a person did that the row shows: an edit begins with a stop if a worker was at it."""
    if not acts:
        return Act(kind="nobody knows")
    if acts[0].kind == "edit" and row.transition == "cancel":
        return Act(kind="edit", target=acts[0].target)
    return acts.pop(0)


def learned(step: Step) -> Known | None:
    """What is known after a row."""
    row, known = step.row, step.known
    if row.transition == "record_not_found":
        return None
    if row.transition not in SIGHTINGS or step.seen is None:
        return known
    is_known = known is not None and known.path.casefold() == row.path.casefold()
    kept = known.reports if known and is_known else ()
    reports = row.reports if row.transition == "record_detection" else kept
    # Who sees a part is no witness in the place of somebody who saw more, unless the listing proves that it was all.
    if (before := step.known_at(row.path)) and step.seen.look is Look.PARTIAL and not step.seen.shows_all:
        return replace(before, reports=reports)
    return Known(person=row.person, base=row.base, space=step.seen.space, path=row.path, reports=reports)


def judgement(seen: Seen, *, path: str, known: Known | None) -> tuple[str, str]:
    """What a full run must come to, a state and the code of a failure, by what is seen and what is known."""
    is_known = known is not None and known.path.casefold() == path.casefold()
    if seen.is_listed:
        if is_known and known and known.space != seen.space:
            return "failed", "another_folder"
        is_vain = seen.look is Look.PARTIAL and not seen.reports
        return ("failed", "archive_out_of_sight") if is_vain else ("done", "")
    if seen.look is Look.NO_BASE:
        return "failed", "base_path_missing"
    if is_known or seen.look in {Look.OUT_OF_SIGHT, Look.CLOSED}:
        return "failed", "archive_out_of_sight"
    return "not_found", ""


def rows(stories: Sequence[Story], transition: str) -> Iterator[Step]:
    """All rows of one kind."""
    for story in stories:
        yield from (step for step in story.steps() if step.row.transition == transition)

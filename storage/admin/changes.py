"""What a run is to do, or has done, row by row: read by number, so that a million rows cost as much as fifty."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from console.records.exports import Column, Export
from console.records.links import address_of
from console.records.lists import SEARCH_CHARACTERS_AT_MOST, is_key
from storage.admin.difference import Side, sides_of
from storage.admin.figures import COUNTED
from storage.admin.names import name_of
from storage.models import Action, IndexChange, IndexRun, RunState, StoredFile

PER_PAGE = 50
# A search that finds little reads so many rows for one page; the next page goes on from there.
READ_AT_MOST = 200_000
CHANGING = frozenset(Action) - {Action.SKIP, Action.ANOMALY, Action.RESTORE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the changes is asked for, as the address says.

    Attributes:
        action: empty: all.
        text: how a path begins, before or after, or a part of a name; empty: all.
        after, before: the number behind which, or before which, the page lies; 0: not said.
    """

    action: str
    text: str
    after: int
    before: int

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Wanted":
        """Whatever makes no sense is not said."""
        action = asked.get("action", "")
        return cls(
            action=action if action in Action.values else "",
            text=asked.get("q", "").strip()[:SEARCH_CHARACTERS_AT_MOST],
            after=_number(asked.get("after", "")),
            before=_number(asked.get("before", "")),
        )

    def narrow(self, changes: QuerySet[IndexChange]) -> QuerySet[IndexChange]:
        """Those of a run's changes that match."""
        if self.action:
            changes = changes.filter(action=self.action)
        if self.text:
            was = Q(action=Action.RENAME, detail__startswith=self.text)
            changes = changes.filter(Q(key__startswith=self.text) | Q(name__icontains=self.text) | was)
        return changes

    @property
    def reads_much(self) -> bool:
        """Whether no index leads to what matches."""
        return bool(self.text) or self.action == Action.CREATE

    def query(self, **also: int) -> str:
        """The address's query for the same, elsewhere."""
        said: dict[str, str | int] = {"action": self.action, "q": self.text, **also}
        return urlencode({name: value for name, value in said.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A change as a person reads it.

    Attributes:
        became: whether it was applied.
        sides: what is otherwise, before and after.
        why: a sentence, where there is one.
        file_url: where its file is; empty for what has no row, and for who may not look.
    """

    change: IndexChange
    action: str
    path: SafeString
    became: str
    sides: tuple[Side, ...]
    why: str
    file_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An action to narrow to; `count`: None: nobody has counted it."""

    label: str
    count: int | None
    url: str
    is_chosen: bool


class ChangesPage:
    """One page of the changes of a run."""

    def __init__(self, *, run: IndexRun, wanted: Wanted, user: User) -> None:
        self.run = run
        self.wanted = wanted
        self.user = user

    @cached_property
    def _rows(self) -> list[IndexChange]:
        """In their order, and one more than is shown, in the direction in which one turns."""
        wanted, changes = self.wanted, self.wanted.narrow(self.run.changes.all())
        if wanted.before:
            within = changes.filter(number__lt=wanted.before)
            if wanted.reads_much:
                within = within.filter(number__gte=wanted.before - READ_AT_MOST)
            return list(within.order_by("-number")[: PER_PAGE + 1])[::-1]
        within = changes.filter(number__gt=wanted.after)
        if wanted.reads_much:
            within = within.filter(number__lte=self._read_up_to)
        return list(within.order_by("number")[: PER_PAGE + 1])

    @property
    def _read_up_to(self) -> int:
        return self.wanted.after + READ_AT_MOST

    @property
    def _has_more(self) -> bool:
        return len(self._rows) > PER_PAGE

    @cached_property
    def _shown(self) -> list[IndexChange]:
        return self._rows[-PER_PAGE:] if self.wanted.before else self._rows[:PER_PAGE]

    @cached_property
    def lines(self) -> list[Line]:
        return list(map(self._line, self._shown))

    def _line(self, change: IndexChange) -> Line:
        return Line(
            change=change,
            action=capfirst(change.get_action_display()),
            path=name_of(change.key),
            became=became(change, self.run),
            sides=sides_of(change),
            why="" if change.action == Action.RENAME else change.detail,
            file_url=self._file_url(change),
        )

    def _file_url(self, change: IndexChange) -> str:
        if change.file_id is None or change.action == Action.DELETE or not self._may_see_files:
            return ""
        return reverse(address_of(StoredFile, "change"), args=[change.file_id])

    @cached_property
    def _may_see_files(self) -> bool:
        return self.user.has_perm("storage.view_storedfile")

    # --- Turning, and narrowing -------------------------------------------------------------------------------------

    @property
    def next_url(self) -> str:
        """Where the next page is; empty on the last one."""
        if self.wanted.before:
            return self._at(after=self.wanted.before - 1)
        return self._at(after=self._shown[-1].number) if self._has_more else ""

    @property
    def previous_url(self) -> str:
        """Where the page before is; empty on the first one."""
        if self.wanted.before:
            return self._at(before=self._shown[0].number) if self._has_more else ""
        return self._at(before=self.wanted.after + 1) if self.wanted.after else ""

    @property
    def further_url(self) -> str:
        """Where the search goes on that has read as much as one page may, and may find more; else empty."""
        wanted = self.wanted
        if not wanted.reads_much or self._has_more:
            return ""
        if wanted.before:
            return self._at(before=wanted.before - READ_AT_MOST) if wanted.before > READ_AT_MOST + 1 else ""
        return self._at(after=self._read_up_to) if self._read_up_to < self.run.planned_up_to else ""

    @property
    def read_at_most(self) -> int:
        return READ_AT_MOST

    @property
    def choices(self) -> Iterator[Choice]:
        """All, then each action, with what the run has counted itself."""
        yield self._choice("", "All", self.run.planned_up_to)
        for action in Action:
            name = COUNTED.get(action)
            count = None if name is None else self.run.counts.get(name, 0)
            yield self._choice(action, str(capfirst(action.label)), count)

    def _choice(self, action: str, label: str, count: int | None) -> Choice:
        wanted = Wanted(action=action, text=self.wanted.text, after=0, before=0)
        return Choice(label=label, count=count, url=f"?{wanted.query()}", is_chosen=action == self.wanted.action)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.wanted.action or self.wanted.text)

    def _at(self, **where: int) -> str:
        return f"?{self.wanted.query(**where)}"


def became(change: IndexChange, run: IndexRun) -> str:
    """What was done about a change, in a word; empty for what nothing is to be done about."""
    if change.action not in CHANGING:
        return ""
    if change.passed_over:
        return "left"
    if run.state == RunState.UNDONE:
        return "undone"
    return "applied" if change.number <= run.applied_up_to else "not applied"


def export_of(run: IndexRun, wanted: Wanted) -> Export:
    """The same as a file, all pages of it."""
    sides = lru_cache(maxsize=1)(sides_of)  # two columns show them
    columns = (
        Column("Number", lambda change: change.number),
        Column("Action", lambda change: change.action),
        Column("Path", lambda change: change.key),
        Column("Was", lambda change: "; ".join(f"{each.label}: {each.before}" for each in sides(change))),
        Column("Is", lambda change: "; ".join(f"{each.label}: {each.after}" for each in sides(change))),
        Column("Why", lambda change: "" if change.action == Action.RENAME else change.detail),
        Column("Became", lambda change: became(change, run)),
    )
    rows = wanted.narrow(run.changes.all()).order_by("number")
    return Export(records=rows, columns=columns, name=f"Differences of index run {run.pk}")


def _number(text: str) -> int:
    return int(text) if is_key(text) else 0

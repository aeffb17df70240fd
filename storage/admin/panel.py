"""What the page of a run says beyond that of any record: how far it is, what was asked for, what it would do, and why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.machine.next_steps import NextStep
from console.machine.panel import Fact, Note, Panel
from console.records.links import record_url
from console.shell.times import ago
from storage.admin.buttons import counted
from storage.admin.figures import CHANGES, Figure, figures_of, in_short, seconds_of, seen_of, size_of
from storage.models import IndexRun, RunState

NEW = "admin:storage_indexrun_add"
OPTIONS = {
    "dry_run": "dry run",
    "incremental": "incremental",
    "checksums": "with checksums",
    "include_protected": "protected rows, too",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far the work is.

    Attributes:
        total: how much there is to do; 0: nobody knows.
    """

    words: str
    done: int
    total: int


class RunPanel(Panel[IndexRun]):
    """One run of the index, as one person may see it."""

    nobody = "Nobody"

    # --- How far it is ----------------------------------------------------------------------------------------------

    @cached_property
    def reached(self) -> Reached | None:
        """How far the work is that is under way; None: nothing is."""
        run = self.record
        if run.state == RunState.PLANNING:
            return self._looked
        if run.state == RunState.APPLYING:
            words = f"Applied {run.applied_up_to:,} of {run.planned_up_to:,} changes."
            return Reached(words=words, done=run.applied_up_to, total=run.planned_up_to)
        if run.state == RunState.UNDOING:
            words = f"{counted(run.applied_up_to, 'change is', 'changes are')} still to be taken back."
            return Reached(words=words, done=run.planned_up_to - run.applied_up_to, total=run.planned_up_to)
        return None

    @property
    def _looked(self) -> Reached:
        if (heard := self.record.place.get("heard")) and not self.record.place.get("told"):
            entries = counted(heard, "entry was", "entries were")
            return Reached(words=f"{entries} told so far. They are compared when all is told.", done=0, total=0)
        seen, about = seen_of(self.record), self._about
        of_about = f" of about {about:,}" if about >= seen and about else ""
        planned = f" {counted(self.record.planned_up_to, 'change is', 'changes are')} planned so far."
        sorting = " The listing comes in another order than ours, and is sorted first." if self._is_sorting else ""
        words = f"Looked at {seen:,}{of_about} entries.{planned}{sorting}"
        return Reached(words=words, done=seen, total=about if about >= seen else 0)

    @property
    def _is_sorting(self) -> bool:
        return bool(self.record.place.get("sorting"))

    @cached_property
    def _about(self) -> int:
        """How many entries the last run of the same part saw; 0: nobody knows.

        One that was refused saw a disk that was not all there, and one that is incremental looks at some of them only.
        """
        run = self.record
        if run.incremental:
            return 0
        earlier = IndexRun.objects.filter(root=run.root_id, prefix=run.prefix, incremental=False, plan_is_whole=True)
        last = earlier.filter(pk__lt=run.pk).exclude(state=RunState.REFUSED).order_by("-pk").only("counts").first()
        return seen_of(last) if last else 0

    # --- Beside the buttons -----------------------------------------------------------------------------------------

    @property
    def notes(self) -> Iterator[Note]:
        """Why it is refused, and what of its plan was not done."""
        run = self.record
        if run.refusal:
            yield Note(words=run.refusal, is_doubt=True)
        if run.state == RunState.PLANNED:
            yield Note(words=self._would)
        if left := run.counts.get("left", 0):
            were = counted(left, "row was", "rows were")
            words = (
                f"{were} changed meanwhile or protected by then, and left as they are: the differences marked “left”."
            )
            yield Note(words=words)

    @property
    def _would(self) -> str:
        told = in_short(self.record)
        if told == "in sync":
            return "The rows say what lies there: there is nothing to apply."
        if told == "none":
            return "There is nothing to apply. What is skipped or odd stands among the differences."
        return f"Nothing was changed. It would come to: {told}."

    @property
    def also(self) -> NextStep | None:
        """The same once more."""
        run = self.record
        if not run.is_over or not self.user.has_perm(type(run).run_right):
            return None
        said = {"root": run.root.name, "mode": run.mode, "part": "" if run.user_id is None else str(run.user_id)}
        ticked = {name: "on" for name in OPTIONS if getattr(run, name)}
        return NextStep(label="New run like this", url=reverse(NEW, query={**said, **ticked}))

    @property
    def about(self) -> Iterator[Fact]:
        run = self.record
        url = record_url(run.root, self.user)
        yield Fact(label="Root", value=format_html('<a href="{}">{}</a>', url, run.root) if url else run.root)
        yield Fact(label="Mode", value=mode_of(run))
        if run.prefix:
            yield Fact(
                label="Only", value=f"what belongs to {run.user or 'a user who is no longer here'} ({run.prefix})"
            )
        yield Fact(label="Grace", value=counted(run.grace.days, "day", "days"))
        if run.allow_missing is not None:
            yield Fact(label="May be missing", value=f"{run.allow_missing:,}")
        yield Fact(label="Why it began", value=format_html("{}, {}", run.get_occasion_display(), ago(run.created_at)))

    # --- What came of it --------------------------------------------------------------------------------------------

    @property
    def figures(self) -> Iterator[Figure]:
        return figures_of(self.record)

    @property
    def differences(self) -> str:
        return in_short(self.record)

    @property
    def changes_url(self) -> str:
        """Where the plan can be read; empty as long as nothing stands in it, and for who may not."""
        may = self.user.has_perm("storage.view_indexchange")
        are_there = self.record.planned_up_to and not self.record.forgotten_at
        return reverse(CHANGES, args=[self.record.pk]) if may and are_there else ""

    @property
    def size(self) -> str:
        return size_of(self.record)

    @property
    def seconds(self) -> str:
        return seconds_of(self.record)


def mode_of(run: IndexRun) -> SafeString | str:
    """The mode, and what was ticked beside it."""
    ticked = ", ".join(words for name, words in OPTIONS.items() if getattr(run, name))
    return f"{run.get_mode_display()} ({ticked})" if ticked else run.get_mode_display()

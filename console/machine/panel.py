"""What the page of a record shows beside its form: where it stands, what can be done, what was found, what happened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.auth.models import User
from django.forms import Form
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from console.machine import following
from console.machine.buttons import Button, Question, in_order, why_absent
from console.machine.next_steps import NextStep, next_step, told
from console.machine.progress import progress_of
from console.machine.reasons import reasons, text_of
from console.machine.timeline import Entry, Job, history_of, job_at_work
from console.records.links import page_of
from core.base.clock import now
from core.base.errors import words_for
from statemachine.batches import batches_of, can_be_run_together, made_with, passed_over_by
from statemachine.diagram import picture_of, svg
from statemachine.log_months import oldest_whole
from statemachine.models import Batch, StateMachine, TransitionLog

if TYPE_CHECKING:
    from console.machine.page import MachinePage

HISTORY_SHOWN = 50
EARLIER_COUNTED = 10_000
BATCHES_SHOWN = 3
GONE_PERSON = "Somebody who is no longer here"
NOBODY = "Nobody: press a button to run it for yourself."


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A button, or why it is absent.

    Attributes:
        question: what it asks before, if it is there.
    """

    button: Button
    url: str
    why_absent: str
    question: Question | None

    @property
    def form(self) -> Form:
        """What is to be answered; its names are those of this button alone."""
        assert self.question
        return self.question.form(auto_id=f"id_{self.button.name}_%s", label_suffix="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is known of a record, under its label."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody should see before the buttons; a doubt is marked."""

    words: SafeString | str
    is_doubt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What has happened without being a transition; `at`: None: nobody knows when."""

    words: SafeString | str
    at: datetime | None


class Panel[M: StateMachine]:
    """One record, as one person may see it. A kind of record that has more to say derives from it.

    Attributes:
        nobody: what stands where the person would, if the run is nobody's.
    """

    nobody: ClassVar[str] = NOBODY

    def __init__(self, *, record: M, user: User, page: "MachinePage", kept: str = "") -> None:
        """What is kept of an address leads back to the list that the person came from."""
        self.record = record
        self.user = user
        self.page = page
        self.kept = kept

    # --- Where it stands, and what can be done ----------------------------------------------------------------------

    @cached_property
    def offers(self) -> list[Offer]:
        """Every button, in the order in which they are most likely wanted."""
        return [self._offer(button) for button in in_order(self.page.buttons, self.record.state)]

    def _offer(self, button: Button) -> Offer:
        why = why_absent(button, record=self.record, user=self.user, buttons=self.page.buttons)
        url = with_kept(self._address("action", button.name), self.kept)
        return Offer(button=button, url=url, why_absent=why, question=None if why else button.asked(self.record))

    @property
    def offered(self) -> list[Offer]:
        return [offer for offer in self.offers if not offer.why_absent]

    @property
    def has_main(self) -> bool:
        """Whether the first button is what is wanted most, which its colour says."""
        return True

    @property
    def absent(self) -> list[Offer]:
        return [offer for offer in self.offers if offer.why_absent]

    @property
    def also(self) -> NextStep | None:
        """What else helps, beside the buttons."""
        return None

    @cached_property
    def progress(self) -> list[str]:
        """What is being done about the record, in sentences."""
        return list(progress_of(self.record, at=now()))

    @property
    def notes(self) -> Iterator[Note]:
        """What somebody should see before pressing a button."""
        yield from ()

    @property
    def facts(self) -> Iterator[Fact]:
        """Whose the run is, and what else stands below the buttons."""
        yield Fact(label="Run for", value=self.record.initiated_by or self.nobody)
        if self.job:
            link = format_html('<a href="{}">{}</a>', self.job.url, self.job.id) if self.job.url else self.job.id
            yield Fact(label="RQ job", value=link)
        yield from self.about
        if batches := self._batches[:BATCHES_SHOWN]:
            links = format_html_join(", ", '<a href="{}">{}</a>', ((page_of(each), each.title) for each in batches))
            yield Fact(label="Imported or run with", value=links)

    @property
    def about(self) -> Iterator[Fact]:
        """What else stands among the facts, of a kind of record that has more to say."""
        yield from ()

    @cached_property
    def job(self) -> Job | None:
        """The RQ job that is at it, or that ended with a bug and is kept for a day."""
        moved = (entry for entry in self.history if entry.log.is_move)
        return job_at_work(self.record, last=next(moved, None), user=self.user)

    # --- What went wrong --------------------------------------------------------------------------------------------

    @property
    def has_failed(self) -> bool:
        """Whether it has given up; what a machine calls that state is its own business."""
        return self.record.state in self.record.failed_states()

    @property
    def failure_is_news(self) -> bool:
        """Whether to say what went wrong: nothing more is tried, or the same is being tried again. Else it is history."""
        is_final = self.has_failed and not self.record.is_owed
        return bool(self.record.failure_message) and (is_final or self.record.is_working)

    @property
    def failure(self) -> str:
        """What went wrong, in a few words."""
        return words_for(self.record.failure_code)

    @property
    def failure_message(self) -> str:
        return told(self.record, self.user)

    @cached_property
    def next_step(self) -> NextStep | None:
        """What helps; also while it is tried again, since nobody need wait until it has failed."""
        return next_step(self.record, self.user) if self.failure_is_news else None

    # --- What was found, and why it says so -------------------------------------------------------------------------

    @property
    def result(self) -> Iterator[Fact]:
        """What the page's `facts` name, as a column of the list would show them."""
        for name in self.page.facts:
            _, _, value = lookup_field(name, self.record, self.page)
            label = label_for_field(name, self.page.model, self.page)
            yield Fact(label=capfirst(str(label)), value=value)

    @property
    def evidence(self) -> Mapping[str, Any]:
        """What was asked and answered last, and so led to this state."""
        return next((entry.log.evidence for entry in self.history if entry.log.evidence), {})

    @cached_property
    def reasons(self) -> list[tuple[str, str]]:
        """The same as one reads it."""
        return list(reasons(self.evidence, labels=self.page.evidence, text=self.text_of))

    def text_of(self, name: str, value: Any) -> str:
        """A value of the evidence as one reads it."""
        return text_of(name, value)

    @property
    def wants_proof(self) -> bool:
        """Whether the reasons are shown at once, since much depends on them."""
        return False

    # --- What happened ----------------------------------------------------------------------------------------------

    @cached_property
    def history(self) -> list[Entry]:
        """The newest transitions first."""
        return history_of(self.record, limit=HISTORY_SHOWN, user=self.user, did=self.page.did, behalf=self.behalf_of)

    @property
    def happened(self) -> list[tuple[Entry | None, Event | None]]:
        """The same, and what has happened beside them in that time, each in its place."""
        since = self.history[-1].log.at if self.earlier_count else None
        beside = [event for event in self.events if event.at and (since is None or event.at >= since)]
        entries = [(entry.log.at, entry, None) for entry in self.history]
        both = [*entries, *((event.at, None, event) for event in beside if event.at)]
        return [(entry, event) for _at, entry, event in sorted(both, key=itemgetter(0), reverse=True)]

    @property
    def events(self) -> Iterator[Event]:
        """What has happened that its log does not tell, of a kind of record that has more to say."""
        yield from ()

    def behalf_of(self, row: TransitionLog) -> str:  # noqa: ARG002 - for who derives from it
        """For whom a transition was taken that nobody took by hand; empty: that need not be told."""
        return ""

    @property
    def newest(self) -> Event | None:
        """What has happened since the last transition: that it was stopped before its turn came."""
        batch = self.passed_over
        if batch is None:
            return None
        link = format_html('<a href="{}">{}</a>', page_of(batch), batch.title)
        # Who has made it go on with others since is not who had stopped it.
        who = format_html("{} stopped {}", batch.stopped_by or GONE_PERSON, link)
        stopped = who if batch.stopped_at else format_html("{} was stopped", link)
        words = format_html("{} before it was this {}'s turn", stopped, self.record._meta.verbose_name)
        return Event(words=words, at=batch.stopped_at)

    @cached_property
    def passed_over(self) -> Batch | None:
        """What was stopped before its turn came: nothing was begun, so nothing stands in the history."""
        return passed_over_by(self.record) if self._has_batches else None

    @cached_property
    def origin(self) -> Event:
        """How the record came to be: by an import, or by hand."""
        made_by = getattr(self.record, "created_by", None)
        by = f" by {made_by}" if made_by else ""
        # The newest are read anyway, and most often there are no others.
        batch = next((each for each in reversed(self._batches) if each.kind == Batch.Kind.IMPORT), None)
        if len(self._batches) > BATCHES_SHOWN:
            batch = made_with(self.record)
        if batch is None:
            return Event(words=f"Created{by}", at=self._made_at)
        words = format_html('Imported from <a href="{}">{}</a>{}', page_of(batch), batch.title, by)
        return Event(words=words, at=self._made_at)

    @property
    def _has_batches(self) -> bool:
        return can_be_run_together(type(self.record))

    @cached_property
    def _batches(self) -> list[Batch]:
        """What it was made or run with, the newest first: those that are shown, and one more."""
        return list(batches_of(self.record)[: BATCHES_SHOWN + 1]) if self._has_batches else []

    @property
    def _made_at(self) -> datetime | None:
        return getattr(self.record, "created_at", None)

    @cached_property
    def earlier_count(self) -> int:
        """How many transitions are not shown."""
        if not self.history:
            return 0
        oldest = self.history[-1].log
        earlier = TransitionLog.objects.of(self.record).filter(generation__lt=oldest.generation).order_by()
        return earlier[: EARLIER_COUNTED + 1].count()

    @property
    def earlier(self) -> str:
        """That number in words. Very many are not counted: it takes time, and nobody needs to know."""
        count = self.earlier_count
        return f"More than {EARLIER_COUNTED:,}" if count > EARLIER_COUNTED else f"{count:,}"

    @property
    def whole_since(self) -> date | None:
        """Of the time before, some entries may have been let go of; None: all are there."""
        oldest = oldest_whole(at=now().date())
        count = len(self.history) + self.earlier_count
        is_old = oldest and self._made_at and self._made_at.date() < oldest
        return oldest if is_old and count >= settings.TRANSITION_LOG_ENTRIES else None

    @property
    def log_url(self) -> str:
        """Where the whole history stands; empty for who may not look at it."""
        if not self.user.has_perm("statemachine.view_transitionlog"):
            return ""
        log = reverse("admin:statemachine_transitionlog_changelist")
        return f"{log}?record_type={self.record._meta.label_lower}&record_id={self.record.pk}"

    @property
    def diagram(self) -> SafeString:
        return _diagram(type(self.record), self.record.state)

    # --- Following the work -----------------------------------------------------------------------------------------

    @property
    def poll_url(self) -> str:
        """Where the page asks whether something has changed; empty if nothing will change by itself."""
        if not self.record.is_owed:
            return ""
        shown = (*following.SHOWN, *self.page.follows)
        version = following.version_of({name: getattr(self.record, name) for name in shown})
        seen = following.seen(self.user, what=self.page.followed(self.record.pk), version=version)
        return with_kept(self._address("live", query={"seen": seen}), self.kept)

    def _address(self, name: str, *args: Any, query: Mapping[str, str] | None = None) -> str:
        return reverse(self.page.address(name), args=[self.record.pk, *args], query=query)


def with_kept(url: str, kept: str) -> str:
    """An address, and what is kept of another one's query."""
    return f"{url}{'&' if '?' in url else '?'}{kept}" if kept else url


@cache
def _diagram(machine: type[StateMachine], state: str) -> SafeString:
    """The machine with one state marked; drawn from the code, so the same for as long as the process lives."""
    return mark_safe(svg(picture_of(machine, mark=state)))  # noqa: S308 - nothing in it is anybody's input

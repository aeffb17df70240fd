"""What the page of a batch shows: how far it is, what became of its records, and what can be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.http import urlencode

from console.batches.filters import NOT_RUN, SETTLED, WAITING, BatchFilter
from console.machine import following
from console.machine.badges import label_of
from console.records.links import address_of
from core.base.errors import words_for
from statemachine.batches import Progress, failures_of, machine_of, progress_of
from statemachine.models import STOPPED, Batch

# Records, from which on a page asks less often than every second.
MANY = 20_000
LONGEST_PAUSE_MS = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many records of the batch, and the list of them.

    Attributes:
        state: whose sign stands beside it; empty: none.
    """

    state: str
    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What can be done with how many records, with what the form says about which.

    Attributes:
        asks: what is said before it is done; empty: it is done at once.
    """

    label: str
    url: str
    count: int
    state: str = ""
    look: str = ""
    asks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is to be said of one record of a batch beside its state.

    Attributes:
        url: its page; empty if the person may not see it.
    """

    label: str
    words: str
    url: str


class BatchPage:
    """One batch, as one person may see it. A kind of record that has more to say of its batches derives from it."""

    def __init__(self, *, batch: Batch, user: User, progress: Progress | None = None) -> None:
        self.batch = batch
        self.machine_name = batch.record_type  # by which a template asks for a badge
        self._machine = machine_of(batch)
        self.progress = progress or progress_of(batch)
        self._user = user

    @property
    def poll_url(self) -> str:
        """Where the same is asked for anew; empty once nothing is owed any more."""
        if not self.progress.owed:
            return ""
        seen = following.seen(self._user, what=f"batch:{self.batch.pk}", version=repr(self.progress))
        return f"{self._address('live')}?{urlencode({'seen': seen})}"

    @property
    def pause_ms(self) -> int:
        """How long the page waits before it asks again: counting costs some microseconds for each record. 0: as usual."""
        return 0 if self.progress.total < MANY else min(self.progress.total // 10, LONGEST_PAUSE_MS)

    @property
    def one(self) -> str:
        """What one of its records is called."""
        return str(self._machine._meta.verbose_name)

    @property
    def many(self) -> str:
        """What they are called."""
        return str(self._machine._meta.verbose_name_plural)

    @property
    def percent(self) -> int:
        return self.progress.done * 100 // self.progress.total if self.progress.total else 100

    @property
    def said(self) -> str:
        """What is read to who cannot see the bar, not at every step."""
        if self.progress.owed:
            return f"{self.percent // 10 * 10} % settled"
        is_through = not (self.progress.not_run or self.is_stopped)
        return f"All {self.many} of this batch are settled" if is_through else self.sentence

    @property
    def heading(self) -> str:
        """How it stands, in a few words."""
        if self.is_stopped:
            return "Stopped"
        if self.progress.owed:
            return f"{self.percent} % settled"
        return "Nothing is under way" if self.progress.not_run else "Settled"

    @property
    def sentence(self) -> str:
        """Where all the records stand."""
        progress = self.progress
        counts = ((progress.under_way, "under way"), (progress.waiting, "waiting"), (progress.not_run, "did not run"))
        others = "".join(f", {count:,} {words}" for count, words in counts if count)
        stopped = "Stopped: " if self.is_stopped else ""
        return f"{stopped}{progress.done:,} of {self._machine.counted(progress.total)} settled{others}."

    @property
    def is_stopped(self) -> bool:
        """What another run has taken from a stopped batch is not the batch's work any more."""
        return self.batch.stopped_at is not None and not self.progress.stoppable

    @property
    def started_otherwise(self) -> str:
        """Why what is under way cannot be stopped here; empty if it can."""
        count = self.progress.started_otherwise
        if not count:
            return ""
        them = "it has" if count == 1 else "they have"
        return f"{count:,} of those under way or waiting: {them} been started by hand or by another run since."

    @cached_property
    def counts(self) -> list[Count]:
        """What became of the records, in the order of the work; only what there is."""
        return [count for count in self._all_counts() if count.count]

    def _all_counts(self) -> Iterator[Count]:
        progress = self.progress
        yield Count(state="", label="Waiting", count=progress.waiting, url=self._list(WAITING))
        machine = self._machine
        working = [state for state in machine.states() if state in machine.working_states]
        yield Count(
            state=working[0],
            label="Under way",
            count=progress.under_way,
            url=self._list(state__in=",".join(working)),
        )
        yield Count(state=STOPPED, label="Not run", count=progress.not_run, url=self._list(NOT_RUN))
        for state, count in progress.settled.items():
            # What ran here, and was started and stopped otherwise since.
            is_stopped = state == machine.initial_state()
            shown, label = (STOPPED, "Stopped since") if is_stopped else (state, label_of(machine, state))
            yield Count(state=shown, label=label, count=count, url=self._list(SETTLED, state__exact=shown))

    @cached_property
    def failures(self) -> list[Count]:
        """What the failed ones have failed for, the most first."""
        if not self._failed_count:
            return []
        return [
            Count(
                state="",
                label=words_for(code),
                count=count,
                url=self._list(SETTLED, state__exact=self._machine.failed_state(), failure_code=code),
            )
            for code, count in failures_of(self.batch)
        ]

    @property
    def told(self) -> list[Told]:
        """What else became of records, which their states do not say."""
        return []

    @property
    def told_heading(self) -> str:
        """What stands above that."""
        return ""

    @property
    def left_out_url(self) -> str:
        """What was not taken, with the reasons; empty if there is nothing, or nobody keeps it."""
        return ""

    @property
    def list_url(self) -> str:
        return self._list()

    @cached_property
    def buttons(self) -> list[Button]:
        """Each says how many records it is about; none for who may not press it."""
        if not self._user.has_perm(self._machine.run_right):
            return []
        return list(self._buttons())

    def _buttons(self) -> Iterator[Button]:
        if not_run := self.progress.not_run:
            label = f"Run the {not_run:,} that {'was' if not_run == 1 else 'were'} not run"
            yield self._again(label, count=not_run, state=self._machine.initial_state())
        if (stoppable := self.progress.stoppable) and self._user.has_perm(self._machine.right_to("cancel")):
            stop = self._address("stop")
            yield Button(
                label=f"Stop {stoppable:,}", url=stop, count=stoppable, look="is-danger", asks=self._asks(stoppable)
            )

    @property
    def failed_again(self) -> Button | None:
        """Beside the reasons, so that “Stop” does not move under somebody's pointer when the first one fails."""
        failed = self._failed_count
        if not failed or not self._user.has_perm(self._machine.run_right):
            return None
        return self._again(f"Run {failed:,} failed again", count=failed, state=self._machine.failed_state())

    def _again(self, label: str, *, count: int, state: str) -> Button:
        return Button(label=label, url=self._address("again"), count=count, state=state)

    @property
    def _failed_count(self) -> int:
        return self.progress.settled.get(self._machine.failed_state(), 0)

    def _address(self, page: str) -> str:
        return reverse(address_of(type(self.batch), page), args=[self.batch.pk])

    def _list(self, standing: str = "", **narrowed: str) -> str:
        """The list of the batch's records, or of some of them."""
        query = {BatchFilter.parameter_name: BatchFilter.value_of(self.batch, standing), **narrowed}
        return f"{reverse(address_of(self._machine, 'changelist'))}?{urlencode(query)}"

    def _asks(self, count: int) -> str:
        counted = self._machine.counted(count)
        them = f"This {self.one} is" if count == 1 else f"These {counted} are"
        return (
            f"{them} not run any further. What has been found so far stays; what is not run can be started again here."
        )

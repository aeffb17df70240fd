"""What the page of a batch shows: how far it is, what became of its leases, and what can be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.http import urlencode

from console.machine import following as polling
from core.base.errors import words_for
from leases.admin.filters import NOT_RUN, SETTLED, WAITING, BatchFilter
from leases.models import Batch
from leases.states import State
from statemachine.batches import Progress, failures_of, progress_of
from statemachine.models import STOPPED

# Leases, from which on a page asks less often than every second.
MANY = 20_000
LONGEST_PAUSE_MS = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many leases of the batch, and the list of them.

    Attributes:
        state: whose sign stands beside it; empty: none.
    """

    state: str
    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What can be done with how many leases, with what the form says about which.

    Attributes:
        asks: what is said before it is done; empty: it is done at once.
    """

    label: str
    url: str
    count: int
    state: str = ""
    look: str = ""
    asks: str = ""


class BatchPage:
    """One batch, as one person may see it."""

    def __init__(self, *, batch: Batch, user: User, progress: Progress | None = None) -> None:
        self.batch = batch
        self.progress = progress or progress_of(batch)
        self._user = user

    @property
    def poll_url(self) -> str:
        """Where the same is asked for anew; empty once nothing is owed any more."""
        if not self.progress.owed:
            return ""
        seen = polling.seen(self._user, what=f"batch:{self.batch.pk}", version=repr(self.progress))
        return f"{reverse('admin:leases_batch_live', args=[self.batch.pk])}?{urlencode({'seen': seen})}"

    @property
    def pause_ms(self) -> int:
        """How long the page waits before it asks again: counting costs some microseconds for each lease. 0: as usual."""
        return 0 if self.progress.total < MANY else min(self.progress.total // 10, LONGEST_PAUSE_MS)

    @property
    def percent(self) -> int:
        return self.progress.done * 100 // self.progress.total if self.progress.total else 100

    @property
    def said(self) -> str:
        """What is read to who cannot see the bar, not at every step."""
        if self.progress.owed:
            return f"{self.percent // 10 * 10} % settled"
        is_through = not (self.progress.not_run or self.is_stopped)
        return "All leases of this batch are settled" if is_through else self.sentence

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
        """Where all the leases stand."""
        progress = self.progress
        counts = ((progress.under_way, "under way"), (progress.waiting, "waiting"), (progress.not_run, "did not run"))
        others = "".join(f", {count:,} {words}" for count, words in counts if count)
        stopped = "Stopped: " if self.is_stopped else ""
        return f"{stopped}{progress.done:,} of {progress.total:,} lease{'' if progress.total == 1 else 's'} settled{others}."

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
        """What became of the leases, in the order of the work; only what there is."""
        return [count for count in self._all_counts() if count.count]

    def _all_counts(self) -> Iterator[Count]:
        progress = self.progress
        yield Count(state="", label="Waiting", count=progress.waiting, url=self._list(WAITING))
        working = f"{State.SEARCHING},{State.DETECTING}"
        yield Count(
            state=State.SEARCHING, label="Under way", count=progress.under_way, url=self._list(state__in=working)
        )
        yield Count(state=STOPPED, label="Not run", count=progress.not_run, url=self._list(NOT_RUN))
        for state, count in progress.settled.items():
            # What ran here, and was started and stopped otherwise since.
            shown, label = (STOPPED, "Stopped since") if state == State.PENDING else (state, State(state).label)
            yield Count(state=shown, label=label, count=count, url=self._list(SETTLED, state__exact=shown))

    @cached_property
    def failures(self) -> list[Count]:
        """What the failed ones have failed for, the most first."""
        if not self.progress.settled.get(State.FAILED):
            return []
        return [
            Count(
                state="",
                label=words_for(code),
                count=count,
                url=self._list(SETTLED, state__exact=State.FAILED, failure_code=code),
            )
            for code, count in failures_of(self.batch)
        ]

    @property
    def left_out_url(self) -> str:
        """The rows of the file that are no leases; empty if there are none."""
        if not self.batch.left_out or self.batch.kind != Batch.Kind.IMPORT:
            return ""
        return reverse("admin:leases_batch_left_out", args=[self.batch.pk])

    @property
    def list_url(self) -> str:
        return self._list()

    @cached_property
    def buttons(self) -> list[Button]:
        """Each says how many leases it is about; none for who may not press it."""
        if not self._user.has_perm("leases.run_discovery"):
            return []
        return list(self._buttons())

    def _buttons(self) -> Iterator[Button]:
        if not_run := self.progress.not_run:
            label = f"Run the {not_run:,} that {'was' if not_run == 1 else 'were'} not run"
            yield self._again(label, count=not_run, state=State.PENDING)
        if stoppable := self.progress.stoppable:
            stop = reverse("admin:leases_batch_stop", args=[self.batch.pk])
            yield Button(
                label=f"Stop {stoppable:,}", url=stop, count=stoppable, look="is-danger", asks=_asks(stoppable)
            )

    @property
    def failed_again(self) -> Button | None:
        """Beside the reasons, so that “Stop” does not move under somebody's pointer when the first one fails."""
        failed = self.progress.settled.get(State.FAILED, 0)
        if not failed or not self._user.has_perm("leases.run_discovery"):
            return None
        return self._again(f"Run {failed:,} failed again", count=failed, state=State.FAILED)

    def _again(self, label: str, *, count: int, state: State) -> Button:
        return Button(
            label=label, url=reverse("admin:leases_batch_again", args=[self.batch.pk]), count=count, state=state
        )

    def _list(self, standing: str = "", **narrowed: str) -> str:
        """The list of the batch's leases, or of some of them."""
        query = {BatchFilter.parameter_name: BatchFilter.value_of(self.batch, standing), **narrowed}
        return f"{reverse('admin:leases_lease_changelist')}?{urlencode(query)}"


def _asks(count: int) -> str:
    them = "This lease is" if count == 1 else f"These {count:,} leases are"
    return f"{them} not run any further. What has been found so far stays; what is not run can be started again here."

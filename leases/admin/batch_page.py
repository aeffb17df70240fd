"""What the page of a batch shows: how far it is, what became of its leases, and what can be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.http import urlencode

from leases.admin import polling
from leases.batches import Progress, failures_of, progress_of
from leases.failures import in_words
from leases.models import Batch
from leases.states import State


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
    """What can be done with how many leases, with what the form says about which."""

    label: str
    url: str
    state: str = ""
    look: str = ""


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
    def percent(self) -> int:
        return self.progress.done * 100 // self.progress.total if self.progress.total else 100

    @property
    def said(self) -> str:
        """What is read to who cannot see the bar, not at every step."""
        return f"{self.percent // 10 * 10} % settled" if self.progress.owed else "All leases of this batch are settled"

    @cached_property
    def counts(self) -> list[Count]:
        """What became of the leases, in the order of the work; only what there is."""
        return [count for count in self._all_counts() if count.count]

    def _all_counts(self) -> Iterator[Count]:
        progress = self.progress
        yield Count(state="", label="Waiting", count=progress.waiting, url=self._list())
        working = f"{State.SEARCHING},{State.DETECTING}"
        yield Count(
            state=State.SEARCHING, label="Under way", count=progress.under_way, url=self._list(state__in=working)
        )
        for state, count in progress.settled.items():
            label = "Not run" if state == State.PENDING else str(state.label)
            yield Count(state=state, label=label, count=count, url=self._list(state__exact=state))

    @cached_property
    def failures(self) -> list[Count]:
        """What the failed ones have failed for, the most first."""
        if not self.progress.settled.get(State.FAILED):
            return []
        return [
            Count(
                state="",
                label=in_words(code),
                count=count,
                url=self._list(state__exact=State.FAILED, failure_code=code),
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
        failed = self.progress.settled.get(State.FAILED, 0)
        not_run = self.progress.settled.get(State.PENDING, 0)
        again = reverse("admin:leases_batch_again", args=[self.batch.pk])
        if failed:
            yield Button(label=f"Run {failed:,} failed again", url=again, state=State.FAILED)
        if not_run:
            yield Button(label=f"Run {not_run:,} not run", url=again, state=State.PENDING, look="is-second")
        if self.progress.stoppable:
            stop = reverse("admin:leases_batch_stop", args=[self.batch.pk])
            yield Button(label=f"Stop {self.progress.stoppable:,}", url=stop, look="is-danger")

    def _list(self, **narrowed: str) -> str:
        """The list of the batch's leases, or of some of them."""
        query = {"batches": str(self.batch.pk), **narrowed}
        return f"{reverse('admin:leases_lease_changelist')}?{urlencode(query)}"

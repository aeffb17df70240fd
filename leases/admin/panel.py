"""What the page of a lease shows beside its two fields: where it stands, what can be done, what was found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cloud.models import CloudLocation
from console.machine import following as polling
from console.shell.times import countdown
from core.base.clock import now
from core.base.errors import words_for
from core.base.folding import is_same_path
from leases.admin.actions import ACTIONS, DETECT, DISCOVER, SEARCH, STOP, Action, why_absent
from leases.admin.history import Entry, Job, history_of, job_at_work
from leases.admin.links import dropbox_link, record_url
from leases.admin.nearest import Nearest, nearest_of
from leases.admin.next_steps import NextStep, correction, next_step, told
from leases.admin.why import account_of, reasons
from leases.lookalikes import doubts_about_number
from leases.models import AgencyStorageConfig, Lease
from leases.queries import PASSED_OVER_COUNT
from leases.states import SETTLED, State
from leases.words import passed_over_in_words
from statemachine.batches import batches_of, made_with, passed_over_by
from statemachine.diagram import picture_of, svg
from statemachine.line import how_many_before
from statemachine.models import Batch, TransitionLog
from statemachine.obstacles import obstacle
from statemachine.reactions import reaction_for

HISTORY_SHOWN = 50
# The transitions that record what Dropbox has answered.
ANSWERS = ("record_found", "record_detection", "record_not_found")
# So many leases are begun within seconds, and so many are counted before “more than”.
SOON, COUNTED_AT_MOST = 10, 1_000
EARLIER_COUNTED = 10_000
# No archive was found, or not since the number was given.
UNCONFIRMED = (State.PENDING, State.SEARCHING, State.NOT_FOUND, State.FAILED)
BATCHES_SHOWN = 3
# The buttons in the order in which they are most likely wanted; what ends something comes last.
ORDER: Mapping[str, tuple[Action, ...]] = {State.FOUND: (DETECT, DISCOVER, SEARCH, STOP)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A button, or why it is absent."""

    action: Action
    url: str
    why_absent: str

    @property
    def ends_something(self) -> bool:
        return self.action is STOP


class Panel:
    """One lease, as one person may see it."""

    def __init__(self, *, lease: Lease, user: User, kept: str = "") -> None:
        """What is kept of an address leads back to the list that the person came from."""
        self.lease = lease
        self.kept = kept
        self._user = user

    @cached_property
    def offers(self) -> list[Offer]:
        """Every button, in the order in which they are most likely wanted."""
        return [
            Offer(
                action=action,
                url=with_kept(reverse("admin:leases_lease_action", args=[self.lease.pk, action.name]), self.kept),
                why_absent=why_absent(action, lease=self.lease, user=self._user),
            )
            for action in ORDER.get(self.lease.state, ACTIONS.values())
        ]

    @property
    def offered(self) -> list[Offer]:
        return [offer for offer in self.offers if not offer.why_absent]

    @property
    def absent(self) -> list[Offer]:
        return [offer for offer in self.offers if offer.why_absent]

    @cached_property
    def progress(self) -> list[str]:
        """What is being done about the lease, in sentences."""
        return list(progress_of(self.lease, at=now()))

    @property
    def seen(self) -> str:
        """What the page sends when it asks whether something has changed."""
        version = polling.version_of({name: getattr(self.lease, name) for name in polling.SHOWN})
        return polling.seen(self._user, what=f"lease:{self.lease.pk}", version=version)

    @property
    def failure_is_news(self) -> bool:
        """What went wrong is told as long as the same is tried again, also while a worker is at it; then it is history."""
        is_final = self.has_failed and not self.lease.is_owed
        return bool(self.lease.failure_message) and (is_final or self.lease.is_working)

    @property
    def failure(self) -> str:
        """What went wrong, in a few words."""
        return words_for(self.lease.failure_code)

    @property
    def failure_message(self) -> str:
        return told(self.lease, self._user)

    @cached_property
    def next_step(self) -> NextStep | None:
        """What helps; also while it is tried again, since nobody need wait until it has failed."""
        return next_step(self.lease, self._user) if self.failure_is_news else None

    @property
    def diagram(self) -> SafeString:
        return diagram(self.lease.state)

    @cached_property
    def reasons(self) -> list[tuple[str, str]]:
        """What was asked and answered last, and so led to this state."""
        evidence: Mapping[str, Any] = next((entry.log.evidence for entry in self.history if entry.log.evidence), {})
        return list(reasons(evidence, account_of(evidence)))

    @cached_property
    def _configuration(self) -> AgencyStorageConfig | None:
        return AgencyStorageConfig.objects.filter(agency=self.lease.agency).first()

    @property
    def configuration_url(self) -> str:
        return record_url(self._configuration, self._user) if self._configuration else ""

    @property
    def is_last_known(self) -> bool:
        """Whether what is shown is an older run's, and no newer one has an answer."""
        return self.lease.state not in {*SETTLED, State.DETECTING}

    @property
    def asked_elsewhere(self) -> str:
        """The folder that the known result speaks of, if the archives lie in another one now; empty if they do not."""
        known = self.lease.known_base_path
        now_at = self._configuration.runsheet_archive_base_path if self._configuration else ""
        return known if known and now_at and known != now_at else ""

    @property
    def was_absent(self) -> str:
        """Where an older run found nothing, while no newer one has an answer."""
        lease = self.lease
        is_old = self.is_last_known and lease.known_base_path and lease.runsheet_directory is None
        return f"{lease.known_base_path}/{lease.lease_number}" if is_old else ""

    @cached_property
    def batches(self) -> list[Batch]:
        """What it was imported or run with, the newest first."""
        return list(batches_of(self.lease)[:BATCHES_SHOWN])

    @cached_property
    def imported_with(self) -> Batch | None:
        """What made it; None if somebody made it by hand."""
        return made_with(self.lease)

    @cached_property
    def passed_over(self) -> Batch | None:
        """What was stopped before this lease's turn came: nothing was begun, so nothing stands in the history."""
        return passed_over_by(self.lease)

    @property
    def has_failed(self) -> bool:
        return bool(self.lease.state == State.FAILED)

    @property
    def report(self) -> str:
        """Whether a previous report exists, without ever guessing."""
        if self.lease.state == State.DONE:
            return "Found" if self.lease.runsheet_report_found else f"{self._no_report}{self._told_of_remains}"
        if self.lease.state == State.NOT_FOUND:
            return "Not looked for, since there is no directory"
        found, _ = self.lease.known_report
        if found is not None:
            return "Found when last looked for" if found else f"None when last looked for{self._told_of_remains}"
        return "Being looked for" if self.lease.state == State.DETECTING else "Not known"

    @property
    def _no_report(self) -> str:
        count = self._evidence.get("entries")
        if count is None:
            return "None in the directory"
        if not count:
            return "None, since the directory is empty"
        return (
            f"None among the {count:,} entries of the directory"
            if count > 1
            else "None: the one entry of the directory is no report"
        )

    @property
    def _told_of_remains(self) -> str:
        """Beside the result, since who reads “none” makes a report anew."""
        looked = (entry.log.evidence for entry in self.history if entry.log.transition == "record_detection")
        count = (next(looked, None) or {}).get(PASSED_OVER_COUNT, 0)
        return f"; {passed_over_in_words(count)}" if count else ""

    @property
    def _evidence(self) -> Mapping[str, Any]:
        """What led to the present state."""
        return self.history[0].log.evidence if self.history else {}

    @property
    def absent_path(self) -> str:
        """Where Dropbox has no directory; somebody who reads it sees whether it was the right place to look."""
        return self._evidence.get("path", "") if self.lease.state == State.NOT_FOUND else ""

    @cached_property
    def nearest(self) -> list[Nearest]:
        """The archives that there are whose names come nearest to the one that is not."""
        return nearest_of(self.lease, self._evidence, self._user) if self.lease.state == State.NOT_FOUND else []

    @cached_property
    def found_elsewhere(self) -> TransitionLog | None:
        """What was last known of another path, if something lay there: the base path or the number was another one."""
        answers = (entry.log for entry in self.history if entry.log.transition in ANSWERS)
        others = (log for log in answers if not is_same_path(log.evidence.get("path", ""), self.absent_path))
        last = next(others, None) if self.absent_path else None
        return last if last and last.to_state != State.NOT_FOUND else None

    @property
    def doubts(self) -> list[str]:
        """Why the number may not be what is meant; told until Dropbox has an archive of just that name."""
        is_open = self.lease.state in UNCONFIRMED
        return doubts_about_number(self.lease.lease_number) if is_open else []

    @property
    def correction(self) -> NextStep | None:
        """What to look at if there should be a directory."""
        return correction(self.lease, self._user) if self.lease.state == State.NOT_FOUND else None

    @property
    def wants_proof(self) -> bool:
        """Whether it says that there is nothing, so that somebody may do weeks of work anew."""
        is_missing = self.lease.state == State.DONE and not self.lease.runsheet_report_found
        return is_missing or self.lease.state == State.NOT_FOUND

    @property
    def location(self) -> CloudLocation | None:
        return self.lease.runsheet_directory

    @property
    def location_url(self) -> str:
        return record_url(self.location, self._user) if self.location else ""

    @property
    def dropbox(self) -> SafeString | str:
        return dropbox_link(self.location) if self.location else ""

    @property
    def copy_url(self) -> str:
        """What is copied to be sent to somebody: the share link itself, which needs no login here."""
        url = self.location.share_url if self.location else ""
        return url if url.startswith(("https://", "http://")) else ""

    @cached_property
    def job(self) -> Job | None:
        """The RQ job that is at it, or that ended with a bug and is kept for a day."""
        return job_at_work(self.lease, last=self.history[0] if self.history else None, user=self._user)

    @cached_property
    def history(self) -> list[Entry]:
        """The newest transitions first."""
        return history_of(self.lease, limit=HISTORY_SHOWN, user=self._user)

    @cached_property
    def earlier_count(self) -> int:
        """How many transitions are not shown."""
        if not self.history:
            return 0
        oldest = self.history[-1].log
        earlier = TransitionLog.objects.of(self.lease).filter(generation__lt=oldest.generation).order_by()
        return earlier[: EARLIER_COUNTED + 1].count()

    @property
    def earlier(self) -> str:
        """That number as it is told: beyond some it matters to nobody how many they are, and counting takes its time."""
        count = self.earlier_count
        return f"More than {EARLIER_COUNTED:,}" if count > EARLIER_COUNTED else f"{count:,}"

    @property
    def log_url(self) -> str:
        """Where the whole history stands; empty for who may not look at it."""
        if not self._user.has_perm("statemachine.view_transitionlog"):
            return ""
        log = reverse("admin:statemachine_transitionlog_changelist")
        return f"{log}?record_type={self.lease._meta.label_lower}&record_id={self.lease.pk}"


def with_kept(url: str, kept: str) -> str:
    """An address without a query, and what is kept of another one's."""
    return f"{url}?{kept}" if kept else url


@cache
def diagram(state: str) -> SafeString:
    """The machine with one state marked; drawn from the code, so the same for as long as the process lives."""
    return mark_safe(svg(picture_of(Lease, mark=state)))  # noqa: S308 - nothing in it is anybody's input


def progress_of(lease: Lease, *, at: datetime) -> Iterator[str]:
    """What is being done about a lease, in sentences.

    Args:
        at: the present instant, aware.
    """
    if lease.is_working:
        yield _try_of(lease)
        yield _next_step(lease, at)
    elif lease.is_owed:
        yield _start(lease)
    elif lease.is_stopped:
        yield "Stopped. Nothing is done until somebody starts it again."
    else:
        yield "Nothing is under way."


def _try_of(lease: Lease) -> str:
    budget = reaction_for(Lease, lease.state).tries
    if lease.tries == 0:
        return f"Not tried yet (at most {budget} tries)."
    return f"Try {lease.tries} of {budget}."


def _next_step(lease: Lease, at: datetime) -> str:
    if lease.claimed_until and lease.claimed_until > at:
        return "A worker is at it."
    if lease.claimed_until:
        return f"Its worker was lost. {obstacle() or 'Another one takes over within seconds.'}"
    if lease.due_at and _waits(lease, at):
        return format_html("Next in {}.", countdown(lease.due_at))
    return f"It waits for a worker. {obstacle()}".strip()


def _start(lease: Lease) -> str:
    """When it begins by itself; “within seconds” only where that is so."""
    if found := obstacle():
        return f"It starts by itself, but not yet. {found}"
    ahead = how_many_before(lease, at_most=COUNTED_AT_MOST)
    if ahead < SOON:
        return "It starts by itself within seconds."
    count = f"more than {COUNTED_AT_MOST:,}" if ahead > COUNTED_AT_MOST else f"{ahead:,}"
    return f"It starts by itself when it is its turn: {count} leases came before it."


def _waits(lease: Lease, at: datetime) -> bool:
    """Whether it was put back until some later instant."""
    later = lease.due_at is not None and lease.due_at > at
    return lease.is_working and later and lease.claimed_until is None and lease.rung_at is None

"""What the page of a lease says beyond that of any record: its archive, its report, its agency."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloud.admin.links import dropbox_link
from cloud.models import CloudLocation
from console.machine.next_steps import NextStep
from console.machine.panel import Fact, Note, Offer, Panel
from console.records.links import record_url
from console.shell.times import ago
from core.base.folding import is_same_path
from leases.admin.nearest import Nearest, nearest_of, nothing_near
from leases.admin.why import Account, account_of, correction, text_of
from leases.contents import Contents, contents_of
from leases.lookalikes import doubts_about_number
from leases.models import AgencyStorageConfig, Lease, Seen
from leases.queries import PASSED_OVER_COUNT
from leases.runs import MAKE_ARCHIVE
from leases.services import CREATED
from leases.states import SETTLED, State
from leases.watching import Watched, watched_for
from leases.words import passed_over_in_words
from statemachine.models import TransitionLog

NOT_LOOKED_AT = (
    "It is told by what is known of its folder, once that was read; a lease that was imported or run with many others asks Dropbox "
    "for nothing beside its archive. To look now, press “Run full discovery”."
)
# The transitions that record what Dropbox has answered.
ANSWERS = ("record_found", "record_detection", "record_not_found")
# No archive was found, or not since the number was given.
UNCONFIRMED = (State.PENDING, State.SEARCHING, State.NOT_FOUND, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideFact:
    """What is known of the document archive or the miscellaneous index.

    Attributes:
        path: where it is looked for.
        at: when the answer was given; None if nobody has looked.
        why: why the last look told nothing.
        user: who reads it.
    """

    label: str
    path: str
    state: Seen
    location: CloudLocation | None
    at: datetime | None
    why: str
    user: User

    @property
    def url(self) -> str:
        return record_url(self.location, self.user) if self.location else ""

    @property
    def how(self) -> str:
        """Why nobody has looked yet, and how it is looked for."""
        return NOT_LOOKED_AT if self.state == Seen.UNKNOWN else ""

    @property
    def words(self) -> str:
        if self.state == Seen.NOT_FOUND:
            return "Dropbox has none at"
        return "" if self.state == Seen.FOUND else str(self.state.label)


class LeasePanel(Panel[Lease]):
    """One lease, as one person may see it."""

    @property
    def lease(self) -> Lease:
        return self.record

    @cached_property
    def offers(self) -> list[Offer]:
        """Where nothing may be made at all, nobody is told about it at each lease."""
        makes = settings.DROPBOX_MAKES_ARCHIVES
        return [offer for offer in super().offers if makes or offer.button.step != MAKE_ARCHIVE]

    # --- Beside the buttons -----------------------------------------------------------------------------------------

    @property
    def notes(self) -> Iterator[Note]:
        """Why the number may not be what is meant, until Dropbox has an archive of just that name; what else to look at."""
        if self.lease.state in UNCONFIRMED:
            for doubt in doubts_about_number(self.lease.lease_number, agency=self.lease.agency):
                yield Note(words=f"See whether this is the number that is meant: {doubt}", is_doubt=True)
        if self.also:
            url = self.configuration_url
            link = format_html('<a href="{}">Look at the configuration</a>', url) if url else ""
            yield Note(words=format_html("{}\n{}", self.also.otherwise, link))

    @property
    def also(self) -> NextStep | None:
        """What to look at if there should be a directory."""
        return correction(self.lease, self.user) if self.lease.state == State.NOT_FOUND else None

    @property
    def about(self) -> Iterator[Fact]:
        agency, url = self.lease.get_agency_display(), self.configuration_url
        yield Fact(label="Agency", value=format_html('<a href="{}">{}</a>', url, agency) if url else agency)
        maker = self.lease.created_by
        yield Fact(
            label="Created", value=format_html("{}{}", ago(self.lease.created_at), f" by {maker}" if maker else "")
        )

    @cached_property
    def _configuration(self) -> AgencyStorageConfig | None:
        return AgencyStorageConfig.objects.filter(agency=self.lease.agency).first()

    @property
    def configuration_url(self) -> str:
        return record_url(self._configuration, self.user) if self._configuration else ""

    # --- The directory ----------------------------------------------------------------------------------------------

    @cached_property
    def watched(self) -> Watched | None:
        """How fresh the answer is; nothing is said while a newer one is owed."""
        is_told = self.lease.state in SETTLED and not self.lease.is_owed
        return watched_for(self.lease) if is_told else None

    @property
    def watched_url(self) -> str:
        """Where the person sees what keeps it from being fresh."""
        return self.watched.held_url(self.user) if self.watched else ""

    @property
    def is_last_known(self) -> bool:
        """Whether what is shown is an older run's; a newer one has no answer yet, or waits for its turn."""
        if self.lease.state == State.DETECTING:
            return False
        return self.lease.state not in SETTLED or self.lease.is_owed

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

    @property
    def absent_path(self) -> str:
        """Where Dropbox has no directory; somebody who reads it sees whether it was the right place to look."""
        return self._last_evidence.get("path", "") if self.lease.state == State.NOT_FOUND else ""

    @cached_property
    def nearest(self) -> list[Nearest]:
        """The archives that there are whose names come nearest to the one that is not."""
        is_missing = self.lease.state == State.NOT_FOUND
        return nearest_of(self.lease, self._last_evidence, self.user) if is_missing else []

    @property
    def nothing_near(self) -> str:
        """What is said where none of them comes near."""
        return nothing_near(self._last_evidence) if self.lease.state == State.NOT_FOUND else ""

    @cached_property
    def found_elsewhere(self) -> TransitionLog | None:
        """What was last known of another path, if something lay there: the base path or the number was another one."""
        answers = (entry.log for entry in self.history if entry.log.transition in ANSWERS)
        others = (log for log in answers if not is_same_path(log.evidence.get("path", ""), self.absent_path))
        last = next(others, None) if self.absent_path else None
        return last if last and last.to_state != State.NOT_FOUND else None

    @property
    def location(self) -> CloudLocation | None:
        return self.lease.runsheet_directory

    @property
    def location_url(self) -> str:
        return record_url(self.location, self.user) if self.location else ""

    @property
    def dropbox(self) -> SafeString | str:
        return dropbox_link(self.location) if self.location else ""

    @property
    def copy_url(self) -> str:
        """What is copied to be sent to somebody: the share link itself, which needs no login here."""
        url = self.location.share_url if self.location else ""
        return url if url.startswith(("https://", "http://")) else ""

    @property
    def not_made(self) -> str:
        """Why the archive, which was to be made, was not; empty if nobody wanted that, or it was."""
        return str(self._last_evidence.get("not_made", "")) if self.lease.state == State.NOT_FOUND else ""

    @property
    def beside(self) -> Iterator[BesideFact]:
        """What lies beside the archive, each with the folder in which it is looked for; none where there is no such folder."""
        for which, base_path in (self._configuration.beside if self._configuration else {}).items():
            path = f"{base_path}/{self.lease.lease_number}"
            yield BesideFact(
                label=which.label,
                path=path,
                state=self.lease.seen(which, path=path),
                location=self.lease.directory_beside(which, path=path),
                at=self.lease.looked_beside_at(which) if self.lease.seen(which, path=path) != Seen.UNKNOWN else None,
                why=self.lease.why_unseen(which, path=path),
                user=self.user,
            )

    @cached_property
    def contents(self) -> Contents | None:
        """What lies in the archive, as far as somebody knows without asking Dropbox."""
        return contents_of(self.lease, self.user)

    # --- The report -------------------------------------------------------------------------------------------------

    @property
    def report(self) -> str:
        """Whether a previous report exists, without ever guessing."""
        found, is_old = self.lease.known_report
        if not is_old:
            return "Found" if self.lease.runsheet_report_found else f"{self._no_report}{self._told_of_remains}"
        if self.lease.state == State.NOT_FOUND:
            return "Not looked for, since there is no directory"
        if found is not None:
            return "Found when last looked for" if found else f"None when last looked for{self._told_of_remains}"
        return "Being looked for" if self.lease.state == State.DETECTING else "Not known"

    @property
    def _no_report(self) -> str:
        count, files = self._last_evidence.get("entries"), self._last_evidence.get("files")
        if files is not None:
            return f"None among the files of the directory, of which there {'is 1' if files == 1 else f'are {files:,}'}"
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
    def _last_evidence(self) -> Mapping[str, Any]:
        """What led to the present state."""
        return self.history[0].log.evidence if self.history else {}

    # --- Why, and what happened -------------------------------------------------------------------------------------

    @property
    def wants_proof(self) -> bool:
        """Whether it says that there is nothing, so that somebody may do weeks of work anew."""
        is_missing = self.lease.state == State.DONE and not self.lease.runsheet_report_found
        return is_missing or self.lease.state == State.NOT_FOUND

    def text_of(self, name: str, value: Any) -> str:
        """A value of the evidence; of an account, whose it is."""
        return text_of(name, value, self._account)

    @cached_property
    def _account(self) -> Account | None:
        return account_of(self.evidence)

    def behalf_of(self, row: TransitionLog) -> str:
        """A new lease starts for who made it."""
        return str(self.lease.created_by or "") if row.reason == CREATED else ""

"""The list of leases: what it shows of one, how one finds it there, and what can be done with many."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from cloud.admin.links import dropbox_link
from console.machine.columns import FAILURE, LAST_CHANGE, RUN_FOR, STATE, TRIES, WHY
from console.machine.lists import MachineList
from console.records.exports import Column
from console.records.long_search import Search
from leases import search
from leases.admin.bulk_run import FULL_DISCOVERY, MISSING_ARCHIVES
from leases.admin.filters import FILTERS
from leases.deleting import IDENTITY, WHOSE
from leases.making import RIGHT
from leases.models import Beside, Lease, Seen

NUMBERS = Search(
    label="Lease number",
    help=search.HELP,
    one="number",
    many="numbers",
    keys_of=search.keys_of,
    matching=search.matching,
    missing=search.missing,
)


def _report(lease: Lease) -> str:
    found, is_old = lease.known_report
    if found is None:
        return ""
    return f"{'yes' if found else 'no'}{', last known' if is_old else ''}"


def _directory(lease: Lease) -> str:
    return lease.runsheet_directory.path if lease.runsheet_directory else ""


def _beside(which: Beside) -> Callable[[Lease], str]:
    """Where it was found, else what is known of it; nothing as long as nobody has looked."""

    def told(lease: Lease) -> str:
        found = getattr(lease, f"{which}_directory")
        state = Seen(getattr(lease, f"{which}_state"))
        return found.path if found else "" if state == Seen.UNKNOWN else str(state.label).lower()

    return told


def _creator(lease: Lease) -> str:
    return str(lease.created_by or "")


COLUMNS = (
    Column("Lease number", lambda lease: lease.lease_number, width=24),
    Column("Agency", lambda lease: lease.agency, width=10),
    STATE,
    FAILURE,
    WHY,
    Column("Report found", _report),
    Column("Matching files", lambda lease: "; ".join(lease.matching_names), width=50),
    Column("Directory", _directory, width=60),
    Column("Document archive", _beside(Beside.DOCUMENTS), width=60),
    Column("Miscellaneous index", _beside(Beside.MISC_INDEX), width=60),
    Column("Share link", lambda lease: lease.runsheet_link, width=50),
    TRIES,
    Column("Created by", _creator),
    RUN_FOR,
    Column("Created", lambda lease: lease.created_at, is_time=True),
    LAST_CHANGE,
)


class LeaseList(MachineList):
    """What the list needs; the page of one lease builds on it."""

    list_display = (
        "lease_number",
        "agency_code",
        "state_badge",
        "report",
        "link",
        "tries_taken",
        "created_by",
        "created",
        "changed",
    )
    list_filter = FILTERS
    list_select_related = ("runsheet_directory", "created_by")
    beside = (("Import", "admin:leases_batch_import", "leases.add_lease"),)
    empty = "Add the first one, or import many from a CSV or XLSX file."
    search = NUMBERS
    many = FULL_DISCOVERY
    also_many = (MISSING_ARCHIVES,)
    asks = ("run_chosen", "make_archives", "delete_selected")
    file_columns = COLUMNS
    file_shows_with = (
        "runsheet_directory",
        "documents_directory",
        "misc_index_directory",
        "created_by",
        "initiated_by",
    )
    identity = IDENTITY
    whose = WHOSE
    change_list_template = "admin/leases/lease/change_list.html"
    delete_template = "admin/leases/lease/delete_chosen.html"

    def has_make_permission(self, request: HttpRequest) -> bool:
        """Whether to offer to make archives; who does it asks again."""
        return bool(settings.DROPBOX_MAKES_ARCHIVES) and request.user.has_perm(RIGHT)

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="agency", ordering="agency")
    def agency_code(self, lease: Lease) -> str:
        return lease.agency

    @admin.display(description="report", ordering="runsheet_report_found", empty_value="Not known")
    def report(self, lease: Lease) -> str | None:
        """Unknown until the directory has been read; what an older run has read is told as such."""
        found, is_old = lease.known_report
        if found is None:
            return None
        return f"{'Found' if found else 'None'}{', last known' if is_old else ''}"

    @admin.display(description="link", empty_value="\N{EN DASH}")
    def link(self, lease: Lease) -> SafeString | str | None:
        return dropbox_link(lease.runsheet_directory) if lease.runsheet_directory else None

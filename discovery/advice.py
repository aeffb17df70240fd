"""What the operator should do about a lease, in a few words; the long version is the failure's own sentence."""

from collections.abc import Mapping

from leases.models import Lease
from leases.states import State

CONNECT = "Connect your Dropbox account; it goes on by itself"
RUN_AGAIN = "Run it again later"
WAIT = "Wait; it goes on by itself"

ASK_WHO_SEES = "Let somebody run it whose Dropbox sees the archive, or connect such an account"
BY_FAILURE: Mapping[str, str] = {
    "another_folder": ASK_WHO_SEES,
    "app_disabled": "Ask an administrator to see why Dropbox has disabled the app",
    "app_folder_only": "Ask an administrator for a Dropbox app of the access type “Full Dropbox”",
    "app_full": "Ask an administrator to raise the Dropbox app's limit of users",
    "app_key_missing": "Ask an administrator to set the Dropbox app's key",
    "app_refused": "Ask an administrator to correct the Dropbox app's key",
    "archive_out_of_sight": ASK_WHO_SEES,
    "base_path_missing": "Let somebody run it whose Dropbox sees the folder of the archives, or correct its path",
    "bug": "Report it with the lease's log, then run it again",
    "configuration_changed": RUN_AGAIN,
    "configuration_disabled": "Switch discovery on for the agency; it goes on by itself",
    "configuration_missing": "Say under “Agencies” where its archives lie; it goes on by itself",
    "connect_dropbox": CONNECT,
    "crashed": "Run it again; if that fails too, report it",
    "database_outage": WAIT,
    "directory_elsewhere": "Wait; it is looked for where the archives lie now",
    "directory_too_large": "Move some of the directory's content into directories within it, then run it again",
    "directory_unknown": "Search the directory first",
    "dropbox_ceiling": RUN_AGAIN,
    "dropbox_paused": RUN_AGAIN,
    "dropbox_rate_limited": RUN_AGAIN,
    "dropbox_reconnected": RUN_AGAIN,
    "dropbox_refused": "Look at Dropbox's reason in the lease's log",
    "dropbox_unavailable": "See whether Dropbox is up, then run it again",
    "host_outage": WAIT,
    "no_user": "Start it yourself, so that it has a Dropbox account to use",
    "not_a_directory": "Move the file that stands in the directory's place, then run it again",
    "our_outage": WAIT,
    "redis_outage": WAIT,
    "row_locked": RUN_AGAIN,
    "took_too_long": RUN_AGAIN,
    "worker_stopped": RUN_AGAIN,
    "unsafe_path": "Correct the lease number or the agency's base path; run it again",
    "tokens_unreadable": "Connect Dropbox again, or ask an administrator for the old encryption key",
}
UNKNOWN_FAILURE = "Read why it failed, then run it again"
LINK_REFUSED = "Open the directory in Dropbox; ask the Dropbox team's administrator to allow share links"
BY_STATE: Mapping[str, str] = {
    State.PENDING: "Nothing runs; start it when you want it searched",
    State.SEARCHING: WAIT,
    State.DETECTING: WAIT,
    State.FOUND: "Detect a previous report, if you want to know",
    State.NOT_FOUND: "Check the lease number; if it is right, there is no archive yet",
}


def advice_for(lease: Lease) -> str:
    """What to do next about the lease as it is."""
    if lease.state == State.FAILED:
        return BY_FAILURE.get(lease.failure_code, UNKNOWN_FAILURE)
    # Refused for a directory that is known: the link is the only thing missing.
    if lease.runsheet_directory and lease.runsheet_directory.share_refusal:
        return LINK_REFUSED
    if lease.state == State.DONE:
        return "Use the report that exists" if lease.runsheet_report_found else "No report yet; make one"
    return BY_STATE[lease.state]

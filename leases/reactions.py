"""What a failure notice owes when it has gathered: one mail."""

from leases.models import FailureNotice
from leases.notices import NAMED_AT_MOST, failed_leases, is_told_already, send
from leases.states import NoticeState
from statemachine.reactions import Backoff, Outcome, Run, reaction


def retry_rules() -> Backoff:
    """A mail server may be away for hours: 8 tries, waits of about 1, 2, 4 … minutes, at most an hour."""
    return Backoff(tries=8, base_s=60, cap_s=3600)


@reaction(FailureNotice, NoticeState.SENDING, retry=retry_rules)
def tell(run: Run[FailureNotice]) -> Outcome:
    """Send the mail, unless the leases were mended meanwhile or the person knows."""
    failed = failed_leases(run.record)
    # The mail names no more; thousands may have failed for one reason.
    count, leases = failed.count(), list(failed[:NAMED_AT_MOST])
    if not leases:
        return Outcome(transition="record_needless", reason="none of its leases is failed any more")
    if is_told_already(run.record):
        return Outcome(transition="record_needless", reason="an earlier mail says so, and it is not mended yet")
    send(run.record, leases, count=count)
    return Outcome(
        transition="record_sent",
        record=lambda _: {"told": count},
        evidence={"leases": [lease.pk for lease in leases]},
    )

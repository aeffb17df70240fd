"""What a failure notice owes when it has gathered: one mail."""

from leases.models import FailureNotice
from leases.notices import failed_leases, is_told_already, send
from leases.states import NoticeState
from statemachine.reactions import Backoff, Outcome, Run, reaction


def retry_rules() -> Backoff:
    """A mail server may be away for hours: 8 tries, waits of about 1, 2, 4 … minutes, at most an hour."""
    return Backoff(tries=8, base_s=60, cap_s=3600)


@reaction(FailureNotice, NoticeState.SENDING, retry=retry_rules)
def tell(run: Run[FailureNotice]) -> Outcome:
    """Send the mail, unless the leases were mended meanwhile or the person knows."""
    leases = failed_leases(run.record)
    if not leases:
        return Outcome(transition="record_needless", reason="none of its leases is failed any more")
    if is_told_already(run.record):
        return Outcome(transition="record_needless", reason="an earlier mail says so, and it is not mended yet")
    send(run.record, leases)
    return Outcome(
        transition="record_sent",
        record=lambda _: {"told": len(leases)},
        evidence={"leases": [lease.pk for lease in leases]},
    )

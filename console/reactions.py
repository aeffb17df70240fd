"""What a failure notice owes when it has gathered: one mail."""

from console.notices.mail import NAMED_AT_MOST, send
from console.notices.models import FailureNotice
from console.notices.queries import failed_records, is_told_already, machine_of
from console.notices.states import NoticeState
from statemachine.reactions import Backoff, Outcome, Run, reaction


def retry_rules() -> Backoff:
    """A mail server may be away for hours: 8 tries, waits of about 1, 2, 4 … minutes, at most an hour."""
    return Backoff(tries=8, base_s=60, cap_s=3600)


@reaction(FailureNotice, NoticeState.SENDING, retry=retry_rules)
def tell(run: Run[FailureNotice]) -> Outcome:
    """Send the mail, unless the records were mended meanwhile or the person knows."""
    failed = failed_records(run.record)
    # The mail names no more; thousands may have failed for one reason.
    count, records = failed.count(), list(failed[:NAMED_AT_MOST])
    many = machine_of(run.record)._meta.verbose_name_plural
    if not records:
        return Outcome(transition="record_needless", reason=f"none of its {many} is failed any more")
    if is_told_already(run.record):
        return Outcome(transition="record_needless", reason="an earlier mail says so, and it is not mended yet")
    send(run.record, records, count=count)
    return Outcome(
        transition="record_sent",
        record=lambda _: {"told": count},
        evidence={str(many): [record.pk for record in records]},
    )

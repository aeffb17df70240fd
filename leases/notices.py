"""The mail that tells somebody which of their leases have failed, and why."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.http import urlencode

from core.base.errors import failure_of, words_for
from leases.errors import EmailNotConfigured, EmailUnavailable, NoAddress
from leases.models import FailureNotice, Lease
from leases.states import NoticeState, State

NAMED_AT_MOST = 50
TELLING = (NoticeState.SENDING, NoticeState.SENT)


def failed_leases(notice: FailureNotice) -> QuerySet[Lease]:
    """Those of the gathered leases that are still failed; who was quick to run them again need not be told."""
    return Lease.objects.filter(failure_notice=notice, state=State.FAILED).order_by("agency", "lease_number")


def notices_of(user_id: int) -> QuerySet[Any]:
    """What a person is to be told, the newest first.

    Each has `failed_count`, how many of its leases are still failed, and `example_id`, one of those.
    """
    is_failed = Q(leases__state=State.FAILED)
    counted = FailureNotice.objects.filter(initiated_by=user_id).annotate(
        failed_count=Count("leases", filter=is_failed), example_id=Max("leases", filter=is_failed)
    )
    return counted.order_by("-pk")


def unread_notices(user_id: int) -> QuerySet[FailureNotice]:
    """Those that the person has not read and that are still worth reading: a lease of theirs is failed."""
    is_failed = Lease.objects.filter(failure_notice=OuterRef("pk"), state=State.FAILED)
    return FailureNotice.objects.filter(Exists(is_failed), initiated_by=user_id, read_at=None)


def mark_read(user_id: int) -> int:
    """The person has read all of their notices; returns how many were new."""
    return unread_notices(user_id).update(read_at=Now())


def is_told_already(notice: FailureNotice) -> bool:
    """Whether an earlier mail tells the person what to mend, and they have not done so: some of its leases still wait."""
    # What the person mends once for all leases: a banner asks for it on every page, and one mail is enough until then.
    if not failure_of(notice.reason).for_others:
        return False
    earlier = FailureNotice.objects.filter(
        initiated_by=notice.initiated_by, reason=notice.reason, state__in=TELLING, pk__lt=notice.pk
    )
    waiting = Lease.objects.filter(state=State.FAILED, failure_code=notice.reason, failure_notice__in=earlier)
    return waiting.exists()


def send(notice: FailureNotice, leases: Sequence[Lease], *, count: int) -> None:
    """Send one mail about so many leases, of which these are the first; all that it names are among them.

    If the process dies between the mail server's answer and the record of it, the mail is sent once more, under the same
    Message-ID: rather twice than not at all.

    Raises:
        EmailNotConfigured, NoAddress: nobody can be told.
        EmailUnavailable: the mail server did not take it.
    """
    if not settings.HAS_MAIL_SERVER:
        raise EmailNotConfigured
    user = notice.initiated_by
    if user is None or not user.email:
        raise NoAddress
    mail = _mail(notice, leases, user, count=count)
    try:
        mail.send()
    except OSError as error:  # smtplib's errors are OSErrors too
        raise EmailUnavailable(evidence={"cause": type(error).__name__}) from error


def list_of_failed(reason: str, *, user_id: int) -> str:
    """The address, below the console's, of the list of those leases."""
    wanted = {"state__exact": str(State.FAILED), "failure_code": reason, "initiated_by__id__exact": str(user_id)}
    return f"{reverse('admin:leases_lease_changelist')}?{urlencode(wanted)}"


def list_of_waiting(reason: str, *, user_id: int) -> str:
    """The address, below the console's, of the list of those and of what is still tried again for the same reason."""
    wanted = {"failure_code": reason, "initiated_by__id__exact": str(user_id)}
    return f"{reverse('admin:leases_lease_changelist')}?{urlencode(wanted)}"


def _mail(notice: FailureNotice, leases: Sequence[Lease], user: User, *, count: int) -> EmailMessage:
    what = f"{leases[0]} has" if count == 1 else f"{count} leases have"
    host = settings.CONSOLE_URL.rpartition("/")[2].partition(":")[0]
    return EmailMessage(
        subject=f"Runsheet: {what} failed: {words_for(notice.reason)}",
        body=_body(notice, leases, user, count=count),
        to=[user.email],
        headers={"Message-ID": f"<failure-notice-{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def _body(notice: FailureNotice, leases: Sequence[Lease], user: User, *, count: int) -> str:
    lines = [
        f"{lease}\n  {settings.CONSOLE_URL}{reverse('admin:leases_lease_change', args=[lease.pk])}"
        for lease in leases[:NAMED_AT_MOST]
    ]
    if count > len(lines):
        lines.append(f"and {count - len(lines)} more")
    return "\n".join(
        [
            f"Hello {user.get_short_name() or user.get_username()},",
            "",
            "discovery gave up on leases that you started:" if count > 1 else "discovery gave up on a lease:",
            "",
            leases[0].failure_message,
            *_cure(notice),
            "",
            *lines,
            "",
            f"All of them in the console: {settings.CONSOLE_URL}{list_of_failed(notice.reason, user_id=user.pk)}",
        ]
    )


def _cure(notice: FailureNotice) -> list[str]:
    """Where the person mends it for all of the leases at once."""
    failure = failure_of(notice.reason)
    if not failure.for_others:
        return []
    return ["", *(f"{remedy.label} here: {settings.CONSOLE_URL}{reverse(remedy.where)}" for remedy in failure.remedies)]

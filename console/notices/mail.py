"""The mail that tells somebody which records have failed, and why."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.urls import reverse

from console.notices.addresses import list_of_failed, page_of
from console.notices.errors import EmailNotConfigured, EmailUnavailable, NoAddress
from console.notices.models import FailureNotice, Noticed
from console.notices.queries import readers_of
from console.shell.navigation import parts_url
from core.base.errors import SYSTEM, RunsheetError, failure_of, words_for

NAMED_AT_MOST = 50


def send(notice: FailureNotice, records: Sequence[Noticed], *, count: int) -> None:
    """Send one mail about so many records, of which these are the first; all that it names are among them.

    If the process dies between the mail server's answer and the record of it, the mail is sent once more, under the same
    Message-ID: rather twice than not at all.

    Raises:
        EmailNotConfigured, NoAddress: nobody can be told.
        EmailUnavailable: the mail server did not take it.
    """
    if not settings.HAS_MAIL_SERVER:
        raise EmailNotConfigured
    readers = [user for user in readers_of(notice) if user.email]
    if not readers:
        raise NoAddress
    mail = _mail(notice, records, readers, count=count)
    try:
        mail.send()
    except OSError as error:  # smtplib's errors are OSErrors too
        raise EmailUnavailable(evidence={"cause": type(error).__name__}) from error


def _mail(notice: FailureNotice, records: Sequence[Noticed], readers: Sequence[User], *, count: int) -> EmailMessage:
    what = f"{records[0]} has" if count == 1 else f"{count} {records[0]._meta.verbose_name_plural} have"
    host = settings.CONSOLE_URL.rpartition("/")[2].partition(":")[0]
    return EmailMessage(
        # In one line, whatever a record is called: a header has no more.
        subject=" ".join(f"Runsheet: {what} {failure_of(notice.reason).became}: {words_for(notice.reason)}".split()),
        body=_body(notice, records, readers, count=count),
        to=[user.email for user in readers],
        headers={"Message-ID": f"<failure-notice-{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def _body(notice: FailureNotice, records: Sequence[Noticed], readers: Sequence[User], *, count: int) -> str:
    machine = type(records[0])
    shown = records[:NAMED_AT_MOST]
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    all_of_them = list_of_failed(machine, notice.reason, user_id=notice.initiated_by_id)
    return "\n".join(
        [
            f"Hello {', '.join(user.get_short_name() or user.get_username() for user in readers)},",
            "",
            _opening(notice, machine, count=count),
            *_by_message(shown, cure=_cure(notice)),
            *more,
            "",
            f"All of them in the console: {settings.CONSOLE_URL}{all_of_them}",
        ]
    )


def _by_message(records: Sequence[Noticed], *, cure: Sequence[str]) -> list[str]:
    """Each sentence once, and below it the records of which it is true: what one lacks need not be what another one lacks.

    Args:
        cure: what mends all of them at once, said below the first.
    """
    told: dict[str, list[Noticed]] = {}
    for record in records:
        told.setdefault(record.failure_message, []).append(record)
    lines: list[str] = []
    for message, some in told.items():
        places = [f"{record}\n  {settings.CONSOLE_URL}{page_of(record)}" for record in some]
        lines += ["", message, *([] if lines else cure), "", *places]
    return lines


def _opening(notice: FailureNotice, machine: type[Noticed], *, count: int) -> str:
    one, many = machine._meta.verbose_name, machine._meta.verbose_name_plural
    of_many = f"{many} that began by themselves" if notice.right else f"{many} that you started"
    of_one = f"{'an' if str(one)[0] in 'aeiou' else 'a'} {one}"
    which, became = of_many if count > 1 else of_one, failure_of(notice.reason).became
    if became == RunsheetError.became:
        return f"{machine.work_name} gave up on {which}:"
    return f"{machine.work_name} has to tell you of {which}:"


def _cure(notice: FailureNotice) -> list[str]:
    """Where the person mends it for all of the records at once."""
    failure = failure_of(notice.reason)
    # What mends a single record stands on its page.
    for_all = [remedy for remedy in failure.remedies if not remedy.is_of_one] if failure.for_others else []
    places = [(remedy.label, parts_url() if remedy.where == SYSTEM else reverse(remedy.where)) for remedy in for_all]
    lines = [f"{label} here: {settings.CONSOLE_URL}{place}" for label, place in places if place]
    return ["", *lines] if lines else []

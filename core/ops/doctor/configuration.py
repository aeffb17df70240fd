"""What people have set: in the environment and in the console."""

from collections.abc import Iterator

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.mail import mailers
from django.db.models import Count

from cloud.errors import TokensUnreadable
from cloud.models import DropboxAccount
from core.base import static_files
from core.base.clock import shared_now
from core.ops.doctor.finding import PATIENCE_S, Finding, Mark, from_database, unseen
from core.ops.probes import Probe
from leases.models import Agency, AgencyStorageConfig, Lease

CONNECT = "python manage.py connect_dropbox --user NAME"


def settings_in_use() -> Iterator[Finding]:
    """What Django and our own checks have to say; in production also those for deployment."""
    problems = run_checks(include_deployment_checks=not settings.DEBUG)
    for problem in problems:
        mark = Mark.WRONG if problem.level >= ERROR else Mark.NOTE
        yield Finding(mark, problem.id or "check", " ".join(filter(None, [problem.msg, problem.hint])))
    if not settings.DEBUG and "*" in settings.ALLOWED_HOSTS:
        advice = "Anybody can make links in mails and pages lead elsewhere. Name the console's hosts in ALLOWED_HOSTS."
        yield Finding(Mark.WRONG, "every host name is allowed", advice)
    if settings.DEBUG:
        advice = "Only for one's own machine. In production set DJANGO_SETTINGS_MODULE=core.settings.production"
        yield Finding(Mark.NOTE, "those for development (DEBUG)", advice)
    elif not problems:
        yield Finding(Mark.OK, "those for production")


def pages() -> Iterator[Finding]:
    """Whether pages can be made at all: in production they name what was collected."""
    if lacking := static_files.missing():
        yield Finding(
            Mark.WRONG, f"{lacking[0]} was not collected, of {len(lacking)} such files", static_files.NOT_COLLECTED
        )
    else:
        yield Finding(Mark.OK, "have their style sheets and scripts")


def encryption_keys() -> Iterator[Finding]:
    """Whether the keys are keys, and open every stored token."""
    try:
        count = len([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])
    except ValueError:
        count = 0
    if not count:
        advice = "Nobody can connect Dropbox. TOKEN_ENCRYPTION_KEYS must hold 32 bytes in URL-safe base64, or several with commas."
        yield Finding(Mark.WRONG, "are none", advice)
        return
    unreadable = from_database(_users_with_unreadable_tokens)
    if unreadable is None:
        yield unseen("PostgreSQL")
    elif unreadable:
        advice = (
            f"The tokens of {', '.join(unreadable)} were encrypted with another key. "
            f"Add that key to TOKEN_ENCRYPTION_KEYS, or connect them again: {CONNECT}"
        )
        yield Finding(
            Mark.WRONG, f"do not open {len(unreadable)} connection{'' if len(unreadable) == 1 else 's'}", advice
        )
    else:
        yield Finding(Mark.OK, f"{count}, and they open every stored token")


def agencies() -> Iterator[Finding]:
    """Whether each agency's archives can be found."""
    found = from_database(
        lambda: (
            dict(AgencyStorageConfig.objects.values_list("agency", "enabled")),
            dict(Lease.objects.values_list("agency").annotate(Count("pk")).order_by()),
        )
    )
    if found is None:
        yield unseen("PostgreSQL")
        return
    configured, leases = found
    for agency in Agency.values:
        if configured.get(agency):
            yield Finding(Mark.OK, f"{agency} is configured")
            continue
        seen = f"{agency}: {'switched off' if agency in configured else 'not configured'}"
        advice = f"Every run for {agency} fails. Say under “Agencies” in the console where its archives lie, and switch it on."
        yield Finding(Mark.WRONG if leases.get(agency) else Mark.NOTE, seen, advice)


def connected_accounts() -> Iterator[Finding]:
    """Whether the people who have connected Dropbox still are."""
    accounts = DropboxAccount.objects.values_list("user__username", "needs_reconnect_reason", "paused_until")
    seen = from_database(lambda: (list(accounts.order_by("pk")), shared_now()))
    if seen is None:
        yield unseen("PostgreSQL")
        return
    found, at = seen
    for name, reason, paused_until in found:
        if reason:
            yield Finding(Mark.WRONG, f"{name} has to connect again", f"{reason} {CONNECT.replace('NAME', name)}")
        elif paused_until and (left_s := (paused_until - at).total_seconds()) > 0:
            advice = "Nothing is to be done: its leases go on by themselves."
            yield Finding(Mark.NOTE, f"Dropbox asked for a pause of {name}'s account: {left_s:.0f} s more", advice)
    if not found:
        yield Finding(Mark.NOTE, "nobody has connected Dropbox", f"Every lease waits for it. {CONNECT}")
    elif not any(reason for _, reason, _ in found):
        yield Finding(Mark.OK, f"{len(found)} connected to Dropbox")


def email() -> Iterator[Finding]:
    """Whether people can be told of failures by mail."""
    if not settings.HAS_MAIL_SERVER:
        advice = "Failures are told in the console only. Set EMAIL_URL to tell people by mail too."
        yield Finding(Mark.NOTE, "no mail server is set", advice)
        return
    if "smtp" not in settings.MAILERS["default"]["BACKEND"]:
        yield Finding(Mark.NOTE, "mails stay on this machine", "As in development. Set EMAIL_URL to send them.")
        return
    try:
        Probe(_greet_mail_server).start().result(timeout=PATIENCE_S)
    except (OSError, TimeoutError) as error:  # smtplib's errors are OSErrors too
        advice = (
            "Failures are told in the console only. See EMAIL_URL: host, port, user and password, and the way there."
        )
        yield Finding(Mark.WRONG, f"the mail server cannot be used ({type(error).__name__})", advice)
    else:
        yield Finding(Mark.OK, "the mail server lets us in")


def _users_with_unreadable_tokens() -> list[str]:
    unreadable = []
    for pk, name in DropboxAccount.objects.values_list("pk", "user__username"):
        try:
            DropboxAccount.objects.get(pk=pk)
        except TokensUnreadable:
            unreadable.append(name)
    return unreadable


def _greet_mail_server() -> None:
    server = mailers["default"]
    server.open()
    server.close()

"""Try where an agency's archives lie with somebody's Dropbox, before that counts, and say in words what was seen.

Nothing is changed by it, and what one account does not see is never said to be absent from Dropbox.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from requests import Timeout

from cloud.dropbox import Gateway, gateway_for
from cloud.dropbox.connection import done_within
from cloud.dropbox.identity import NOWHERE
from cloud.errors import (
    AccountSuspended,
    AppKeyMissing,
    AppRefused,
    DropboxNotConnected,
    DropboxRefused,
    DropboxUnavailable,
    LinkRefused,
    NeedsReconnect,
    NotFound,
    TokensUnreadable,
)
from cloud.files import LinkPolicy
from cloud.findings import Finding
from cloud.models import DropboxAccount
from core.base.errors import RunsheetError, Temporary
from core.base.folding import is_same_path
from core.base.statement_limits import lock_waits
from discovery.services import folder_findings as words
from discovery.services.folder_sight import FolderSight, is_readable, look_at, look_into
from leases.models import AgencyStorageConfig
from leases.queries import FoundArchives, found_archives

# Somebody waits for the page: nothing is asked, and no answer waited for, after this.
LONGEST_S = 20.0
# Of this, whoever renews the same account's token may take so much.
LONGEST_LOCK_S = 5.0
# Folders in which archives were found before; each further one takes a sentence.
COMPARED_FOLDERS = 3

TOO_LONG = "Dropbox takes too long."
AGAIN = "Test again in a minute."
RECONNECT = "Connect Dropbox again under “Your Dropbox”, then test again."
APP = "Correct DROPBOX_APP_KEY and DROPBOX_APP_SECRET, then test again."
# What to do about it; the first that fits.
NEXT_STEPS: tuple[tuple[type[Exception], str], ...] = (
    (DropboxNotConnected, "The test uses yours: connect it under “Your Dropbox”, then test again."),
    (AccountSuspended, "Ask your Dropbox administrator, or connect another account under “Your Dropbox”."),
    (NeedsReconnect, RECONNECT),
    (TokensUnreadable, "Ask for that key in TOKEN_ENCRYPTION_KEYS, or connect Dropbox again; then test again."),
    (Temporary, AGAIN),
    (AppKeyMissing, APP),
    (AppRefused, APP),
    (DropboxRefused, "Correct the path, or ask your Dropbox administrator; then test again."),
)


def check_configuration(
    *, configuration: AgencyStorageConfig, user: User, before: AgencyStorageConfig | None = None
) -> list[Finding]:
    """Are the folders there, how many archives lie in them, are those that are known among them, may links be made?

    No link is made. Whatever goes wrong is a finding, too, and nothing takes longer than `LONGEST_S`. About seven calls,
    and one more for each further 2,000 entries.

    Args:
        configuration: what is to be tried; it need not be saved, nor be complete.
        user: whose Dropbox is asked.
        before: what is saved now, if it is another.
    """
    return list(_findings(configuration, user, before))


def _findings(configuration: AgencyStorageConfig, user: User, before: AgencyStorageConfig | None) -> Iterator[Finding]:
    if not configuration.enabled:
        yield words.unseen(
            "This configuration is switched off. Until it is switched on, every run for the agency fails."
        )
    try:
        with in_time(LONGEST_S):
            gateway = gateway_for(user)
            yield from _archives(gateway, configuration, before)
            yield from _others(gateway, configuration)
    except (RunsheetError, ImproperlyConfigured) as error:
        yield words.unseen(sentence(error))


@contextmanager
def in_time(longest_s: float) -> Iterator[None]:
    """For who has somebody waiting: neither Dropbox nor whoever renews the same token is waited for beyond that."""
    with done_within(longest_s), lock_waits(LONGEST_LOCK_S):
        yield


def sentence(error: Exception) -> str:
    """What happened, and the next step; what was meant for a run says that it goes on by itself, and this does not."""
    if isinstance(error, DropboxUnavailable) and isinstance(error.__cause__, Timeout):
        return f"{TOO_LONG} {AGAIN}"
    for kind, step in NEXT_STEPS:
        if isinstance(error, kind):
            return f"{str(error).partition('. ')[0].rstrip('.')}. {step}"
    return str(error)


def _archives(
    gateway: Gateway, configuration: AgencyStorageConfig, before: AgencyStorageConfig | None
) -> Iterator[Finding]:
    path = configuration.runsheet_archive_base_path
    if not path:
        return
    try:
        sight = look_into(path, gateway=gateway)
    except DropboxRefused as refusal:  # of this path; the others may be well
        yield words.unseen(sentence(refusal))
        return
    known = found_archives(configuration.agency)[:COMPARED_FOLDERS]
    found = words.of_archives(sight, gateway.account)
    compared = [
        words.compared(sight, each, other_finders(each, gateway.account)) for each in known if sight.listing is not None
    ]
    # What was known and is there says most: whoever puts the old path back looks for that first.
    yield from (each for each in compared if each.is_good)
    # Else the comparison says what is to be said.
    if not (found.is_good and sight.misses_all(known)):
        yield found
    if sight.folder is None:
        yield from _whose_account_helps(sight, known, gateway, before)
    elif sight.listing is not None:
        yield from _inside(sight, gateway)
        yield from (each for each in compared if not each.is_good)
        yield from _links(gateway, path)


def _whose_account_helps(
    sight: FolderSight, known: list[FoundArchives], gateway: Gateway, before: AgencyStorageConfig | None
) -> Iterator[Finding]:
    """Where it may be the account that is wrong, and not the path."""
    old = before.runsheet_archive_base_path if before else ""
    if old and not is_same_path(old, sight.path) and look_at(old, gateway=gateway).folder is None:
        yield words.old_not_seen(old)
    for each in known:
        if is_same_path(each.folder, sight.path) and (finders := other_finders(each, gateway.account)):
            yield words.found_by_others(each, finders)


def _inside(sight: FolderSight, gateway: Gateway) -> Iterator[Finding]:
    if whole := next((archive for archive in sight.archives if not archive.is_partial), None):
        yield words.of_one_archive(whole.name, is_readable=is_readable(whole, gateway=gateway))
    if partial := [archive.name for archive in sight.archives if archive.is_partial]:
        yield words.partly_seen(partial)


def other_finders(known: FoundArchives, account: DropboxAccount) -> list[str]:
    """What those accounts are called that have seen what is known and can still be asked, if this one has seen none of it."""
    if account.account_id in known.accounts:
        return []
    others = DropboxAccount.objects.at_hand().filter(account_id__in=known.accounts)
    found = others.values_list("account_id", "display_name")
    return [name or account_id for account_id, name in dict(found.order_by("pk")).items()]


def _others(gateway: Gateway, configuration: AgencyStorageConfig) -> Iterator[Finding]:
    """The folders that are kept for reference, unless they are that of the archives once more."""
    for name, path in words.kept_for_reference(configuration):
        try:
            yield words.of_another(name, look_at(path, gateway=gateway))
        except DropboxRefused as refusal:
            yield words.unseen(f"The {name}, “{path}”: {sentence(refusal)}")


def _links(gateway: Gateway, path: str) -> Iterator[Finding]:
    """Ask for a link to what cannot be there, which shows most of what forbids links without making one.

    What Dropbox forbids for this folder alone, only a run shows.
    """
    try:
        gateway.create_share_link(path=path + NOWHERE)
    except NotFound:
        yield _allowed(gateway.link_policy())
    except LinkRefused as refusal:
        yield words.bad(
            f"No share links: {refusal.reason} Ask the Dropbox team's administrator; leases are found without."
        )


def _allowed(policy: LinkPolicy) -> Finding:
    if not policy.email_is_verified:
        return words.bad(
            "No share links: the e-mail address of this Dropbox account is not verified. Verify it at Dropbox, then test "
            "again."
        )
    return words.good(
        f"As far as Dropbox tells without making one, share links may be made; they open for {policy.audience.value}."
    )

"""Try an agency's storage configuration with somebody's Dropbox, and say in words what was seen; changes nothing."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from core.errors import RunsheetError, Temporary
from discovery.dropbox import Gateway, gateway_for
from discovery.dropbox.identity import NOWHERE
from discovery.errors import (
    AccountSuspended,
    AppKeyMissing,
    AppRefused,
    DropboxNotConnected,
    DropboxRefused,
    DropboxUnavailable,
    LinkRefused,
    NeedsReconnect,
    NotADirectory,
    NotFound,
    TokensUnreadable,
)
from leases.cloud import CloudFile, LinkPolicy
from leases.models import AgencyStorageConfig

# Somebody waits for the page; no call is begun after this.
LONGEST_S = 20.0

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was seen.

    Attributes:
        is_good: false where somebody has something to do; the text says what.
    """

    is_good: bool
    text: str


def check_configuration(*, configuration: AgencyStorageConfig, user: User) -> list[Finding]:
    """Is the base path there, how many archives lie in it, can they be read, may links be made?

    Four calls, one more for each further 2,000 entries. No link is made. Whatever goes wrong is a finding, too.
    """
    return list(_findings(configuration, user))


def _findings(configuration: AgencyStorageConfig, user: User) -> Iterator[Finding]:
    if not configuration.enabled:
        yield _bad("This configuration is switched off. Until it is switched on, every run for the agency fails.")
    path = configuration.runsheet_archive_base_path
    try:
        gateway = gateway_for(user, before_call=_until(time.monotonic() + LONGEST_S))
        is_there = yield from _base_path(gateway, path)
        if is_there:
            yield from _links(gateway, path)
    except (RunsheetError, ImproperlyConfigured) as error:
        yield _bad(_sentence(error))


def _base_path(gateway: Gateway, path: str) -> Generator[Finding, None, bool]:
    """What is there; whether it is the folder that was meant."""
    whose = f"{gateway.account}, {'team space' if gateway.account.is_team_space else 'personal space'}"
    try:
        listing = gateway.list_directory(path=path)
    except NotFound:
        yield _bad(
            f"The folder “{path}” is not in your Dropbox ({whose}). Correct the path, or connect an account that can see "
            "the folder."
        )
        return False
    except NotADirectory:
        yield _bad(f"“{path}” is a file. Name the folder that holds the archives.")
        return False
    archives = [entry for entry in listing.entries if entry.is_directory]
    if not archives:
        yield _bad(f"The folder “{path}” is there ({whose}), but holds no archive. Correct the path, unless it is new.")
        return True
    count = "1 archive" if len(archives) == 1 else f"{len(archives)} archives"
    yield _good(f"The folder “{path}” is there ({whose}) and holds {count}.")
    yield _readable(gateway, archives[0])
    return True


def _readable(gateway: Gateway, archive: CloudFile) -> Finding:
    """Folders can be shown to somebody who may not open them."""
    try:
        gateway.list_directory(path=archive.path)
    except (NotFound, NotADirectory, DropboxRefused):
        return _bad(
            f"The archive “{archive.name}” cannot be read with your Dropbox. Ask its owner to give you access, then test "
            "again."
        )
    return _good(f"The archive “{archive.name}” can be read.")


def _links(gateway: Gateway, path: str) -> Iterator[Finding]:
    """Ask for a link to what cannot be there, which shows most of what forbids links without making one.

    What Dropbox forbids for this folder alone, only a run shows.
    """
    try:
        gateway.create_share_link(path=path + NOWHERE)
    except NotFound:
        yield _allowed(gateway.link_policy())
    except LinkRefused as refusal:
        yield _bad(f"No share links: {refusal.reason} Ask the Dropbox team's administrator; leases are found without.")


def _allowed(policy: LinkPolicy) -> Finding:
    if not policy.email_is_verified:
        return _bad(
            "No share links: the e-mail address of this Dropbox account is not verified. Verify it at Dropbox, then test "
            "again."
        )
    return _good(
        f"As far as Dropbox tells without making one, share links may be made; they open for {policy.audience.value}."
    )


def _until(deadline_s: float) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() >= deadline_s:
            raise DropboxUnavailable(f"Dropbox takes longer than {LONGEST_S:g} s.")

    return check


def _sentence(error: Exception) -> str:
    """What happened, and the next step; what was meant for a run says that it goes on by itself, and this does not."""
    for kind, step in NEXT_STEPS:
        if isinstance(error, kind):
            return f"{str(error).partition('. ')[0].rstrip('.')}. {step}"
    return str(error)


def _good(text: str) -> Finding:
    return Finding(is_good=True, text=text)


def _bad(text: str) -> Finding:
    return Finding(is_good=False, text=text)

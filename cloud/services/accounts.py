"""Connect a person to their Dropbox, keep what they had, and disconnect them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, transaction

from cloud.dependants import Some, dependants
from cloud.dropbox import oauth
from cloud.dropbox.identity import Identity, allowed_scopes, identify
from cloud.dropbox.tokens import Grant, renew_access_token, request_grant
from cloud.errors import ANOTHER_ACCOUNT, CONNECTED, AccountBusy, DropboxNotConnected, ScopeMissing, TokensUnreadable
from cloud.models import DropboxAccount
from cloud.models.accounts import DISPLAY_NAME_LENGTH, WRITE_SCOPE
from core.base.clock import now, shared_now
from core.base.database import is_conflict
from core.base.errors import RunsheetError

logger = logging.getLogger(__name__)

# To tell whose account it is and where its paths begin; to list directories; to find share links; to make them.
REQUIRED_SCOPES = frozenset({"account_info.read", "files.metadata.read", "sharing.read", "sharing.write"})


def asked_scopes() -> frozenset[str]:
    """What a person is asked to allow: to write only where archives are made.

    Dropbox refuses to ask for what the app itself was not given, so an installation says that it writes.
    """
    return REQUIRED_SCOPES | ({WRITE_SCOPE} if settings.DROPBOX_MAKES_ARCHIVES else set())


def lacks_write(account: DropboxAccount | None) -> bool:
    """Whether it was connected before anything was made here, so that connecting it again would let it write."""
    return account is not None and not account.may_write and bool(settings.DROPBOX_MAKES_ARCHIVES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """What a person has allowed at Dropbox; not stored yet."""

    grant: Grant = field(repr=False)
    scopes: frozenset[str]
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What connecting came to.

    Attributes:
        resumed: what had failed for want of it and starts again by itself.
    """

    account: DropboxAccount
    resumed: tuple[Some, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """What disconnecting came to.

    Attributes:
        revoked: whether Dropbox has ended the connection too.
        interrupted: what was under way with it.
    """

    name: str
    revoked: bool
    interrupted: tuple[Some, ...]


def begin_authorisation(*, state: str, verifier: str, redirect_uri: str) -> str:
    """The address at Dropbox where a person says yes or no.

    Raises:
        AppKeyMissing, ImproperlyConfigured: the settings are wrong.
    """
    return oauth.authorisation_url(state=state, verifier=verifier, redirect_uri=redirect_uri, scopes=asked_scopes())


def authorise(*, code: str, verifier: str, redirect_uri: str) -> Authorisation:
    """Turn the code of Dropbox's answer into tokens and see whose they are; two calls, and nothing is stored.

    Raises:
        CodeRefused: the code is used up, too old or not meant for this.
        ScopeMissing: not all of `REQUIRED_SCOPES` was granted; the tokens are given back.
        AppKeyMissing, AppRefused: the settings are wrong.
        RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: Dropbox cannot be asked now.
    """
    grant = oauth.exchange_code(code=code, verifier=verifier, redirect_uri=redirect_uri)
    try:
        return _authorisation(grant)
    except Exception:
        _give_back(grant.access_token)
        raise


def replaced_by(authorisation: Authorisation, *, user: User) -> DropboxAccount | None:
    """The other Dropbox account that storing this would replace."""
    account = DropboxAccount.objects.of(user)
    same = account is None or account.account_id == authorisation.identity.account_id
    return None if same else account


def connect(*, user: User, authorisation: Authorisation) -> Connection:
    """Keep what was authorised, encrypted, and announce it: what failed for want of it starts again by itself.

    What the user had connected before, be it another account or another grant of the same one, is revoked at Dropbox if
    Dropbox can be asked. Nobody could end it later.

    Raises:
        AccountBusy: nothing was stored.
    """
    before = DropboxAccount.objects.of(user)
    # Who disconnected one and connects another has changed accounts, too.
    is_same = before is not None and before.account_id == authorisation.identity.account_id
    old_token = _token_to_revoke(user, unless=authorisation.grant.refresh_token)
    account = _account(user, authorisation)
    with _unless_busy(), transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # see `Dependant.connected`
        _store(account)
        event = CONNECTED if is_same else ANOTHER_ACCOUNT
        resumed = Some.of_each((each, each.connected(user, event=event)) for each in dependants())
    ended = bool(old_token) and _give_back(old_token)
    logger.info(
        "user %s connected Dropbox account=%s, an earlier grant was revoked: %s, what goes on: %s",
        *(user.pk, account.account_id, ended, ", ".join(map(str, resumed)) or "nothing"),
    )
    return Connection(account=account, resumed=resumed)


def connect_account(*, user: User, refresh_token: str) -> DropboxAccount:
    """Verify a refresh token with Dropbox and keep it, encrypted; replaces what the user had connected before.

    Two calls; four more when Dropbox does not say what the token allows.

    Raises:
        RefreshTokenRefused: Dropbox does not accept it for this app.
        ScopeMissing: it does not allow all of `REQUIRED_SCOPES`.
        AppKeyMissing, AppRefused: the settings are wrong.
        RateLimited, DropboxUnavailable, AccountSuspended, DropboxRefused: Dropbox cannot be asked now.
        AccountBusy: nothing was stored.
    """
    grant = request_grant(refresh_token=refresh_token)
    kept = Grant(
        access_token=grant.access_token, expires_at=grant.expires_at, scopes=grant.scopes, refresh_token=refresh_token
    )
    return connect(user=user, authorisation=_authorisation(kept)).account


def decline(authorisation: Authorisation) -> None:
    """Give tokens back that are not to be kept; that Dropbox cannot be asked now is no reason to keep them."""
    _give_back(authorisation.grant.access_token)


def disconnect_account(*, user: User) -> Disconnection:
    """Revoke the person's connection at Dropbox and forget it here, even when it cannot be revoked.

    Raises:
        DropboxNotConnected: there is none.
        AccountBusy: nothing was changed here, since the account is held, or has been connected anew meanwhile.
    """
    account = DropboxAccount.objects.of(user)
    if account is None:
        raise DropboxNotConnected
    revoked = _revoke_stored(user)
    with _unless_busy(), transaction.atomic():
        # Another one that was stored meanwhile has not been revoked; forgotten, nobody could ever end it.
        if not DropboxAccount.objects.filter(pk=account.pk, connected_at=account.connected_at).delete()[0]:
            raise AccountBusy
    logger.info("user %s disconnected Dropbox account=%s, revoked: %s", user.pk, account.account_id, revoked)
    return Disconnection(name=str(account), revoked=revoked, interrupted=interrupted(user))


def interrupted(user: User) -> tuple[Some, ...]:
    """What is being worked on, or is about to be, with this person's Dropbox."""
    return Some.of_each((each, each.under_way(user).count()) for each in dependants())


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A person's own Dropbox, in one query and one for each kind of record that may wait for it.

    Attributes:
        account: without its tokens; None if none is connected.
        reason: why the connection is of no use; empty if it is of use, or if there is none.
        waiting: what of the person's waits for it.
    """

    account: DropboxAccount | None
    reason: str
    waiting: tuple[Some, ...]


def standing_of(user: User) -> Standing:
    account = DropboxAccount.objects.of(user)
    counts = {each: each.waiting(user) for each in dependants()}
    reason = account.needs_reconnect_reason if account else ""
    if account and not reason and any(TokensUnreadable.code in codes for codes in counts.values()):
        reason = TokensUnreadable.sentence()
    return Standing(
        account=account,
        reason=reason,
        waiting=Some.of_each((each, sum(codes.values())) for each, codes in counts.items()),
    )


def _authorisation(grant: Grant) -> Authorisation:
    scopes = grant.scopes if grant.scopes is not None else allowed_scopes(access_token=grant.access_token)
    if lacking := REQUIRED_SCOPES - scopes:
        raise ScopeMissing(_lacking_sentence(lacking))
    return Authorisation(grant=grant, scopes=scopes, identity=identify(access_token=grant.access_token))


def _lacking_sentence(lacking: frozenset[str]) -> str:
    return (
        f"The connection lacks {', '.join(sorted(lacking))}. Allow that in the Dropbox app's settings, then connect "
        "your Dropbox account again."
    )


def _account(user: User, authorisation: Authorisation) -> DropboxAccount:
    grant, identity = authorisation.grant, authorisation.identity
    return DropboxAccount(
        user=user,
        account_id=identity.account_id,
        display_name=identity.display_name[:DISPLAY_NAME_LENGTH],
        email=identity.email,
        root_namespace_id=identity.root_namespace_id,
        home_namespace_id=identity.home_namespace_id,
        refresh_token=grant.refresh_token,
        access_token=grant.access_token,
        access_token_expires_at=grant.expires_at,
        scopes=sorted(authorisation.scopes),
        connected_at=now(),
    )


def _store(account: DropboxAccount) -> None:
    """Insert or replace without reading: the old tokens may be encrypted with a key that is lost."""
    replaced = [field.name for field in DropboxAccount._meta.fields if field.name not in ("id", "user")]
    DropboxAccount.objects.bulk_create([account], update_conflicts=True, unique_fields=["user"], update_fields=replaced)


def _revoke_stored(user: User) -> bool:
    """Whether Dropbox has revoked what is stored; why not is in the log."""
    token = _token_to_revoke(user)
    return bool(token) and _give_back(token)


def _token_to_revoke(user: User, *, unless: str = "") -> str:
    """An access token to revoke the stored connection with; empty if there is none to be had.

    Args:
        user: whose connection it is.
        unless: a refresh token that is to stay.
    """
    try:
        account = DropboxAccount.objects.filter(user=user).first()
        if account and account.refresh_token == unless:
            return ""
        if account and not account.has_valid_token(at=shared_now()):
            renew_access_token(account)
    except RunsheetError as error:
        logger.warning("the Dropbox connection of user %s cannot be revoked (%s)", user.pk, error.code)
        return ""
    return account.access_token if account else ""


def _give_back(access_token: str) -> bool:
    try:
        oauth.revoke(access_token=access_token)
    except (RunsheetError, ImproperlyConfigured) as error:
        logger.warning("a Dropbox connection could not be revoked (%s)", type(error).__name__)
        return False
    return True


@contextmanager
def _unless_busy() -> Iterator[None]:
    """Whoever renews the token holds the row, for as long as Dropbox takes to answer."""
    try:
        yield
    except OperationalError as error:
        if not is_conflict(error):
            raise
        raise AccountBusy from error

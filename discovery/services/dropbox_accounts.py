"""Connect a person to their Dropbox."""

from django.contrib.auth.models import User

from core.clock import now
from discovery.dropbox.identity import Identity, allowed_scopes, identify
from discovery.dropbox.tokens import Grant, request_grant
from discovery.errors import ScopeMissing
from discovery.models import DISPLAY_NAME_LENGTH, DropboxAccount

# To tell whose account it is and where its paths begin; to list directories; to find share links; to make them.
REQUIRED_SCOPES = frozenset({"account_info.read", "files.metadata.read", "sharing.read", "sharing.write"})


def connect_account(*, user: User, refresh_token: str) -> DropboxAccount:
    """Verify a refresh token with Dropbox and keep it, encrypted; replaces what the user had connected before.

    Two calls; four more when Dropbox does not say what the token allows.

    Raises:
        RefreshTokenRefused: Dropbox does not accept it for this app.
        ScopeMissing: it does not allow all of `REQUIRED_SCOPES`.
        AppKeyMissing, AppRefused: the settings are wrong.
        RateLimited, DropboxUnavailable, AccountSuspended, DropboxRefused: Dropbox cannot be asked now.
    """
    grant = request_grant(refresh_token=refresh_token)
    scopes = grant.scopes if grant.scopes is not None else allowed_scopes(access_token=grant.access_token)
    if lacking := REQUIRED_SCOPES - scopes:
        raise ScopeMissing(_lacking_sentence(lacking))
    account = _account(user, refresh_token, grant, scopes, identify(access_token=grant.access_token))
    _store(account)
    return account


def _lacking_sentence(lacking: frozenset[str]) -> str:
    return (
        f"The connection lacks {', '.join(sorted(lacking))}. Allow that in the Dropbox app's settings, then connect "
        "your Dropbox account again."
    )


def _account(
    user: User, refresh_token: str, grant: Grant, scopes: frozenset[str], identity: Identity
) -> DropboxAccount:
    return DropboxAccount(
        user=user,
        account_id=identity.account_id,
        display_name=identity.display_name[:DISPLAY_NAME_LENGTH],
        email=identity.email,
        root_namespace_id=identity.root_namespace_id,
        home_namespace_id=identity.home_namespace_id,
        refresh_token=refresh_token,
        access_token=grant.access_token,
        access_token_expires_at=grant.expires_at,
        scopes=sorted(scopes),
        connected_at=now(),
    )


def _store(account: DropboxAccount) -> None:
    """Insert or replace without reading: the old tokens may be encrypted with a key that is lost."""
    replaced = [field.name for field in DropboxAccount._meta.fields if field.name not in ("id", "user")]
    DropboxAccount.objects.bulk_create([account], update_conflicts=True, unique_fields=["user"], update_fields=replaced)

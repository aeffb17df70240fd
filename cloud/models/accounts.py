"""The Dropbox accounts that people have connected."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from cloud.fields import EncryptedTextField, opened, sealed
from core.base.database import fetch_both

# To make what is missing; nothing else here needs it.
WRITE_SCOPE = "files.content.write"

ACCOUNT_ID_LENGTH = 40
DISPLAY_NAME_LENGTH = 255
EMAIL_LENGTH = 254
NAMESPACE_ID_LENGTH = 40

# A token that ends sooner than this is renewed before it is used, so that it does not end within a job.
TOKEN_MARGIN = timedelta(minutes=5)
# When it was last used is known no better than this, so that not every job writes it.
USE_IS_NOTED_EVERY = timedelta(minutes=5)
# Dropbox wants to hear within seconds that its notification is stored; who holds an account is not waited for.
CHANGE_WAITS_MS = 500


class DropboxAccountQuerySet(models.QuerySet["DropboxAccount"]):
    """Connected accounts, and what happens to them."""

    # As text, since every run reads it; with the person's own rights and those of their roles, for which Django would ask twice.
    USED_BY = """
    SELECT {columns}, statement_timestamp() AS read_at, ARRAY(
        SELECT of.app_label || '.' || permission.codename
        FROM auth_permission permission JOIN django_content_type of ON of.id = permission.content_type_id
        WHERE permission.id IN (
            SELECT permission_id FROM auth_user_user_permissions own WHERE own.user_id = auth_user.id
            UNION ALL
            SELECT permission_id FROM auth_group_permissions JOIN auth_user_groups role USING (group_id)
            WHERE role.user_id = auth_user.id
        )
    ) AS rights
    FROM cloud_dropboxaccount JOIN auth_user ON auth_user.id = cloud_dropboxaccount.user_id
    WHERE cloud_dropboxaccount.user_id = %s
    """

    def at_hand(self) -> Self:
        """Those that can be asked at any time: the connection works, and its person still works here."""
        return self.filter(needs_reconnect_reason="", user__is_active=True)

    def pause(self, *, account_id: str, pause_s: float) -> None:
        """Let nobody use this Dropbox account for so long, by the database's clock; a longer pause stands."""
        until = Now() + timedelta(seconds=pause_s)
        shorter = Q(paused_until__isnull=True) | Q(paused_until__lt=until)
        self.filter(shorter, account_id=account_id).update(paused_until=until)

    def mark_lost(self, account: "DropboxAccount", *, reason: str) -> None:
        """Say that this connection has to be made anew, unless that has happened meanwhile."""
        self.filter(pk=account.pk, connected_at=account.connected_at).update(needs_reconnect_reason=reason)

    def note_use(self, account: "DropboxAccount", *, at: datetime) -> None:
        """Remember that the account is used. While somebody holds its row, that is left to the next use."""
        if account.last_used_at and at - account.last_used_at < USE_IS_NOTED_EVERY:
            return
        with transaction.atomic():
            unlocked = self.filter(pk=account.pk).select_for_update(skip_locked=True).order_by().values("pk")
            self.filter(pk__in=unlocked).update(last_used_at=at)

    def mark_changed(self, *, account_ids: Collection[str], at: datetime) -> int:
        """Remember that something has changed in these Dropbox accounts; returns how many rows that are.

        Raises:
            OperationalError: some of the accounts are held by somebody for too long; for the others it is stored.
        """
        named = self.filter(account_id__in=account_ids)
        with transaction.atomic():
            count = self._change(named.select_for_update(no_key=True, skip_locked=True), at=at)
        held = named.filter(Q(changed_at__isnull=True) | Q(changed_at__lt=at))
        if not held.exists():
            return count
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{CHANGE_WAITS_MS}ms"])
            return count + self._change(held.select_for_update(no_key=True), at=at)

    def _change(self, locked: "DropboxAccountQuerySet", *, at: datetime) -> int:
        # In one order, so that two notifications of the same accounts never wait for each other.
        return self.filter(pk__in=locked.order_by("pk").values("pk")).update(changed_at=at)

    def used_by(self, user_id: int) -> "DropboxAccount | None":
        """A person's account with the person, and `read_at`: when that was, by the database's clock.

        What the person may do is read with it. Its tokens stay encrypted until `unseal` is called, so that the account can
        be read even where no key opens them.
        """
        with sealed():
            found = fetch_both(DropboxAccount, User, self.USED_BY, [user_id])
        if found is None:
            return None
        account, person = found
        if not person.is_superuser:  # who may do all, whatever is granted
            # Where Django's backend keeps what it has read, so that it has the last word on it.
            person._perm_cache = set(account.rights)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        account.user = person
        return account

    def connection_of(self, user: User | None) -> str:
        """What tells this connection of the person's from any other; empty if there is none."""
        at = self.filter(user=user).values_list("connected_at", flat=True).first()
        return at.isoformat() if at else ""

    def is_reconnected(self, user: User | None, *, since: str | None) -> bool:
        """Whether the person has another connection than that, and it works."""
        return (
            self.connection_of(user) not in ("", since) and self.filter(user=user, needs_reconnect_reason="").exists()
        )

    def of(self, user: User) -> "DropboxAccount | None":
        """The person's account, without the tokens: it can be shown even when those cannot be decrypted."""
        return self.filter(user=user).defer("refresh_token", "access_token").first()

    def move_root(self, *, account_id: str, root_namespace_id: str, home_namespace_id: str) -> None:
        """Remember where the account's paths begin now."""
        self.filter(account_id=account_id).update(
            root_namespace_id=root_namespace_id, home_namespace_id=home_namespace_id
        )


class DropboxAccount(models.Model):
    """One person's connection to a Dropbox account; two people may have connected the same account.

    Attributes:
        account_id: Dropbox's own, 40 characters, "dbid:…".
        access_token: empty until it is first fetched; always read together with `access_token_expires_at`.
        root_namespace_id: where absolute paths begin; differs from `home_namespace_id` in a team space.
        paused_until: Dropbox asked everybody who uses this account to wait until then; by the database's clock, as the
            token's end.
        last_used_at: to within `USE_IS_NOTED_EVERY`; empty: never since it was connected.
        changed_at: when Dropbox last told that something has changed in it; empty: never since it was connected.
        needs_reconnect_reason: why the stored tokens can never work again, in words for the operator; empty: they can.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="dropbox_account")
    account_id = models.CharField(max_length=ACCOUNT_ID_LENGTH, db_index=True)
    display_name = models.CharField(max_length=DISPLAY_NAME_LENGTH, blank=True)
    email = models.EmailField(max_length=EMAIL_LENGTH, blank=True)
    refresh_token = EncryptedTextField()
    access_token = EncryptedTextField(blank=True, default="")
    access_token_expires_at = models.DateTimeField(null=True, blank=True)
    scopes = models.JSONField(default=list, blank=True)
    root_namespace_id = models.CharField(max_length=NAMESPACE_ID_LENGTH)
    home_namespace_id = models.CharField(max_length=NAMESPACE_ID_LENGTH)
    paused_until = models.DateTimeField(null=True, blank=True)
    needs_reconnect_reason = models.TextField(blank=True, default="")
    connected_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[DropboxAccountQuerySet] = DropboxAccountQuerySet.as_manager()  # type: ignore[assignment]

    _is_unsealed = False

    class Meta:
        verbose_name = "Dropbox account"
        ordering = ["user"]

    def __str__(self) -> str:
        return self.display_name or self.account_id

    @property
    def connection(self) -> str:
        """What tells this connection from any other of the person's."""
        return self.connected_at.isoformat()

    def unseal(self) -> None:
        """Decrypt the tokens that were read sealed. Several leases of one set do so one after the other.

        Raises:
            TokensUnreadable: none of the keys opens them.
        """
        if self._is_unsealed:
            return
        refresh_token, access_token = opened(self.refresh_token) or "", opened(self.access_token) or ""
        self.refresh_token, self.access_token, self._is_unsealed = refresh_token, access_token, True

    @property
    def may_write(self) -> bool:
        """Whether the connection lets anything be made; what the account itself may do where, only Dropbox tells."""
        return WRITE_SCOPE in self.scopes

    @property
    def is_team_space(self) -> bool:
        return self.root_namespace_id != self.home_namespace_id

    def has_valid_token(self, *, at: datetime) -> bool:
        """Whether the access token is there and lasts long enough for a job."""
        expires_at = self.access_token_expires_at
        return bool(self.access_token) and expires_at is not None and expires_at > at + TOKEN_MARGIN

    def pause_left_s(self, *, at: datetime) -> float:
        """Seconds until the account may be used again; 0 when it may."""
        return max(0.0, (self.paused_until - at).total_seconds()) if self.paused_until else 0.0

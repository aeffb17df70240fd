"""Links by which people outside get a document without an account."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from documents.states import LinkState, State, Suspended

LABEL_AT_MOST = 100
# An hour more, for a change between summer and winter time on the way.
LASTS_AT_MOST = timedelta(days=365)
LASTS_IN_TABLE = LASTS_AT_MOST + timedelta(hours=1)
DOWNLOADS_AT_MOST = 1_000_000
DIGEST = "^[0-9a-f]{64}$"


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Links, and how it stands with them."""

    def ended(self, *, at: datetime) -> Self:
        """Those that open nothing any more, whatever happens."""
        return self.filter(_ended(at))

    def not_ended(self, *, at: datetime) -> Self:
        """Those that open something, or will once what suspends them is over."""
        return self.exclude(_ended(at))

    def in_state(self, state: LinkState, *, at: datetime) -> Self:
        """Those of which `ShareLink.state_at` says so."""
        return self.filter(_IN_STATE[state](at))


class ShareLink(models.Model):
    """A link to a document. It stays when it has ended, so that one can see who gave what away, and how often it was fetched.

    Whether it opens anything is not written down but found (`state_at`), so that nothing has to happen for it to end.

    Attributes:
        token_sha256: of what stands in its address, which was shown once and is nowhere else (`api.spelling`).
        hint: the last characters of that.
        label: whom or what it is for, in somebody's words.
        password: as Django keeps passwords; empty: there is none.
        downloads_at_most: so often it can be fetched; empty: any number of times.
        downloads: how often it was; the database itself lets it not be more than that.
        created_by: in whose name it opens anything; empty: they are gone, and it opens nothing.
        revoked_by: who has ended it; empty: nobody, or somebody who is gone.
        suspended_at, suspended_why: since when its document cannot be had by it, and why; it goes on by itself when that is over.
    """

    document = models.ForeignKey("documents.Document", on_delete=models.CASCADE, related_name="links")
    token_sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    label = models.CharField(max_length=LABEL_AT_MOST, default="", db_default="")
    password = models.CharField(max_length=128, default="", db_default="")
    expires_at = models.DateTimeField("expires")
    downloads_at_most = models.PositiveIntegerField(null=True)
    downloads = models.PositiveIntegerField(default=0, db_default=0)
    last_used_at = models.DateTimeField("last used", null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name="made by"
    )
    created_at = models.DateTimeField("made", db_default=Now())
    revoked_at = models.DateTimeField("revoked", null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name="revoked by",
    )
    suspended_at = models.DateTimeField(null=True)
    suspended_why = models.CharField(max_length=20, choices=Suspended, default="", db_default="")

    objects = ShareLinkQuerySet.as_manager()

    if TYPE_CHECKING:
        document_id: int
        created_by_id: int | None
        revoked_by_id: int | None

    class Meta:
        ordering = ["-pk"]
        default_permissions = ("view",)
        permissions = [("share_document", "Can give documents to people outside by a link")]
        constraints = [
            models.CheckConstraint(condition=Q(token_sha256__regex=DIGEST), name="documents_link_is_a_digest"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + LASTS_IN_TABLE),
                name="documents_link_ends",
            ),
            models.CheckConstraint(
                condition=Q(downloads_at_most__isnull=True)
                | Q(downloads_at_most__gte=1, downloads__lte=F("downloads_at_most")),
                name="documents_link_is_not_fetched_more_often",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True, suspended_why="")
                | Q(suspended_at__isnull=False, suspended_why__in=Suspended.values),
                name="documents_link_is_suspended_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label or 'Share link'} (…{self.hint})"

    @property
    def has_password(self) -> bool:
        """Whether who opens it is asked for one."""
        return bool(self.password)

    @property
    def left(self) -> int | None:
        """How often it can still be fetched; None: any number of times."""
        return None if self.downloads_at_most is None else self.downloads_at_most - self.downloads

    def state_at(self, at: datetime) -> LinkState:
        """How it stands with it at that instant; what can never be again goes before what may."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        if self.expires_at <= at:
            return LinkState.EXPIRED
        if self.left == 0:
            return LinkState.USED_UP
        is_suspended = self.suspended_at is not None or self.document.state != State.ACTIVE
        return LinkState.SUSPENDED if is_suspended else LinkState.ACTIVE


_REVOKED = Q(revoked_at__isnull=False)
_USED_UP = Q(downloads_at_most__isnull=False, downloads__gte=F("downloads_at_most"))
_SUSPENDED = Q(suspended_at__isnull=False) | ~Q(document__state=State.ACTIVE)


def _ended(at: datetime) -> Q:
    return _REVOKED | Q(expires_at__lte=at) | _USED_UP


_IN_STATE: dict[LinkState, Callable[[datetime], Q]] = {
    LinkState.REVOKED: lambda _at: _REVOKED,
    LinkState.EXPIRED: lambda at: ~_REVOKED & Q(expires_at__lte=at),
    LinkState.USED_UP: lambda at: ~_REVOKED & Q(expires_at__gt=at) & _USED_UP,
    LinkState.SUSPENDED: lambda at: ~_ended(at) & _SUSPENDED,
    LinkState.ACTIVE: lambda at: ~_ended(at) & ~_SUSPENDED,
}

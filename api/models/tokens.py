"""The tokens by which programs are known."""

from datetime import datetime, timedelta
from typing import Self

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from api.scopes import Scope

NAME_AT_MOST = 100
# An hour more, for a change between summer and winter time on the way.
LASTS_AT_MOST = timedelta(days=365)
LASTS_IN_TABLE = LASTS_AT_MOST + timedelta(hours=1)
# When it was last used is known no better than this, so that not every request writes it.
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens, and what happens to them."""

    def alive(self, *, at: datetime) -> Self:
        """Those that open something, as long as their person may log in."""
        return self.filter(revoked_at=None, expires_at__gt=at)

    def note_use(self, token: "ApiToken", *, at: datetime) -> None:
        """Remember that it was used, at most once in a while."""
        if token.last_used_at and at - token.last_used_at < USE_IS_NOTED_EVERY:
            return
        earlier = Q(last_used_at=None) | Q(last_used_at__lt=at)
        self.filter(earlier, pk=token.pk).update(last_used_at=at)


class ApiToken(models.Model):
    """A token of one person. It stays when it has ended, so that one can see who made it and who revoked it.

    Attributes:
        digest: of what the person was shown once; see `api.spelling`.
        hint: its last characters.
        scopes: what it is for, a list. Beside that it may never do more than its person.
        revoked_by: who has ended it; empty: nobody, or somebody who is gone.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name="person")
    name = models.CharField(max_length=NAME_AT_MOST)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    scopes = models.JSONField()
    created_at = models.DateTimeField("made", db_default=Now())
    expires_at = models.DateTimeField("expires")
    last_used_at = models.DateTimeField("last used", null=True, blank=True)
    revoked_at = models.DateTimeField("revoked", null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="revoked by"
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        default_permissions = ("view",)
        permissions = [("revoke_apitoken", "Can revoke everybody's API tokens")]
        constraints = [
            models.UniqueConstraint(
                "user", Lower("name"), condition=Q(revoked_at=None), name="one_living_api_token_of_a_name"
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values) & ~Q(scopes=[]), name="api_token_has_scopes"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + LASTS_IN_TABLE),
                name="api_token_ends",
            ),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$") & ~Q(name=""), name="api_token_is_a_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @property
    def words(self) -> list[str]:
        """What it is for."""
        return [str(Scope(each).label) for each in Scope.values if each in self.scopes]

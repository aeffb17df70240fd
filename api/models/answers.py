"""What was answered to a wish that bears a key, for whoever sends it once more."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class KeptAnswer(models.Model):
    """A wish with a key, and what was answered to it; a day later it is forgotten.

    Attributes:
        fingerprint: of the method, the address and the body, so that a key stands for one wish only.
        tries: how often it was begun; whoever began it before the last time may not commit anything any more.
        held_until: until then somebody is at it.
        done_at: when something of it was done, in the same transaction; empty: nothing was.
        status: what was answered; empty: nothing so far.
        rights: those that the person was asked for on the way; who has lost one is not given the answer again.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    tries = models.PositiveIntegerField(default=1, db_default=1)
    held_until = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict, db_default={})
    rights = models.JSONField(default=list, db_default=[])
    body = models.BinaryField(default=b"", db_default=b"")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="api_kept_answer_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"

"""What the operation of the engine needs: who is at work, and who may look into the queues."""

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When a program of which one must run somewhere was last seen at work, or a duty was last owed, and by which host."""

    name = models.CharField(max_length=50, unique=True)
    at = models.DateTimeField(db_default=Now())
    host = models.CharField(max_length=255, default="", db_default="", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} on {self.host}"


class JobQueues(models.Model):
    """What the permission to use RQ's dashboard hangs on; it has no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("use_queues", "Can look into and change the job queues")]
        verbose_name = verbose_name_plural = "job queues"

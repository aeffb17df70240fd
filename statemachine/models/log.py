"""What has happened to every record of every machine."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from statemachine.models.machine import StateMachine


class ActorKind(models.TextChoices):
    USER = "user", "user"
    WORKER = "worker", "worker"
    RECONCILER = "reconciler", "reconciler"
    TERMINAL = "terminal", "terminal"


class TransitionLogQuerySet(models.QuerySet["TransitionLog"]):
    def of(self, record: StateMachine) -> Self:
        """The history of one record, oldest first."""
        return self.filter(record_type=record._meta.label_lower, record_id=record.pk).order_by("generation")

    def of_moves(self) -> Self:
        """Without what has left the record in its state."""
        return self.exclude(from_state=models.F("to_state"))


class TransitionLog(models.Model):
    """One row per transition, written in its transaction; a trigger refuses to change or delete one.

    What a person changes of a record without taking it anywhere has its row, too, if the machine says so (`StateMachine.edits`);
    such a row leads from a state to the same.

    Attributes:
        generation: the record's, after the transition; unique per record, so nothing can be logged twice.
        transition: its name, or that of the edit.
        lasted: how long the state that was left had lasted; nothing where it was not left.
        tries: how often the work of the state that was left was begun.
        evidence: what was asked and answered that led here (JSON), so that "why does it say so?" has an answer.
    """

    record_type = models.CharField(max_length=100)
    record_id = models.BigIntegerField()
    transition = models.CharField(max_length=50)
    from_state = models.CharField(max_length=20)
    to_state = models.CharField(max_length=20)
    generation = models.PositiveIntegerField()
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.TextField(default="", blank=True)
    job_id = models.CharField(max_length=200, default="", blank=True)
    at = models.DateTimeField(default=timezone.now)
    lasted = models.DurationField()
    tries = models.PositiveSmallIntegerField(default=0)
    evidence = models.JSONField(default=dict, blank=True)

    objects = TransitionLogQuerySet.as_manager()

    class Meta:
        verbose_name = "transition"
        verbose_name_plural = "transition log"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=ActorKind.values), name="statemachine_log_known_actor"
            ),
        ]
        indexes = [models.Index(fields=["at"], name="statemachine_log_at")]

    def __str__(self) -> str:
        return f"{self.record_type} {self.record_id}: {self.from_state} → {self.to_state}"

    @property
    def is_move(self) -> bool:
        """Whether it has led to another state."""
        return self.from_state != self.to_state

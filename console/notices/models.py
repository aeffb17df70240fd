"""What people are told about records that have failed, or have ended in another way of which somebody should know."""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, override

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django_fsm import transition

from console.notices.states import NoticeState
from core.base.errors import words_for
from statemachine.models import StateMachine, known_states, line_indexes, state_field

WORKING = frozenset({NoticeState.SENDING})


class FailureNotice(StateMachine):
    """One mail about all records of one machine that failed for one reason within some minutes.

    It gathers until it is due; then it is sent like any other work: retried, logged, never lost. It is for one person,
    `initiated_by`, whose runs they were; or for whoever holds the right to look after runs that nobody started. Of those,
    whoever reads it first has read it for all: it is one matter, not a letter to each.

    Attributes:
        record_type: the machine, by app and model in small letters.
        told: how many failed records the mail named.
    """

    working_states: ClassVar[frozenset[str]] = WORKING
    start_transition: ClassVar[str] = "start_sending"

    state = state_field(NoticeState, initial=NoticeState.GATHERING)
    record_type = models.CharField(max_length=100, editable=False)
    reason = models.CharField(max_length=50, editable=False, help_text="The failure code that the records share.")
    right = models.CharField(
        max_length=150,
        default="",
        db_default="",
        blank=True,
        editable=False,
        help_text="Whoever holds it is told, since nobody started the runs; empty: who started them is.",
    )
    told = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    read_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the person has read it in the console; empty: not yet."
    )

    class Meta(StateMachine.Meta):
        verbose_name = "failure notice"
        ordering = ["-pk"]
        indexes = [*StateMachine.Meta.indexes, *line_indexes(WORKING)]
        constraints = [
            known_states(NoticeState),
            models.UniqueConstraint(
                fields=["initiated_by", "record_type", "reason"],
                condition=Q(state=NoticeState.GATHERING),
                name="console_failurenotice_one_gathers",
            ),
            models.UniqueConstraint(
                fields=["right", "record_type", "reason"],
                condition=Q(state=NoticeState.GATHERING) & ~Q(right=""),
                name="console_failurenotice_one_gathers_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.initiated_by or self.right}: {words_for(self.reason)}"

    @staticmethod
    def gathering_for(*, user_id: int | None, right: str = "", record_type: str, reason: str) -> "FailureNotice":
        """The notice that one more record belongs to; locked, so that it is not sent before that is saved.

        Args:
            right: who holds it is told, where there is no user.
        """
        given = {"initiated_by_id": user_id, "right": right, "record_type": record_type, "reason": reason}
        mine = FailureNotice.objects.filter(**given, state=NoticeState.GATHERING)
        due_at = Now() + timedelta(seconds=settings.NOTICE_GATHERS_S)
        while True:
            FailureNotice.objects.bulk_create(
                # Somebody waits for it, also while an import of thousands is worked on.
                [FailureNotice(**given, due_at=due_at, background=False)],
                ignore_conflicts=True,
            )
            # The one that stood in the way may be on its way to its reader by now.
            if found := mine.select_for_update().first():
                return found

    @transition(field=state, source=NoticeState.GATHERING, target=NoticeState.SENDING)
    def start_sending(self) -> None:
        """Gather no more and owe the mail."""

    @transition(field=state, source=NoticeState.SENDING, target=NoticeState.SENT)
    def record_sent(self, *, told: int) -> None:
        """The mail server has taken it."""
        self.told = told

    @transition(field=state, source=NoticeState.SENDING, target=NoticeState.NEEDLESS)
    def record_needless(self) -> None:
        """None of the records is failed any more, or the person has been told before."""

    @transition(field=state, source=NoticeState.SENDING, target=NoticeState.FAILED)
    def fail(self, *, code: str, message: str) -> None:
        """Give up; the console tells the person all the same."""
        self.failure_code = code
        self.failure_message = message


class Noticed(StateMachine):
    """A machine of which people are told what has failed: in one mail for many, to whoever started the runs.

    Attributes:
        work_name: who gave up, as the mail has it.
        told_in_order: by which the mail names the records.
        looked_after_by: the permission whose holders are told of runs that nobody started; empty: nobody is.
    """

    work_name: ClassVar[str] = "Runsheet"
    told_in_order: ClassVar[tuple[str, ...]] = ("pk",)
    looked_after_by: ClassVar[str] = ""

    failure_notice = models.ForeignKey(
        FailureNotice, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    if TYPE_CHECKING:
        failure_notice_id: int | None

    class Meta(StateMachine.Meta):
        abstract = True

    @classmethod
    def told_states(cls) -> frozenset[str]:
        """In these, people are told of a record that has a failure code; a machine that ends badly in other ways says which."""
        return cls.failed_states()

    @classmethod
    def still_told(cls) -> Q:
        """Those of which it is still worth telling; a machine whose failures are mended by another record says when."""
        return Q(state__in=sorted(cls.told_states()))

    def is_news(self) -> bool:
        """Whether to tell of it as it is now; a machine that runs by itself is silent about what is as it was."""
        return True

    @override
    def entering(self) -> None:
        super().entering()
        self.failure_notice = None
        right = self.looked_after_by if self.initiated_by_id is None else ""
        has_reader = bool(self.initiated_by_id or right)
        if has_reader and self.failure_code and self.state in self.told_states() and self.is_news():
            self.failure_notice = FailureNotice.gathering_for(
                user_id=self.initiated_by_id, right=right, record_type=self._meta.label_lower, reason=self.failure_code
            )

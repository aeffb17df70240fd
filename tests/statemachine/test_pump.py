"""Which row comes next: what somebody started by hand, then the rest, and nobody waits for ever."""

import pytest
from pytest_django.fixtures import Settings

from statemachine.dispatch import dispatch
from statemachine.pump import ToppedUp, top_up
from tests.statemachine.conftest import history, in_s, owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db


def rung() -> list[int]:
    return list(Kettle.objects.filter(rung_at__isnull=False).values_list("pk", flat=True))


class TestUrgency:
    @pytest.fixture(autouse=True)
    def _one_at_a_time(self, settings: Settings) -> None:
        settings.QUEUE_TARGET = 1

    def test_what_was_ordered_first_comes_first(self) -> None:
        first = owed(due_at=in_s(-10))
        owed(due_at=in_s(-20))

        top_up("toy")

        assert rung() == [first.pk]

    def test_what_was_started_by_hand_overtakes_the_rest(self) -> None:
        for _ in range(5):
            owed(background=True, due_at=in_s(-500))
        by_hand = owed(background=False, due_at=in_s(-1))

        top_up("toy")

        assert rung() == [by_hand.pk]

    def test_who_has_waited_for_long_enough_is_no_longer_overtaken(self) -> None:
        patient = owed(background=True, due_at=in_s(-700))
        owed(background=False, due_at=in_s(-1))

        top_up("toy")

        assert rung() == [patient.pk]

    def test_a_new_row_that_nobody_started_waits_its_turn(self) -> None:
        Kettle.objects.bulk_create([Kettle(due_at=in_s(-30)) for _ in range(3)])
        by_hand = owed(due_at=in_s(-1))

        assert top_up("toy") == ToppedUp(started=0, dispatched=1)
        assert rung() == [by_hand.pk]


class TestStarting:
    def test_a_settled_row_that_is_due_starts_again(self) -> None:
        kettle = owed(state="broken", failure_code="no_power")

        assert top_up("toy") == ToppedUp(started=1, dispatched=1)
        assert history(kettle) == ["switch_on"]
        assert rung() == [kettle.pk]

    def test_sends_no_more_than_there_is_room_for(self, settings: Settings) -> None:
        settings.QUEUE_TARGET = 3
        Kettle.objects.bulk_create([Kettle() for _ in range(5)])

        assert top_up("toy") == ToppedUp(started=3, dispatched=3)
        assert top_up("toy") == ToppedUp(started=0, dispatched=0)

    def test_waits_until_the_queue_is_half_empty(self, settings: Settings) -> None:
        settings.QUEUE_TARGET = 4
        kettles = [owed() for _ in range(5)]
        dispatch(Kettle, pks=[kettle.pk for kettle in kettles[:3]])

        assert top_up("toy") == ToppedUp(started=0, dispatched=0)
        settings.QUEUE_TARGET = 6
        assert top_up("toy") == ToppedUp(started=0, dispatched=2)

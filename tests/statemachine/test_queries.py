"""What is asked of many records at once."""

import pytest
from django.contrib.auth.models import User

from statemachine.queries import were_started_since
from statemachine.transitions import RECONCILER, Actor, Step, take
from tests.statemachine.conftest import in_s
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db


class TestWereStartedSince:
    @pytest.mark.parametrize(
        ("by_hand", "since_s", "expected"), [(True, -9, True), (True, 9, False), (False, -9, False)]
    )
    def test_tells_whether_somebody_has_begun_one_by_hand(
        self, cook: User, by_hand: bool, since_s: float, expected: bool
    ) -> None:
        kettle = Kettle.objects.create()
        actor = Actor.person(cook) if by_hand else RECONCILER
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=actor)

        assert were_started_since(Kettle, [kettle.pk, 0], in_s(since_s)) is expected

    def test_asks_of_these_records_only(self, cook: User) -> None:
        kettle = Kettle.objects.create()
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))

        assert not were_started_since(Kettle, [kettle.pk + 1], in_s(-9))

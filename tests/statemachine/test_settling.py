from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from redis import Redis

from core.base import redis_client
from core.ops import tally
from statemachine import jobs, settling
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome
from statemachine.transitions import RECONCILER, Actor, Step, take
from tests.statemachine.conftest import message, owed
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answering(redis: Redis) -> None:
    """Redis has not been silent a moment ago."""
    redis_client._silent_until.clear()


def work_through(kettle: Kettle) -> None:
    at = message(kettle)
    jobs.run(at.label, at.pk, at.state, at.generation)


def last_row() -> TransitionLog:
    return TransitionLog.objects.order_by("generation")[TransitionLog.objects.count() - 1]


class TestRunBeganAt:
    def test_is_when_a_person_started_it(self, cook: User) -> None:
        kettle = Kettle.objects.create()
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))
        started = last_row()
        work_through(kettle)

        assert settling.run_began_at(last_row()) == started.at

    def test_is_when_the_record_was_made_if_it_started_by_itself(self, cook: User) -> None:
        kettle = Kettle.objects.create()
        Kettle.objects.update(entered_at=kettle.entered_at - timedelta(seconds=90))
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=RECONCILER)
        work_through(kettle)

        rest = last_row()
        began = settling.run_began_at(rest)

        assert began is not None
        assert 90 <= (rest.at - began).total_seconds() < 100

    def test_counts_a_run_of_two_states_once(self, cook: User, work: Work) -> None:
        work["heat"] = lambda _run: Outcome(transition="boiled", then="steep")
        kettle = Kettle.objects.create()
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))
        work_through(kettle)

        started, *together, rest = TransitionLog.objects.of(kettle)
        settling.note(together)
        settling.note([rest])

        assert [row.transition for row in (*together, rest)] == ["boiled", "steep", "poured"]
        assert settling.run_began_at(rest) == started.at
        assert [list(found.counts.values()) for found in tally.read().histograms["settle_seconds"].values()] == [[1]]

    def test_knows_none_for_what_a_person_ended(self, cook: User) -> None:
        kettle = owed()
        take(model=Kettle, pk=kettle.pk, step=Step(transition="cancel"), actor=Actor.person(cook))

        assert settling.run_began_at(last_row()) is None

    def test_knows_none_where_the_log_does_not_go_back_so_far(self) -> None:
        work_through(owed())

        assert last_row().transition == "boiled"
        assert settling.run_began_at(last_row()) is None


class TestNote:
    def test_tallies_transitions_and_the_time_to_rest(self, cook: User) -> None:
        kettle = Kettle.objects.create()
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))
        work_through(kettle)

        for row in TransitionLog.objects.of(kettle):
            settling.note([row])

        tallied = tally.read()
        machine = ("machine", "toy.kettle")
        assert tallied.counters["transitions"] == {
            (("actor", "user"), machine, ("transition", "switch_on")): 1,
            (("actor", "worker"), machine, ("transition", "boiled")): 1,
        }
        (observed,) = tallied.histograms["settle_seconds"].items()
        assert observed[0] == (machine, ("state", "ready"))
        assert sum(observed[1].counts.values()) == 1

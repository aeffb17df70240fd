"""A claim is kept by a thread while its work is slow, on real connections."""

import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from statemachine import claims
from statemachine.claims import ClaimKeeper, Hold
from statemachine.doorbell import Message
from statemachine.errors import ClaimLost
from tests.statemachine.conftest import message, owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> None:
    settings.CLAIM_RENEWAL_S = 0.05


def await_that(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def claimed(ringing: Message) -> Kettle:
    held = claims.claim(ringing)
    assert isinstance(held, Kettle)
    return held


def hold(kettle: Kettle) -> Hold:
    return Hold(messages=[claims.message_of(kettle)])


class TestClaimKeeper:
    def test_renews_the_claim_while_the_work_is_slow(self) -> None:
        held = claimed(message(owed()))
        first = held.claimed_until

        with ClaimKeeper(hold(held)):
            await_that(lambda: Kettle.objects.get().claimed_until != first)

        kettle = Kettle.objects.get()
        assert kettle.claimed_until is not None
        assert kettle.claimed_until > timezone.now()
        assert kettle.due_at == kettle.claimed_until

    def test_renews_the_claims_of_a_set_without_those_that_have_moved_on(self) -> None:
        kettles = [claimed(message(owed())) for _ in range(3)]
        together = Hold(messages=[claims.message_of(each) for each in kettles])
        Kettle.objects.filter(pk=kettles[2].pk).update(generation=9, claimed_until=None)
        latest = max(each.claimed_until for each in kettles if each.claimed_until)

        with ClaimKeeper(together):
            await_that(lambda: Kettle.objects.filter(claimed_until__gt=latest).count() == 2)

        assert Kettle.objects.get(claimed_until=None).pk == kettles[2].pk

    def test_of_a_set_of_which_nothing_is_left_says_so(self) -> None:
        kettles = [claimed(message(owed())) for _ in range(2)]
        together = Hold(messages=[claims.message_of(each) for each in kettles])
        Kettle.objects.update(generation=9)

        with pytest.raises(ClaimLost):
            claims.renew(together)

    def test_goes_on_with_the_state_that_the_worker_goes_on_with(self) -> None:
        kettle = owed()
        held = claimed(message(kettle))
        first = held.claimed_until

        with ClaimKeeper(hold(held)) as keeper:
            Kettle.objects.update(generation=7, state="steeping")
            keeper.hold = Hold(messages=[message(kettle)])
            await_that(lambda: Kettle.objects.get().claimed_until != first)

    def test_takes_no_row_back_that_belongs_to_somebody_else(self, caplog: pytest.LogCaptureFixture) -> None:
        held = claimed(message(owed()))
        Kettle.objects.update(generation=7)

        with caplog.at_level("INFO"), ClaimKeeper(hold(held)):
            await_that(lambda: "is no longer held" in caplog.text)

        assert Kettle.objects.get().claimed_until == held.claimed_until

    def test_outlives_an_outage_of_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        held = claimed(message(owed()))
        first, renew, failures = held.claimed_until, claims.renew, [OperationalError("the server went away")]

        def renew_later(mine: Hold) -> None:
            if failures:
                raise failures.pop()
            renew(mine)

        monkeypatch.setattr(claims, "renew", renew_later)

        with ClaimKeeper(hold(held)):
            await_that(lambda: Kettle.objects.get().claimed_until != first)

    def test_leaves_no_connection_behind(self) -> None:
        held = claimed(message(owed()))
        first = held.claimed_until

        with ClaimKeeper(hold(held)):
            await_that(lambda: Kettle.objects.get().claimed_until != first)
        with connection.cursor() as cursor:
            count = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            await_that(lambda: cursor.execute(count).fetchone() == (0,))

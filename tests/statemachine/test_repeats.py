import pytest
from django.db import transaction
from pytest_django.fixtures import Settings
from redis import Redis

from statemachine.repeats import is_repeated

# Each commits: what is rolled back with the test is remembered nowhere.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty(redis: Redis) -> None: ...


class TestIsRepeated:
    def test_the_first_time_it_is_not(self) -> None:
        assert not is_repeated("configuration:BLM", given="a")

    def test_with_the_same_input_it_is(self) -> None:
        is_repeated("configuration:BLM", given="a")

        assert is_repeated("configuration:BLM", given="a")

    def test_with_another_input_it_never_is_also_with_one_from_before(self) -> None:
        answers = [is_repeated("configuration:BLM", given=given) for given in ("a", "b", "a")]

        assert answers == [False, False, False]

    def test_another_trigger_does_not_matter(self) -> None:
        is_repeated("configuration:BLM", given="a")

        assert not is_repeated("configuration:NMSLO", given="a")

    def test_is_forgotten_after_its_time(self, redis: Redis, settings: Settings) -> None:
        is_repeated("configuration:BLM", given="a")

        assert 0 < int(redis.ttl("runsheet:trigger:configuration:BLM")) <= settings.DEDUP_TTL_S == 120

    def test_nothing_is_when_that_is_switched_off(self, settings: Settings) -> None:
        settings.DEDUP_TTL_S = 0

        assert [is_repeated("configuration:BLM", given="a") for _ in range(2)] == [False, False]

    def test_without_redis_nothing_is(self, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert [is_repeated("configuration:BLM", given="a") for _ in range(2)] == [False, False]
        assert "it counts" in caplog.text

    def test_nothing_is_when_redis_goes_away_before_the_commit(
        self, redis: Redis, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        was = settings.REDIS_URL
        with transaction.atomic():
            is_repeated("configuration:BLM", given="a")
            settings.REDIS_URL = "redis://127.0.0.1:1/0"
        settings.REDIS_URL = was

        assert not is_repeated("configuration:BLM", given="a")
        assert "a repetition will count" in caplog.text

    def test_what_was_rolled_back_does_not_count(self) -> None:
        with transaction.atomic():
            is_repeated("configuration:BLM", given="a")
            transaction.set_rollback(True)

        assert not is_repeated("configuration:BLM", given="a")

    def test_nothing_is_remembered_before_the_commit(self, redis: Redis) -> None:
        with transaction.atomic():
            is_repeated("configuration:BLM", given="a")

            assert redis.keys("runsheet:trigger:*") == []

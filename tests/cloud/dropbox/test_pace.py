"""The pause and the ceiling of an account, in a real Redis; only the waiting itself is not done."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings
from redis import Redis

from cloud import errors
from cloud.dropbox import gateway_for, pace
from cloud.models import DropboxAccount
from core.base.clock import shared_now
from tests.factories import ARCHIVE

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

MINE, OTHER = "dbid:mine", "dbid:other"


@pytest.fixture(autouse=True)
def slept(redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each call would have waited."""
    settings.DROPBOX_CALLS_PER_S = 5
    waits: list[float] = []
    monkeypatch.setattr("cloud.dropbox.pace.time.sleep", waits.append)
    return waits


class TestCeiling:
    def test_lets_so_many_calls_through_at_once(self, slept: list[float]) -> None:
        for _ in range(5):
            pace.wait_turn(MINE)

        assert slept == []

    def test_spreads_the_rest_over_the_seconds_that_follow(self, slept: list[float]) -> None:
        for _ in range(12):
            pace.wait_turn(MINE)

        assert len(slept) == 7
        assert max(slept[:5]) <= 1 < min(slept[5:])
        assert max(slept) <= 2

    def test_counts_all_workers_together(self, slept: list[float]) -> None:
        begin = threading.Barrier(10)

        def worker(_number: int) -> None:
            begin.wait()
            pace.wait_turn(MINE)

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(worker, range(10)))

        assert len(slept) == 5

    def test_counts_each_account_for_itself(self, slept: list[float]) -> None:
        for _ in range(5):
            pace.wait_turn(MINE)
        pace.wait_turn(OTHER)

        assert slept == []

    def test_gives_the_worker_free_when_the_wait_is_long(self, slept: list[float]) -> None:
        for _ in range(5 * 6):
            pace.wait_turn(MINE)

        with pytest.raises(errors.AtCeiling) as caught:
            pace.wait_turn(MINE)

        assert caught.value.retry_after_s == pytest.approx(6, abs=1)
        assert not caught.value.costs_try

    def test_is_none_when_it_is_zero(self, settings: Settings, slept: list[float]) -> None:
        settings.DROPBOX_CALLS_PER_S = 0

        for _ in range(100):
            pace.wait_turn(MINE)

        assert slept == []

    def test_leaves_nothing_in_redis_for_long(self, redis: Redis) -> None:
        pace.wait_turn(MINE)

        assert all(0 < int(redis.pttl(key)) <= 10_000 for key in redis.keys("*"))


class TestPause:
    def test_holds_every_worker_up(self) -> None:
        pace.pause(MINE, pause_s=30)

        with pytest.raises(errors.AccountPaused) as caught:
            pace.wait_turn(MINE)

        assert caught.value.retry_after_s == pytest.approx(30, abs=1)
        assert not caught.value.costs_try

    def test_holds_no_other_account_up(self) -> None:
        pace.pause(MINE, pause_s=30)

        pace.wait_turn(OTHER)

    @pytest.mark.parametrize(("first_s", "second_s"), [(30, 5), (5, 30)], ids=["shorter", "longer"])
    def test_the_longer_one_stands(self, first_s: int, second_s: int) -> None:
        for seconds in (first_s, second_s):
            pace.pause(MINE, pause_s=seconds)

        with pytest.raises(errors.AccountPaused) as caught:
            pace.wait_turn(MINE)

        assert caught.value.retry_after_s == pytest.approx(30, abs=1)

    def test_ends_by_itself(self) -> None:
        pace.pause(MINE, pause_s=0.02)
        until = time.monotonic() + 5

        while True:
            try:
                pace.wait_turn(MINE)
            except errors.AccountPaused:
                assert time.monotonic() < until
            else:
                break


class TestWithoutRedis:
    def test_nobody_waits(self, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        pace.wait_turn(MINE)
        pace.pause(MINE, pause_s=30)

        assert "does not tell its pace" in caplog.text
        assert "did not take the pause" in caplog.text

    def test_a_redis_that_never_answers_costs_one_short_wait(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
            before = time.monotonic()

            for _ in range(5):
                pace.wait_turn(MINE)

        assert time.monotonic() - before < 1


@pytest.mark.django_db
class TestTooManyRequests:
    def test_pauses_the_account_for_all_in_redis_and_in_the_database(self, operator: User, dropbox: "Standin") -> None:
        dropbox.fault("files/list_folder", status=429, headers={"Retry-After": "40"})

        with pytest.raises(errors.RateLimited):
            gateway_for(operator).list_directory(path=ARCHIVE)

        account = DropboxAccount.objects.get()
        assert account.pause_left_s(at=shared_now()) == pytest.approx(40, abs=5)
        with pytest.raises(errors.AccountPaused):
            pace.wait_turn(account.account_id)

    def test_a_job_in_the_middle_hears_of_it_too(self, operator: User, dropbox: "Standin") -> None:
        gateway = gateway_for(operator)
        dropbox.put(f"{ARCHIVE}/")
        gateway.list_directory(path=ARCHIVE)

        pace.pause(gateway.account.account_id, pause_s=30)

        with pytest.raises(errors.AccountPaused):
            gateway.list_directory(path=ARCHIVE)
        assert dropbox.calls() == {"files/list_folder": 1}

"""Counting across processes."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from core.base import redis_client
from core.ops import tally
from tests.deaf import deaf_server

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def answering(redis: Redis) -> None:
    """Redis has not been silent a moment ago."""
    redis_client._silent_until.clear()


class TestCount:
    def test_adds_up_by_labels(self) -> None:
        tally.count("tries", machine="toy.kettle", state="heating")
        tally.count("tries", 2, state="heating", machine="toy.kettle")
        tally.count("tries", machine="toy.kettle", state="steeping")

        found = tally.read().counters["tries"]

        assert found == {
            (("machine", "toy.kettle"), ("state", "heating")): 3,
            (("machine", "toy.kettle"), ("state", "steeping")): 1,
        }

    def test_says_nothing_of_nothing(self) -> None:
        tally.count("messages_lost", 0)

        assert tally.read().counters == {}

    def test_loses_nothing_among_threads(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            for _ in range(200):
                pool.submit(tally.count, "dropbox_pauses")

        assert tally.read().counters["dropbox_pauses"] == {(): 200}


class TestGathered:
    def test_sends_what_is_counted_within_when_it_ends(self) -> None:
        with tally.gathered():
            tally.count("dropbox_pauses")
            with tally.gathered():
                tally.count("dropbox_pauses", 2)
                tally.observe("settle_seconds", 1)
            meanwhile = tally.read()

        found = tally.read()
        assert (meanwhile.counters, meanwhile.histograms) == ({}, {})
        assert found.counters["dropbox_pauses"] == {(): 3}
        assert found.histograms["settle_seconds"][()].total == 1

    def test_sends_it_though_something_goes_wrong(self) -> None:
        with pytest.raises(ZeroDivisionError), tally.gathered():
            tally.count("dropbox_pauses")
            raise ZeroDivisionError

        assert tally.read().counters["dropbox_pauses"] == {(): 1}

    def test_sends_nothing_of_nothing(self, redis: Redis) -> None:
        with tally.gathered():
            pass

        assert not redis.exists(tally.KEY)


class TestObserve:
    def test_puts_a_value_into_the_bucket_whose_bound_it_does_not_exceed(self) -> None:
        for seconds in (0.2, 1, 1.001, 600, 3_000):
            tally.observe("settle_seconds", seconds)

        found = tally.read().histograms["settle_seconds"][()]

        assert dict(found.counts) == {0: 2, 1: 1, 9: 1, 10: 1}
        assert found.total == pytest.approx(3_602.201)

    def test_has_bounds_for_every_name(self) -> None:
        assert set(tally.BOUNDS_S) == set(get_args(tally.Observed.__value__))


class TestWithoutRedis:
    def test_is_lost_in_silence_where_nobody_listens(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        tally.count("tries")
        tally.observe("settle_seconds", 1)

    def test_waits_for_a_redis_that_never_answers_once(self, settings: Settings) -> None:
        with deaf_server() as port:
            settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
            began = time.monotonic()

            for _ in range(50):
                tally.count("tries")

            assert time.monotonic() - began < 2 * settings.DOORBELL_TIMEOUT_S + 0.3


class TestSources:
    def test_explain_whatever_is_counted(self) -> None:
        explained = (ROOT / "docs/observability.md").read_text()
        names = [*get_args(tally.Counted.__value__), *get_args(tally.Observed.__value__)]

        assert [name for name in names if not re.search(rf"`runsheet_{name}(_total)?[`{{]", explained)] == []

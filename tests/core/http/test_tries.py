"""What was tried too often is looked at no more, and nothing that is kept of it names anybody."""

import pytest
from redis import Redis

from core.http import tries
from core.http.tries import Counter

pytestmark = pytest.mark.usefixtures("redis")


def counter(kind: str, limit: int) -> Counter:
    return Counter(of="shares", key=tries.key_of("shares", kind, "olivia", "192.0.2.7"), limit=limit)


class TestBegin:
    def test_counts_before_anything_is_looked_at(self, redis: Redis) -> None:
        pair, address = counter("pair", 2), counter("address", 9)

        told = [tries.begin([pair, address]) for _ in range(4)]

        assert told == [True, True, False, False]
        assert redis.get(address.key) == b"2"  # what was refused unseen has not failed
        assert all(0 < redis.ttl(each.key) <= tries.WINDOW_S for each in (pair, address))
        assert not [key for key in redis.keys("runsheet:shares:*") if b"olivia" in key or b"192" in key]


class TestSucceed:
    def test_forgets_the_first_and_takes_one_from_the_others(self, redis: Redis) -> None:
        pair, address = counter("pair", 5), counter("address", 9)
        for _ in range(3):
            tries.begin([pair, address])

        tries.succeed([pair, address])

        assert (redis.get(pair.key), redis.get(address.key)) == (None, b"2")


class TestTakeBack:
    def test_leaves_nothing_where_there_was_one(self, redis: Redis) -> None:
        pair = counter("pair", 5)
        tries.begin([pair])

        tries.take_back([pair])

        assert redis.get(pair.key) is None

from typing import Any

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from core.base.cache import Cache
from core.settings import base


@pytest.fixture
def cache(redis: Redis, settings: Settings) -> Cache:
    return Cache([settings.REDIS_URL], base.CACHES["default"])


class TestCache:
    @pytest.mark.parametrize("value", [1, True, "text", None, ["a", {"b": 2.5}]])
    def test_gives_back_what_it_was_given(self, cache: Cache, value: Any) -> None:
        cache.set("key", value)

        assert cache.get("key", "missing") == value

    def test_stores_no_pickle(self, cache: Cache, redis: Redis) -> None:
        cache.set("key", ["text"])

        (key,) = redis.keys("*")
        assert redis.get(key) == b'["text"]'

    def test_counts(self, cache: Cache) -> None:
        cache.set("key", 1)

        assert cache.incr("key") == 2

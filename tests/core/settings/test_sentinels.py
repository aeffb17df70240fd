"""Sentinels out of the environment: what contradicts itself stops the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.base.redis_servers import Sentinels
from core.settings.sentinels import sentinels

TWO = "one.example.com, [::1]:26380"
URL = "redis://runsheet:s3cret@/0"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_SENTINELS", *(f"REDIS_SENTINEL_{each}" for each in ("SERVICE", "USER", "PASSWORD", "TLS"))):
        monkeypatch.delenv(name, raising=False)


def told(monkeypatch: pytest.MonkeyPatch, url: str = URL, **given: str) -> Sentinels | None:
    for name, value in given.items():
        monkeypatch.setenv(f"REDIS_SENTINEL{name}", value)
    return sentinels(url)


class TestSentinels:
    def test_are_none_by_default(self) -> None:
        assert sentinels("redis://redis.example.com:6379/0") is None

    def test_are_those_that_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = told(monkeypatch, S=TWO, _SERVICE="runsheet", _USER="asks", _PASSWORD="s3cret")

        assert found == Sentinels(
            hosts=(("one.example.com", 26379), ("::1", 26380)), service="runsheet", user="asks", password="s3cret"
        )
        assert "s3cret" not in repr(found)

    @pytest.mark.parametrize(
        ("url", "said", "has_tls"),
        [("redis://@/0", None, False), ("rediss://@/0", None, True), ("rediss://@/0", "no", False), (URL, "no", False)],
    )
    def test_are_asked_in_tls_as_redis_is_unless_told_otherwise(
        self, monkeypatch: pytest.MonkeyPatch, url: str, said: str | None, has_tls: bool
    ) -> None:
        found = told(monkeypatch, url, S=TWO, _SERVICE="x", **({"_TLS": said} if said else {}))

        assert found
        assert found.has_tls is has_tls

    @pytest.mark.parametrize(
        ("url", "given", "sentence"),
        [
            (URL, {"S": "one:", "_SERVICE": "x"}, "REDIS_SENTINELS must name hosts, such as"),
            (URL, {"S": "one:0", "_SERVICE": "x"}, "such as sentinel-1.example.com:26379, not 'one:0'."),
            (URL, {"S": "redis://one:26379", "_SERVICE": "x"}, "REDIS_SENTINELS must name hosts, such as"),
            (URL, {"S": TWO}, "REDIS_SENTINEL_SERVICE must say what the sentinels call the servers"),
            (URL, {"_SERVICE": "x"}, "but REDIS_SENTINELS names none. Set both, or neither."),
            (URL, {"_PASSWORD": "s3cret"}, "but REDIS_SENTINELS names none. Set both, or neither."),
            ("redis://:s3cret@h:6379/0", {"S": TWO, "_SERVICE": "x"}, "REDIS_URL must name no host beside"),
            ("unix:///run/redis.sock", {"S": TWO, "_SERVICE": "x"}, "REDIS_URL must name no host beside"),
            (URL, {"S": TWO, "_SERVICE": "x", "_TLS": "yes"}, "REDIS_SENTINEL_TLS may be yes only if REDIS_URL begins"),
            (URL, {"S": TWO, "_SERVICE": "x", "_USER": "u"}, "REDIS_SENTINEL_USER needs a REDIS_SENTINEL_PASSWORD."),
        ],
    )
    def test_contradict_nothing(
        self, monkeypatch: pytest.MonkeyPatch, url: str, given: dict[str, str], sentence: str
    ) -> None:
        with pytest.raises(ImproperlyConfigured) as refusal:
            told(monkeypatch, url, **given)

        assert sentence in str(refusal.value)
        assert "s3cret" not in str(refusal.value)

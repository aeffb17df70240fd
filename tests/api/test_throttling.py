"""Who asks too often waits, and nobody else; and every answer says how many more may come."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from redis import Redis

from api import rates, spelling
from api.services.tokens import NewToken
from core.base import redis_client
from tests.api.conftest import FILES, REBUILD, code_of, ended, made, program

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

HOME, OFFICE = "192.0.2.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _few(settings: Settings) -> None:
    settings.API_PER_MINUTE, settings.API_UNKNOWN_PER_MINUTE = 3, 2


def statuses(client: Client, times: int, url: str = FILES, at: str = HOME, **headers: str) -> list[int]:
    return [client.get(url, REMOTE_ADDR=at, headers=headers).status_code for _ in range(times)]


def told(answer: Any) -> tuple[str, str]:
    return answer["RateLimit-Policy"], re.sub(r"t=(60|59)$", "t=60", answer["RateLimit"])


class TestWhoIsKnown:
    def test_waits_after_so_many_of_one_token_and_not_with_another(self, token: NewToken, olivia: User) -> None:
        client = program(token.secret)

        assert statuses(client, 5) == [200, 200, 200, 429, 429]
        assert statuses(client, 1, at=OFFICE) == [429]
        assert statuses(program(made(olivia, name="other").secret), 1) == [200]

    def test_is_told_how_long(self, token: NewToken, redis: Redis) -> None:
        client = program(token.secret)
        statuses(client, 3)
        (key,) = redis.keys("runsheet:api:*")
        redis.pexpire(key, 17_200)

        answer = client.get(FILES)

        assert code_of(answer) == (429, "too_many_requests")
        assert answer["Retry-After"] == "18"
        assert answer["RateLimit"] == '"token";r=0;t=18'
        assert (
            answer.json()["detail"] == "Too many requests: at most 3 in a minute are taken from one token. Wait 18 s."
        )

    def test_may_go_on_when_the_minute_is_over(self, token: NewToken, redis: Redis) -> None:
        client = program(token.secret)
        statuses(client, 4)
        (key,) = redis.keys("runsheet:api:*")
        assert 0 < redis.pttl(key) <= 60_000
        redis.delete(key)

        assert statuses(client, 1) == [200]

    def test_is_not_shut_out_for_ever_by_a_count_without_an_end(self, token: NewToken, redis: Redis) -> None:
        redis.set(f"runsheet:api:token:{token.token.pk}", 99)

        assert statuses(program(token.secret), 1) == [429]
        assert 0 < redis.pttl(f"runsheet:api:token:{token.token.pk}") <= 60_000

    def test_may_be_a_person_at_the_console(self, client: Client, olivia: User, token: NewToken) -> None:
        client.force_login(olivia)

        assert statuses(client, 4) == [200, 200, 200, 429]
        assert statuses(program(token.secret), 1) == [200]

    def test_does_not_wait_for_who_tries_tokens_at_the_same_place(self, token: NewToken, client: Client) -> None:
        assert statuses(client, 4) == [401, 401, 429, 429]

        assert statuses(program(token.secret), 1) == [200]

    @pytest.mark.parametrize("held", ["leases:read", "storage:read"])
    def test_is_counted_whatever_the_token_is_for(self, olivia: User, held: str) -> None:
        answer = program(made(olivia, held).secret).get(FILES)

        assert told(answer) == ('"token";q=3;w=60', '"token";r=2;t=60')


class TestWhoIsNotKnown:
    def test_waits_after_so_many_of_one_address(self, client: Client) -> None:
        assert statuses(client, 3) == [401, 401, 429]
        assert statuses(client, 1, at=OFFICE) == [401]

    @pytest.mark.parametrize("shown", ["rst_mistyped", "rst_" + "0" * 49, "forged", "token_expired", "token_revoked"])
    def test_waits_however_wrong_the_tokens_are(self, token: NewToken, shown: str) -> None:
        ended(token.token, shown)
        secret = {"forged": spelling.draw(), "token_expired": token.secret, "token_revoked": token.secret}
        answers = [program(secret.get(shown, shown)).get(FILES) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert "Retry-After" in answers[-1]
        assert code_of(answers[-1]) == (429, "too_many_requests")

    def test_is_counted_by_networks_and_told_in_the_keys_of_nobody(self, client: Client, redis: Redis) -> None:
        assert statuses(client, 1, at="2001:db8::1") == [401]
        assert statuses(client, 2, at="2001:db8::2") == [401, 429]
        assert [key for key in redis.keys("*") if b"2001" in key] == []

    @pytest.mark.parametrize(
        ("method", "url", "status"),
        [
            ("get", FILES, 401),
            ("get", REBUILD, 405),
            ("options", REBUILD, 405),
            ("get", "/api/v1/nothing/", 404),
            ("get", f"{FILES}?q=rst_{'0' * 49}", 400),
        ],
    )
    def test_is_told_on_every_answer(self, client: Client, method: str, url: str, status: int) -> None:
        answer = getattr(client, method)(url)

        assert answer.status_code == status
        assert told(answer) == ('"address";q=2;w=60', '"address";r=1;t=60')

    def test_is_not_counted_at_pages(self, client: Client, redis: Redis) -> None:
        answer = client.get("/admin/login/")

        assert "RateLimit-Policy" not in answer
        assert redis.keys("runsheet:api:*") == []


class TestWithoutRedis:
    def test_nobody_is_refused_and_the_log_says_it_once(
        self, token: NewToken, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        rates._is_silent.clear()

        answers = [program(token.secret).get(FILES) for _ in range(5)]

        assert {answer.status_code for answer in answers} == {200}
        assert answers[0]["RateLimit-Policy"] == '"token";q=3;w=60'
        assert "RateLimit" not in answers[0]
        assert len([each for each in caplog.messages if "requests are not counted" in each]) == 1
        redis_client._silent_until.clear()


class TestWithoutACeiling:
    def test_nothing_is_counted_or_told(self, token: NewToken, settings: Settings, redis: Redis) -> None:
        settings.API_PER_MINUTE = settings.API_UNKNOWN_PER_MINUTE = 0

        assert statuses(program(token.secret), 5) == [200] * 5
        assert "RateLimit-Policy" not in Client().get(FILES)
        assert redis.keys("runsheet:api:*") == []

    def test_of_those_who_are_known_they_are_not_counted_as_somebody_else(
        self, token: NewToken, settings: Settings
    ) -> None:
        settings.API_PER_MINUTE = 0

        assert statuses(program(token.secret), 5) == [200] * 5
        assert statuses(Client(), 3) == [401, 401, 429]

"""Who guesses is stopped; whose name is guessed is not."""

from typing import Any

import pytest
from django.conf import settings as base_settings
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings
from redis import Redis

from console.shell.site import TOO_MANY
from core.base import redis_client
from core.base.clock import now
from core.http import logins
from core.settings import base

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

HOME, OFFICE = "192.0.2.7", "198.51.100.9"
WAIT = TOO_MANY.format(minutes=15)
WRONG = "Please enter the correct username and password"


@pytest.fixture(autouse=True)
def _person(olivia: User) -> None: ...


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches with fewer requests."""
    monkeypatch.setattr(logins, "PER_ADDRESS", 8)
    monkeypatch.setattr(logins, "PER_CROWDED_ADDRESS", 16)
    monkeypatch.setattr(logins, "PER_ACCOUNT", 12)


def said(client: Client, *, username: str = "olivia", password: str = "wrong", at: str = HOME, **headers: Any) -> str:
    """What the login page answers: "in", "wrong" or "wait"."""
    answer = client.post(
        reverse("admin:login"), {"username": username, "password": password}, REMOTE_ADDR=at, headers=headers
    )
    if answer.status_code == 302:
        return "in"
    assert (WRONG in answer.text) != (WAIT in answer.text)
    return "wait" if WAIT in answer.text else "wrong"


@pytest.fixture
def hers() -> Client:
    """A browser in which Olivia has logged in, and out."""
    first, again = Client(), Client()
    assert said(first, password="olivia") == "in"
    again.cookies["browser"] = first.cookies["browser"].value
    return again


class TestGuessing:
    def test_ends_after_five_tries(self, client: Client) -> None:
        assert [said(client) for _ in range(7)] == ["wrong"] * 5 + ["wait"] * 2
        assert said(client, password="olivia") == "wait"

    def test_ends_whatever_the_spelling_of_the_name(self, client: Client) -> None:
        for name in ("olivia", "OLIVIA", " olivia", "Olivia", "oLIVIA "):
            said(client, username=name)

        assert said(client) == "wait"

    def test_ends_whatever_the_name(self, client: Client, few: None) -> None:
        assert [said(client, username=f"name-{n}") for n in range(17)] == ["wrong"] * 16 + ["wait"]

    def test_ends_sooner_for_each_name_when_others_were_tried(self, client: Client, few: None) -> None:
        for n in range(8):
            said(client, username=f"name-{n}")

        assert [said(client) for _ in range(3)] == ["wrong"] * 2 + ["wait"]

    def test_ends_wherever_from(self, client: Client, few: None) -> None:
        answers = [said(client, at=f"203.0.113.{n}") for n in range(13)]

        assert answers == ["wrong"] * 12 + ["wait"]

    def test_tells_nothing_about_who_exists(self, client: Client) -> None:
        assert [said(client, username="nobody") for _ in range(6)] == ["wrong"] * 5 + ["wait"]

    def test_may_go_on_when_the_time_is_over(self, client: Client, redis: Redis) -> None:
        for _ in range(6):
            said(client)
        keys = redis.keys("runsheet:logins:*")
        assert len(keys) == 3
        assert all(0 < redis.ttl(key) <= logins.WINDOW_S for key in keys)

        redis.delete(*keys)

        assert said(client, password="olivia") == "in"

    def test_that_was_refused_does_not_make_the_wait_longer(self, client: Client, redis: Redis) -> None:
        for _ in range(9):
            said(client)

        assert sorted(int(redis.get(key) or 0) for key in redis.keys("runsheet:logins:*")) == [5, 5, 5]

    def test_that_was_refused_leaves_nothing_behind(self, client: Client, redis: Redis, few: None) -> None:
        for n in range(16):
            said(client, username=f"name-{n}")
        before = set(redis.keys("runsheet:logins:*"))

        assert said(client, username="another") == "wait"

        assert set(redis.keys("runsheet:logins:*")) == before

    def test_that_was_none_leaves_nothing_behind(self, client: Client, redis: Redis) -> None:
        assert said(client, password="olivia") == "in"

        assert redis.keys("runsheet:logins:*") == []

    def test_is_told_in_the_keys_of_nobody(self, client: Client, redis: Redis) -> None:
        said(client)

        assert not [key for key in redis.keys("*") if b"olivia" in key or HOME.encode() in key]


class TestTheOneWhoseNameItIs:
    def test_gets_in_from_elsewhere(self, client: Client) -> None:
        for _ in range(9):
            said(client)

        assert said(Client(), password="olivia", at=OFFICE) == "in"

    def test_gets_in_from_the_same_address_with_the_own_browser(self, client: Client, hers: Client, few: None) -> None:
        for n in range(20):
            said(client, username="olivia" if n % 2 else f"name-{n}")

        assert said(hers, password="olivia") == "in"

    def test_gets_in_from_the_same_address_after_many_made_up_names(self, client: Client, few: None) -> None:
        for n in range(12):
            said(client, username=f"name-{n}")

        assert said(Client()) == "wrong"
        assert said(Client(), password="olivia") == "in"

    def test_gets_in_while_everybody_guesses(self, hers: Client, few: None) -> None:
        for n in range(15):
            said(Client(), at=f"203.0.113.{n}")

        assert said(hers, password="olivia", at=OFFICE) == "in"

    def test_may_mistype(self, hers: Client) -> None:
        for _ in range(3):
            assert [said(hers) for _ in range(8)] == ["wrong"] * 8
            assert said(hers, password="olivia") == "in"

    def test_is_not_let_guess_either(self, hers: Client) -> None:
        assert [said(hers) for _ in range(11)] == ["wrong"] * 10 + ["wait"]

    def test_does_not_open_the_way_for_others(self, client: Client, few: None) -> None:
        """Logging in in between is no way to try the passwords of others."""
        mallory = User.objects.create_user("mallory", password="mallory", is_staff=True)

        for n in range(16):
            said(Client(), username=f"name-{n}")
            said(Client(), username=mallory.username, password="mallory")

        assert said(client) == "wait"


class TestKnownBrowser:
    def test_is_one_for_its_own_account_only(self, hers: Client) -> None:
        assert [said(hers, username="mallory") for _ in range(6)] == ["wrong"] * 5 + ["wait"]

    def test_cannot_be_claimed(self, client: Client) -> None:
        client.cookies["browser"] = "a b:c:d"

        assert [said(client) for _ in range(6)] == ["wrong"] * 5 + ["wait"]

    def test_is_told_in_a_cookie_that_no_script_and_no_other_site_sees(self) -> None:
        client = Client()
        said(client, password="olivia")
        cookie = client.cookies["browser"]

        assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", logins.KNOWN_S)
        assert "olivia" not in cookie.value

    def test_is_one_for_each_who_shares_it(self, hers: Client) -> None:
        User.objects.create_user("paul", password="paul", is_staff=True)
        said(hers, username="paul", password="paul")

        for username in ("olivia", "paul"):
            assert [said(hers, username=username) for _ in range(6)] == ["wrong"] * 6

    def test_is_one_for_the_last_few_only(self, hers: Client) -> None:
        for n in range(logins.PEOPLE_PER_BROWSER):
            User.objects.create_user(f"person-{n}", password="own", is_staff=True)
            said(hers, username=f"person-{n}", password="own")

        assert [said(hers, username="person-0") for _ in range(6)] == ["wrong"] * 6
        assert [said(hers) for _ in range(6)] == ["wrong"] * 5 + ["wait"]

    def test_stays_the_same_one(self, hers: Client) -> None:
        before = hers.cookies["browser"].value.split(":")[0]

        said(hers, password="olivia")

        assert hers.cookies["browser"].value.split(":")[0] == before


class TestNetworkOf:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "peer", "network"),
        [
            (0, "", HOME, HOME),
            (0, OFFICE, HOME, HOME),  # nobody asked for it
            (1, OFFICE, HOME, OFFICE),
            (1, f"203.0.113.1, {OFFICE}", HOME, OFFICE),  # the first was sent along
            (2, f"203.0.113.1, {OFFICE}, 10.0.0.1", HOME, OFFICE),
            (2, OFFICE, HOME, OFFICE),
            (1, "", HOME, HOME),
            (1, "unknown", HOME, HOME),
            (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            (0, "", f"::ffff:{HOME}", HOME),
            (0, "", "", ""),
        ],
    )
    def test_is_what_the_outermost_proxy_saw(
        self, settings: Settings, proxies: int, forwarded: str, peer: str, network: str
    ) -> None:
        settings.PROXY_COUNT = proxies
        request = RequestFactory().post("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})

        assert logins.network_of(request) == network


class TestWithoutRedis:
    def test_people_get_in(self, client: Client, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert said(client) == "wrong"
        assert said(client, password="olivia") == "in"

        assert "logins: Redis does not answer, so failed ones are not counted" in caplog.messages
        redis_client._silent_until.clear()


class TestFields:
    def test_that_are_empty_count_for_nothing(self, client: Client, redis: Redis) -> None:
        client.post(reverse("admin:login"), {"username": "olivia", "password": ""})

        assert redis.keys("runsheet:logins:*") == []


def changed(client: Client, old: str, *, new: str = "Zq8!kkkkkk22") -> str:
    """What the page for a new password answers: "done", "wrong" or "wait"."""
    given = {"old_password": old, "new_password1": new, "new_password2": new}
    answer = client.post(reverse("admin:password_change"), given, REMOTE_ADDR=HOME)
    if answer.status_code == 302:
        return "done"
    told = answer.context["form"].errors["old_password"]
    return {"Your old password": "wrong", "Too many attempts": "wait"}[" ".join(told[0].split()[:3])]


class TestPasswordChange:
    @pytest.fixture
    def stolen(self, client: Client, olivia: User) -> Client:
        """Olivia's session in a browser that is not hers."""
        client.force_login(olivia)
        return client

    def test_lets_nobody_guess_the_old_one(self, stolen: Client) -> None:
        assert [changed(stolen, f"wrong-{n}") for n in range(7)] == ["wrong"] * 5 + ["wait"] * 2
        assert changed(stolen, "olivia") == "wait"

    def test_counts_together_with_logins(self, stolen: Client) -> None:
        for _ in range(5):
            changed(stolen, "wrong")

        assert said(Client()) == "wait"

    def test_forgets_what_was_mistyped_before(self, stolen: Client, redis: Redis) -> None:
        assert changed(stolen, "wrong") == "wrong"

        assert changed(stolen, "olivia") == "done"

        assert User.objects.get(username="olivia").check_password("Zq8!kkkkkk22")
        assert len(redis.keys("runsheet:logins:*")) == 2

    def test_counts_no_new_one_that_is_too_weak(self, stolen: Client, redis: Redis) -> None:
        stolen.post(
            reverse("admin:password_change"), {"old_password": "olivia", "new_password1": "1", "new_password2": "1"}
        )

        assert redis.keys("runsheet:logins:*") == []


class TestPasswords:
    def test_are_stored_by_argon2(self, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS

        assert make_password("secret").startswith(f"{Argon2PasswordHasher.algorithm}$argon2id$")

    def test_that_were_stored_otherwise_become_argon2(self, client: Client, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
        User.objects.filter(username="olivia").update(password=make_password("olivia", hasher="pbkdf2_sha256"))

        assert said(client, password="olivia") == "in"

        assert User.objects.get(username="olivia").password.startswith("argon2$")


class TestSession:
    def test_ends_although_the_browser_keeps_its_cookie(self, client: Client) -> None:
        assert said(client, password="olivia") == "in"
        assert client.get(reverse("admin:index")).status_code == 200
        ends_in = Session.objects.get().expire_date - now()
        assert ends_in.total_seconds() == pytest.approx(base.SESSION_COOKIE_AGE, abs=60)

        Session.objects.update(expire_date=now())

        assert client.get(reverse("admin:index")).status_code == 302

    def test_ends_with_the_logout(self, client: Client) -> None:
        said(client, password="olivia")
        kept = client.cookies[base_settings.SESSION_COOKIE_NAME].value

        client.post(reverse("admin:logout"))

        client.cookies[base_settings.SESSION_COOKIE_NAME] = kept
        assert client.get(reverse("admin:index")).status_code == 302

"""The page of one's own tokens: shown once, kept nowhere, ended by one's own hand; and everybody's, for administrators."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from api.models import ApiToken
from api.services import tokens
from core.base.clock import now
from tests.api.conftest import FILES, made, program
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

HERE = "/tokens/"
LIST = "/admin/api/apitoken/"
FORM = {"name": "Nightly export", "scopes": ["storage:read"], "lasts": "30"}
SECRET = re.compile(r"rst_[0-9A-Za-z]{49}")


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(db: None) -> User:
    return in_role("Operator")


def error_in(answer: Any) -> str:
    found = re.search(r'<ul class="errorlist[^>]*><li>(.*?)</li>', answer.text)
    return found[1] if found else ""


class TestMaking:
    def test_shows_the_secret_once_and_lets_nobody_keep_it(self, operator: User) -> None:
        browser = logged_in(operator)

        answer = browser.post(HERE, FORM)

        (secret,) = set(SECRET.findall(answer.text))
        assert "no-store" in answer["Cache-Control"]
        assert (answer.status_code, "Location" in answer) == (200, False)
        assert program(secret).get(FILES).status_code == 200
        assert not SECRET.search(browser.get(HERE).text)
        assert "Nightly export" in browser.get(HERE).text
        assert not [each for each in Session.objects.all() if "rst_" in str(each.get_decoded())]
        assert secret not in str(answer.headers) + str(browser.cookies)

    def test_made_by_pressing_reload_is_none(self, operator: User) -> None:
        browser = logged_in(operator)
        browser.post(HERE, FORM)

        again = browser.post(HERE, FORM)

        assert (
            error_in(again) == "You have a token of that name already. Take another name, or revoke that token first."
        )
        assert not SECRET.search(again.text)
        assert ApiToken.objects.count() == 1

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"name": ""}, "This field is required."),
            (
                {"name": "a\u202eb"},
                "A token needs a name of at most 100 characters, by which you know later what uses it.",
            ),
            ({"scopes": []}, "This field is required."),
            ({"scopes": ["all"]}, "Select a valid choice. all is not one of the available choices."),
            ({"lasts": "3650"}, "Select a valid choice. 3650 is not one of the available choices."),
            ({"lasts": ""}, "This field is required."),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, operator: User, given: dict[str, Any], sentence: str) -> None:
        answer = logged_in(operator).post(HERE, FORM | given)

        assert error_in(answer) == sentence
        assert not ApiToken.objects.exists()

    def test_says_what_is_about_no_field(self, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "TOKENS_AT_MOST", 0)

        assert "as many tokens as one person may have" in error_in(logged_in(operator).post(HERE, FORM))

    def test_escapes_its_name(self, operator: User) -> None:
        page = logged_in(operator).post(HERE, FORM | {"name": "<script>alert(1)</script>"}).text

        assert "<script>alert" not in page

    def test_needs_the_token_of_the_form(self, operator: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(operator)

        assert browser.post(HERE, FORM).status_code == 403
        assert not ApiToken.objects.exists()

    def test_takes_a_session_and_no_token(self, operator: User) -> None:
        """Else whoever has found a token could make one that outlives it."""
        thief = program(made(operator).secret)

        assert thief.post(HERE, FORM)["Location"].startswith("/admin/login/")
        assert ApiToken.objects.count() == 1


class TestThePage:
    def test_is_reached_from_every_page(self, operator: User) -> None:
        assert f'href="{HERE}"' in logged_in(operator).get("/admin/").text

    def test_shows_nobody_elses(self, operator: User, olivia: User) -> None:
        made(olivia, name="olivia's own")

        page = logged_in(operator).get(HERE).text

        assert "You have no token that works." in page
        assert "olivia&#x27;s own" not in page

    def test_shows_what_has_ended_and_by_whom(self, operator: User, olivia: User) -> None:
        gone, late = made(operator, name="gone-one").token, made(operator, name="late-one").token
        tokens.revoke(token_id=gone.pk, by=olivia, at=now())
        ApiToken.objects.filter(pk=late.pk).update(
            created_at=now() - timedelta(days=9), expires_at=now() - timedelta(1)
        )

        page = logged_in(operator).get(HERE).text

        assert page.index("Tokens that have ended") < page.index("late-one") < page.index("gone-one")
        assert ">olivia</td>" in page
        assert ">Time</td>" in page


class TestRevoking:
    def test_refuses_the_program_at_once(self, operator: User) -> None:
        new = made(operator)
        browser, client = logged_in(operator), program(new.secret)
        assert client.get(FILES).status_code == 200

        answer = browser.post(reverse("api_token_revoke", args=[new.token.pk]))

        assert answer["Location"] == HERE
        assert client.get(FILES).json()["code"] == "token_revoked"
        assert "The token “nightly” is revoked." in browser.get(HERE).text

    def test_of_another_persons_does_nothing_and_tells_nothing(self, operator: User, olivia: User) -> None:
        new, browser = made(olivia, name="olivia's own"), logged_in(operator)

        answer = browser.post(reverse("api_token_revoke", args=[new.token.pk]))

        assert (answer.status_code, browser.post(reverse("api_token_revoke", args=[0])).status_code) == (404, 404)
        assert "olivia&#x27;s own" not in answer.text + browser.get(HERE).text
        assert ApiToken.objects.get().revoked_at is None

    @pytest.mark.parametrize(
        "to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil", "/x\n"]
    )
    def test_leads_nowhere_else(self, operator: User, to: str) -> None:
        pk = made(operator).token.pk

        assert logged_in(operator).post(reverse("api_token_revoke", args=[pk]), {"next": to})["Location"] == HERE


class TestEverybodys:
    def test_are_seen_and_revoked_by_administrators(self, operator: User) -> None:
        new, browser = made(operator), logged_in(in_role("Administrator"))
        page = f"{LIST}{new.token.pk}/change/"

        assert "nightly" in browser.get(LIST).text
        shown = browser.get(page).text
        assert new.token.digest not in shown
        action = reverse("api_token_revoke", args=[new.token.pk])
        assert f'formaction="{action}"' in shown
        assert browser.post(action, {"next": page})["Location"] == page
        ended = browser.get(page).text
        assert "formaction" not in ended
        assert re.search(r"</time> by administrator", ended, re.IGNORECASE | re.DOTALL)

    @pytest.mark.parametrize(
        ("standing", "names"), [("works", {"alive"}), ("expired", {"late"}), ("revoked", {"gone"}), ("x", None)]
    )
    def test_are_narrowed_by_how_they_stand(self, operator: User, standing: str, names: set[str] | None) -> None:
        every = {name: made(operator, name=name).token for name in ("alive", "late", "gone")}
        nobody = User.objects.create_user("nobody", is_active=False)
        made(nobody, name="idle")
        tokens.revoke(token_id=every["gone"].pk, by=operator, at=now())
        ApiToken.objects.filter(name="late").update(created_at=now() - timedelta(9), expires_at=now() - timedelta(1))

        page = logged_in(in_role("Administrator")).get(f"{LIST}?standing={standing}").text

        shown = set(re.findall(r"change/[^>]*>(\w+)</a></th>", page))
        assert shown == (names if names is not None else {"alive", "late", "gone", "idle"})

    def test_go_with_their_person(self, operator: User) -> None:
        made(operator)
        browser = logged_in(in_role("Administrator"))

        browser.post(f"/admin/auth/user/{operator.pk}/delete/", {"post": "yes"})

        assert not User.objects.filter(pk=operator.pk).exists()
        assert not ApiToken.objects.exists()

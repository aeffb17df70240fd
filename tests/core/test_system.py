"""The system page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from redis import Redis

from core import system
from core.ops.doctor.finding import Finding, Mark
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestSystem:
    def test_says_what_is_wrong_and_what_to_do(
        self, client: Client, olivia: User, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = [
            ("Workers", Finding(Mark.OK, "2 on “discovery”")),
            ("Workers", Finding(Mark.WRONG, "none on “other”", "Start some.")),
            ("E-mail", Finding(Mark.NOTE, "no mail server is set", "Set EMAIL_URL.")),
        ]
        monkeypatch.setattr(system, "examine", lambda: found)
        client.force_login(olivia)

        answer = client.get("/admin/system/")

        assert [(part.name, part.mark) for part in answer.context["parts"]] == [
            ("Workers", Mark.WRONG),
            ("E-mail", Mark.NOTE),
        ]
        assert "1 part of the system needs attention." in answer.text
        assert "Start some." in answer.text

    def test_looks_at_the_real_system(self, client: Client, redis: Redis) -> None:
        client.force_login(in_role("Administrator"))

        text = client.get("/admin/system/").text

        assert "No worker" not in text
        assert "none on “discovery”" in text
        assert 'href="/admin/django_rq/dashboard/"' in text

    def test_is_for_who_looks_after_it(self, client: Client) -> None:
        client.force_login(in_role("Operator"))

        assert client.get("/admin/system/").status_code == 403

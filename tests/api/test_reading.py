"""The description as it is asked for, and the page to read it."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.api.conftest import code_of, made, program
from tests.api.description import made as described

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ADDRESS = "/api/v1/openapi.json"


class TestDescription:
    def test_is_for_whoever_has_logged_in(self, olivia: User) -> None:
        client = Client()
        assert code_of(client.get(ADDRESS)) == (401, "not_logged_in")

        client.force_login(olivia)
        answer = client.get(ADDRESS)

        assert (answer["Content-Type"], json.loads(answer.content)) == ("application/json", described())

    def test_is_for_each_token_to_look_at(self, olivia: User) -> None:
        client = program(made(olivia, "leases:read").secret)

        assert client.get(ADDRESS).status_code == 200
        assert client.head(ADDRESS).status_code == 200
        assert client.post(ADDRESS).status_code == 405

    def test_is_not_sent_to_who_has_it(self, olivia: User) -> None:
        client = program(made(olivia).secret)
        etag = client.get(ADDRESS)["ETag"]

        answer = client.get(ADDRESS, headers={"If-None-Match": etag})

        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)


class TestPage:
    def test_names_the_description(self, olivia: User) -> None:
        client = Client()
        client.force_login(olivia)

        answer = client.get(reverse("interface"))

        assert f'data-description="{ADDRESS}"' in answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]

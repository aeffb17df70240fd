"""Queries that hold what nobody asked for."""

import pytest
from django.test import Client

from api.services.tokens import NewToken
from storage.models import IndexRun
from tests.api.conftest import FILES, REBUILD, code_of, program

pytestmark = pytest.mark.django_db


class TestParameter:
    @pytest.mark.parametrize("address", [FILES, "/api/v1/leases/", "/api/v1/leases/7/", "/api/v1/documents/usage/"])
    def test_is_refused_where_there_is_none_of_that_name(self, token: NewToken, address: str) -> None:
        answer = program(token.secret).get(f"{address}?limt=5&Limit=5")

        assert code_of(answer) == (422, "invalid")
        assert answer.json()["errors"] == [
            {"field": "Limit", "detail": "There is no parameter “Limit”."},
            {"field": "limt", "detail": "There is no parameter “limt”."},
        ]

    def test_is_refused_before_anything_is_done(self, token: NewToken) -> None:
        answer = program(token.secret).post(
            f"{REBUILD}?moed=sync", {"mode": "sync"}, content_type="application/json", headers={"Idempotency-Key": "k"}
        )

        assert code_of(answer) == (422, "invalid")
        assert not IndexRun.objects.exists()

    def test_is_no_matter_to_who_is_not_known(self, client: Client) -> None:
        assert code_of(client.get(f"{FILES}?limt=5")) == (401, "not_logged_in")

    def test_is_taken_as_often_as_it_is_known(self, token: NewToken) -> None:
        assert code_of(program(token.secret).get(f"{FILES}?limit=5")) == (200, "")

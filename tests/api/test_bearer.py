"""Who asks, by a token: what opens nothing, what is not for that, and what is never looked at."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from api import spelling
from api.models import ApiToken
from api.scopes import Scope
from api.services.tokens import NewToken
from core.base.clock import now
from storage.models import IndexRun, StorageRoot
from tests.api.conftest import FILES, REBUILD, code_of, ended, made, program
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

NEAR = "/api/v1/leases/near/?agency=BLM&number=NMNM+1"


class TestAToken:
    def test_lets_a_program_in_without_cookie_and_csrf(self, token: NewToken) -> None:
        client = program(token.secret, Client(enforce_csrf_checks=True))
        StorageRoot.objects.create(name="documents")

        assert client.get(FILES).status_code == 200
        answer = client.post(REBUILD, {"mode": "audit"}, content_type="application/json")
        assert (answer.status_code, IndexRun.objects.get().initiated_by) == (202, token.token.user)
        assert not client.cookies

    @pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
    def test_is_known_however_its_scheme_is_written(self, token: NewToken, client: Client, scheme: str) -> None:
        assert client.get(FILES, headers={"authorization": f"{scheme} {token.secret} "}).status_code == 200

    @pytest.mark.parametrize(
        "said",
        [
            "",
            "x",
            "rst_",
            "rst_" + "0" * 49,
            "ghp_" + "0" * 36,
            "٣" * 53,
            "\x00",
            "a, Bearer b",
            "rst_" + "é" * 49,
            "x" * 4_000,
        ],
    )
    def test_that_is_none_is_refused_without_a_question(self, client: Client, said: str) -> None:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(FILES, headers={"authorization": f"Bearer {said}"})

        assert code_of(answer) == (401, "token_refused")
        assert answer["WWW-Authenticate"] == 'Bearer realm="Runsheet", error="invalid_token"'
        assert len(asked) == 0

    def test_that_is_mistyped_is_refused_without_a_question(self, token: NewToken) -> None:
        for at in (4, 20, 46, 47, 52):
            other = "0" if token.secret[at] != "0" else "1"
            with CaptureQueriesContext(connection) as asked:
                answer = program(f"{token.secret[:at]}{other}{token.secret[at + 1 :]}").get(FILES)

            assert (code_of(answer), len(asked)) == ((401, "token_refused"), 0)

    def test_that_is_forged_with_a_right_sum_is_refused(self, token: NewToken) -> None:
        assert code_of(program(spelling.draw()).get(FILES)) == (401, "token_refused")

    def test_is_not_what_is_kept_of_it(self, token: NewToken) -> None:
        assert code_of(program(token.token.digest).get(FILES)) == (401, "token_refused")

    @pytest.mark.parametrize("how", ["token_expired", "token_revoked", "token_owner_inactive", "token_refused"])
    def test_that_has_ended_is_refused_at_once_and_costs_as_much(self, token: NewToken, how: str) -> None:
        client = program(token.secret)
        assert client.get(FILES).status_code == 200
        ended(token.token, how)

        with CaptureQueriesContext(connection) as asked:
            answer = client.get(FILES)

        assert code_of(answer) == (401, how)
        assert len(asked) == 1

    def test_that_is_refused_lets_nobody_in_by_the_session_beside(self, client: Client, olivia: User) -> None:
        client.force_login(olivia)

        assert client.get(FILES).status_code == 200
        assert code_of(program("rst_no", client).get(FILES)) == (401, "token_refused")

    def test_counts_for_more_than_the_session_beside(self, client: Client, token: NewToken) -> None:
        """The session's person might not do it; and what the session may is no business of the token."""
        client.force_login(in_role("Viewer"))
        StorageRoot.objects.create(name="documents")

        answer = program(token.secret, client).post(REBUILD, {}, content_type="application/json")

        assert (answer.status_code, IndexRun.objects.get().initiated_by) == (202, token.token.user)

    def test_leaves_other_schemes_to_the_session(self, client: Client, olivia: User) -> None:
        client.force_login(olivia)

        assert client.get(FILES, headers={"authorization": "Basic b2xpdmlhOng="}).status_code == 200

    @pytest.mark.parametrize("said", ["access_token={}", "token={}", "q=x&search=Bearer+{}", "search=%2572st_{rest}"])
    def test_in_an_address_is_refused_whoever_asks(self, client: Client, token: NewToken, said: str) -> None:
        client.force_login(token.token.user)
        query = said.format(token.secret, rest=token.secret[4:])

        assert code_of(client.get(f"{FILES}?{query}")) == (400, "token_in_address")
        assert code_of(program(token.secret, client).get(f"{FILES}?{query}")) == (400, "token_in_address")

    @pytest.mark.parametrize("method", ["head", "options"])
    def test_opens_no_method_that_there_is_not(self, token: NewToken, method: str) -> None:
        """What is answered to it is answered to everybody."""
        assert getattr(program(token.secret), method)(REBUILD).status_code == 405
        assert getattr(Client(), method)(REBUILD).status_code == 405

    def test_stands_in_no_log(self, token: NewToken, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        for secret in (token.secret, spelling.draw(), token.secret[:-1]):
            program(secret).get(FILES)
        ended(token.token, "token_expired")
        program(token.secret).get(FILES)

        assert "token_expired" in caplog.text
        assert token.secret[4:-6] not in caplog.text


class TestUse:
    def test_is_noted_once_in_a_minute(self, token: NewToken) -> None:
        client, of = program(token.secret), ApiToken.objects.filter(pk=token.token.pk)
        client.get(FILES)
        first = of.get().last_used_at
        client.get(FILES)

        assert first is not None
        assert of.get().last_used_at == first
        of.update(last_used_at=now() - timedelta(minutes=2))
        client.get(FILES)
        assert of.get().last_used_at not in (None, first)

    def test_is_not_noted_of_what_was_refused(self, olivia: User) -> None:
        new = made(olivia, Scope.LEASES_READ)

        assert code_of(program(new.secret).get(FILES)) == (403, "scope_missing")
        assert ApiToken.objects.get().last_used_at is None


class TestScopes:
    @pytest.mark.parametrize(
        ("held", "missing"),
        [
            ([Scope.STORAGE_READ], {"rebuild": "storage:write", "near": "leases:read"}),
            ([Scope.STORAGE_WRITE], {"near": "leases:read"}),
            ([Scope.LEASES_WRITE, Scope.STORAGE_READ], {"rebuild": "storage:write"}),
            (
                [Scope.DOCUMENTS_WRITE],
                {"files": "storage:read", "rebuild": "storage:write", "near": "leases:read"},
            ),
        ],
    )
    def test_say_what_a_token_is_for(self, olivia: User, held: list[str], missing: dict[str, str]) -> None:
        client = program(made(olivia, *held).secret)
        StorageRoot.objects.create(name="documents")
        answers = {
            "files": client.get(FILES),
            "near": client.get(NEAR),
            "rebuild": client.post(REBUILD, {}, content_type="application/json"),
        }

        refused = {name: answer for name, answer in answers.items() if answer.status_code == 403}
        assert {name: code_of(answer) for name, answer in refused.items()} == dict.fromkeys(
            missing, (403, "scope_missing")
        )
        for name, answer in refused.items():
            assert missing[name] in answer.json()["detail"]
            assert f'error="insufficient_scope", scope="{missing[name]}"' in answer["WWW-Authenticate"]

    def test_that_were_taken_from_a_token_are_gone_at_once(self, token: NewToken) -> None:
        client = program(token.secret)
        assert client.get(FILES).status_code == 200
        ApiToken.objects.update(scopes=[Scope.LEASES_READ])

        assert code_of(client.get(FILES)) == (403, "scope_missing")

    def test_give_nobody_a_right_that_the_person_lacks(self) -> None:
        viewer = in_role("Viewer")
        client = program(made(viewer).secret)

        assert client.get(FILES).status_code == 200
        assert code_of(client.post(REBUILD, {}, content_type="application/json")) == (403, "transition_forbidden")
        viewer.groups.clear()
        assert code_of(client.get(FILES)) == (403, "forbidden")

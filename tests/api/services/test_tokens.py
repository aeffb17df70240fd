"""Tokens are made and ended; what was shown once is nowhere afterwards."""

import logging
import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, connection, transaction

from api import spelling
from api.errors import (
    OwnerInactive,
    ScopesUnknown,
    TokenExpired,
    TokenGone,
    TokenNameTaken,
    TokenRefused,
    TokenRevoked,
    TokenTooLong,
    TokenUnnamed,
    TooManyTokens,
)
from api.models import ApiToken
from api.scopes import Scope
from api.services import tokens
from core.base.clock import now
from core.ops.redaction import redact_text
from tests.api.conftest import made
from tests.roles import in_role

pytestmark = pytest.mark.django_db

AT = now()


class TestMake:
    def test_keeps_a_digest_and_nothing_that_opens(self, olivia: User) -> None:
        new = tokens.make(by=olivia, name="  Nightly   export ", scopes=["storage:read", "leases:write"], lasts=timedelta(days=30), at=AT)  # fmt: skip

        row = ApiToken.objects.values().get()
        assert (row["name"], row["scopes"]) == ("Nightly export", ["leases:write", "storage:read"])
        assert (row["created_at"], row["expires_at"]) == (AT, AT + timedelta(days=30))
        assert (row["hint"], row["digest"]) == (new.secret[-4:], spelling.digest(new.secret))
        assert {row["last_used_at"], row["revoked_at"], row["revoked_by_id"]} == {None}
        assert new.secret[4:-6] not in str(row)
        assert new.secret not in repr(new) + str(new.token)

    def test_draws_each_anew_and_spells_it_so_that_scanners_know_it(self, olivia: User) -> None:
        drawn = {spelling.draw() for _ in range(200)}

        assert len(drawn) == 200
        assert {(len(each), each[:4], each.isascii(), spelling.is_right(each)) for each in drawn} == {
            (53, "rst_", True, True)
        }
        assert {redact_text(f"say {each}!") for each in drawn} == {"say [redacted]!"}

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"name": ""}, TokenUnnamed),
            ({"name": " \t"}, TokenUnnamed),
            ({"name": "x" * 101}, TokenUnnamed),
            ({"name": "a\x00b"}, TokenUnnamed),
            ({"name": "a\u202eb"}, TokenUnnamed),
            ({"scopes": []}, ScopesUnknown),
            ({"scopes": ["leases:read", "everything"]}, ScopesUnknown),
            ({"lasts": timedelta(hours=23)}, TokenTooLong),
            ({"lasts": timedelta(days=366)}, TokenTooLong),
            ({"lasts": timedelta(days=-1)}, TokenTooLong),
        ],
    )
    def test_refuses_what_no_token_can_be(self, olivia: User, given: dict[str, object], error: type[Exception]) -> None:
        right = {"name": "x", "scopes": ["leases:read"], "lasts": timedelta(days=1), **given}

        with pytest.raises(error):
            tokens.make(by=olivia, at=AT, **right)  # type: ignore[arg-type]  # some of it is wrong
        assert not ApiToken.objects.exists()

    def test_refuses_a_second_one_of_a_name_in_any_case_but_not_another_persons(self, olivia: User) -> None:
        first = made(olivia, name="Straße").token

        with pytest.raises(TokenNameTaken):
            made(olivia, name="STRAßE")
        made(in_role("Viewer"), name="Straße")
        tokens.revoke(token_id=first.pk, by=olivia, at=now())
        assert made(olivia, name="straße").token.pk != first.pk

    def test_refuses_more_than_one_person_may_have(self, olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "TOKENS_AT_MOST", 2)
        made(olivia, name="1")
        made(olivia, name="2")

        with pytest.raises(TooManyTokens):
            made(olivia, name="3")
        ApiToken.objects.filter(name="1").update(created_at=AT - timedelta(days=2), expires_at=AT - timedelta(days=1))
        made(olivia, name="3")

    def test_says_in_the_log_who_made_it_and_not_what(self, olivia: User, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)

        new = made(olivia, "leases:read")

        assert f"api: user {olivia.pk} has made the token number {new.token.pk}, for leases:read" in caplog.messages
        assert new.secret not in caplog.text


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_make_one_of_a_name(self, olivia: User) -> None:
        begin, failed = threading.Barrier(4), list[Exception]()

        def one() -> None:
            begin.wait()
            try:
                made(olivia)
            except TokenNameTaken as error:
                failed.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (len(failed), ApiToken.objects.count()) == (3, 1)


class TestTheTable:
    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"scopes": []}, "has_scopes"),
            ({"scopes": ["everything"]}, "has_scopes"),
            ({"expires_at": AT - timedelta(days=1)}, "ends"),
            ({"expires_at": AT + timedelta(days=400)}, "ends"),
            ({"digest": "rst_0"}, "is_a_digest"),
            ({"name": ""}, "is_a_digest"),
        ],
    )
    def test_takes_nothing_that_the_service_would_not(
        self, olivia: User, values: dict[str, object], constraint: str
    ) -> None:
        made(olivia)

        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ApiToken.objects.update(**values)


class TestFind:
    def test_knows_whose_it_is(self, olivia: User) -> None:
        new = made(olivia)

        assert tokens.find(text=new.secret, at=now()).user == olivia

    def test_ends_with_its_time_to_the_moment(self, olivia: User) -> None:
        new = made(olivia)
        ends = new.token.expires_at

        assert tokens.find(text=new.secret, at=ends - timedelta(microseconds=1)) == new.token
        with pytest.raises(TokenExpired):
            tokens.find(text=new.secret, at=ends)

    @pytest.mark.parametrize("text", ["", "rst_", "forged"])
    def test_knows_no_other(self, text: str) -> None:
        with pytest.raises(TokenRefused):
            tokens.find(text=spelling.draw() if text == "forged" else text, at=now())

    def test_says_first_that_it_is_revoked_and_works_again_for_who_is_active_again(self, olivia: User) -> None:
        new = made(olivia)
        User.objects.update(is_active=False)
        with pytest.raises(OwnerInactive):
            tokens.find(text=new.secret, at=now())
        User.objects.update(is_active=True)
        assert tokens.find(text=new.secret, at=now())

        tokens.revoke(token_id=new.token.pk, by=olivia, at=now())
        with pytest.raises(TokenRevoked):
            tokens.find(text=new.secret, at=now() + timedelta(days=999))


class TestRevoke:
    def test_says_who_and_when_and_once_more_changes_nothing(
        self, olivia: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        nina = in_role("Operator")
        new = made(nina)

        assert tokens.revoke(token_id=new.token.pk, by=nina, at=AT).revoked_at == AT
        again = tokens.revoke(token_id=new.token.pk, by=olivia, at=now())

        assert (again.revoked_by, again.revoked_at) == (nina, AT)
        said = f"api: user {nina.pk} has revoked the token number {new.token.pk} of user {nina.pk}"
        assert [each for each in caplog.messages if "revoked" in each] == [said]

    def test_is_not_for_another_persons(self, olivia: User) -> None:
        new = made(olivia)

        for role in ("Viewer", "Operator"):
            with pytest.raises(TokenGone):
                tokens.revoke(token_id=new.token.pk, by=in_role(role), at=now())
        with pytest.raises(TokenGone):
            tokens.revoke(token_id=0, by=olivia, at=now())
        assert ApiToken.objects.get().revoked_at is None

    def test_is_for_administrators(self, olivia: User) -> None:
        ada = in_role("Administrator")

        assert tokens.revoke(token_id=made(olivia).token.pk, by=ada, at=AT).revoked_by == ada

    def test_stays_known_when_who_did_it_is_gone(self, olivia: User) -> None:
        ada = in_role("Administrator")
        tokens.revoke(token_id=made(olivia).token.pk, by=ada, at=AT)
        ada.delete()

        row = ApiToken.objects.get()
        assert (row.revoked_at, row.revoked_by) == (AT, None)


def test_rights_on_tokens_are_to_see_and_to_revoke() -> None:
    assert set(Permission.objects.filter(content_type__app_label="api").values_list("codename", flat=True)) >= {
        "view_apitoken",
        "revoke_apitoken",
    }
    assert Scope.values == [
        f"{area}:{what}" for area in ("leases", "storage", "documents") for what in ("read", "write")
    ]

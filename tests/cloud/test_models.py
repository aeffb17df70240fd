from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from core.base.clock import shared_now
from tests.factories import account

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class TestHasValidToken:
    @pytest.mark.parametrize(
        ("token", "expires_at", "valid"),
        [
            ("t", NOON + 5 * MINUTE + SECOND, True),
            ("t", NOON + 5 * MINUTE, False),
            ("t", NOON - SECOND, False),
            ("t", None, False),
            ("", NOON + 60 * MINUTE, False),
        ],
    )
    def test_asks_for_five_minutes_more(self, token: str, expires_at: datetime | None, valid: bool) -> None:
        given = account(access_token=token, access_token_expires_at=expires_at)

        assert given.has_valid_token(at=NOON) is valid


class TestPauseLeft:
    @pytest.mark.parametrize(("until", "left_s"), [(None, 0), (NOON - SECOND, 0), (NOON + MINUTE, 60)])
    def test_is_what_remains(self, until: datetime | None, left_s: float) -> None:
        assert account(paused_until=until).pause_left_s(at=NOON) == left_s


class TestTeamSpace:
    @pytest.mark.parametrize(("root", "is_one"), [(account().home_namespace_id, False), ("78", True)])
    def test_begins_elsewhere_than_the_home(self, root: str, is_one: bool) -> None:
        assert account(root_namespace_id=root).is_team_space is is_one


class TestText:
    def test_is_the_name(self) -> None:
        assert str(account()) == "Olivia"

    def test_is_the_account_id_when_there_is_no_name(self) -> None:
        assert str(account(display_name="")) == "dbid:1"

    def test_shows_no_token(self) -> None:
        assert "secret" not in f"{account()!r} {account()}"


@pytest.mark.django_db
class TestPause:
    def test_holds_for_everybody_who_uses_the_account(self, olivia: User, django_user_model: type[User]) -> None:
        oscar, ada = (django_user_model.objects.create_user(name) for name in ("oscar", "ada"))
        for user, account_id in ((olivia, "dbid:1"), (oscar, "dbid:1"), (ada, "dbid:2")):
            account(user=user, account_id=account_id).save()

        DropboxAccount.objects.pause(account_id="dbid:1", pause_s=60)

        at = shared_now()
        left_s = {each.user.username: each.pause_left_s(at=at) for each in DropboxAccount.objects.all()}
        assert left_s == {"olivia": pytest.approx(60, abs=5), "oscar": pytest.approx(60, abs=5), "ada": 0}

    @pytest.mark.parametrize(("asked_s", "left_s"), [(120, 120), (5, 60)])
    def test_is_the_longest_that_was_asked_for(self, olivia: User, asked_s: float, left_s: float) -> None:
        account(user=olivia, paused_until=shared_now() + MINUTE).save()

        DropboxAccount.objects.pause(account_id="dbid:1", pause_s=asked_s)

        assert DropboxAccount.objects.get().pause_left_s(at=shared_now()) == pytest.approx(left_s, abs=5)


@pytest.mark.django_db
class TestMoveRoot:
    def test_holds_for_everybody_who_uses_the_account(self, olivia: User, django_user_model: type[User]) -> None:
        oscar = django_user_model.objects.create_user("oscar")
        for user in (olivia, oscar):
            account(user=user).save()

        DropboxAccount.objects.move_root(account_id="dbid:1", root_namespace_id="9", home_namespace_id="8")

        roots = DropboxAccount.objects.values_list("root_namespace_id", "home_namespace_id")
        assert list(roots) == [("9", "8"), ("9", "8")]

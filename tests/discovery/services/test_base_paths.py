from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as RedisConnectionError

from cloud.dropbox import gateway_for
from cloud.errors import NotFound
from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.errors import BasePathMissing
from discovery.services.base_paths import confirm_not_found
from leases.models import NOBODY, Lease, Origin
from statemachine.models import TransitionLog
from tests.factories import ARCHIVE, BLM, NUMBER

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


def the_lease() -> Lease:
    return Lease.objects.get_or_create(agency="BLM", lease_number=NUMBER)[0]


def confirm(user: User, *, was_there: bool = False) -> Origin:
    return confirm_not_found(
        gateway=gateway_for(user),
        path=ARCHIVE,
        answer=NotFound(),
        known=NOBODY if was_there else None,
        lease=the_lease(),
    )


class TestConfirmNotFound:
    def test_asks_once_and_remembers(self, dropbox: "Standin", operator: User) -> None:
        confirm(operator)
        confirm(operator)

        assert dropbox.calls() == {"files/get_metadata": 1}

    def test_looks_again_where_something_was_found_before(self, dropbox: "Standin", operator: User) -> None:
        confirm(operator)
        dropbox.delete(BLM)

        with pytest.raises(BasePathMissing):
            confirm(operator, was_there=True)

    def test_does_not_remember_that_it_is_missing(self, dropbox: "Standin", operator: User) -> None:
        dropbox.delete(BLM)
        with pytest.raises(BasePathMissing):
            confirm(operator)
        dropbox.put(f"{BLM}/")

        confirm(operator)

        assert dropbox.calls() == {"files/get_metadata": 2}

    def test_a_file_in_its_place_is_no_folder(self, dropbox: "Standin", operator: User) -> None:
        dropbox.delete(BLM)
        dropbox.put(BLM)

        with pytest.raises(BasePathMissing):
            confirm(operator)

    def test_asks_dropbox_while_the_cache_is_away(
        self, dropbox: "Standin", operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise RedisConnectionError

        monkeypatch.setattr(cache, "get", away)
        monkeypatch.setattr(cache, "set", away)

        confirm(operator)
        confirm(operator)

        assert dropbox.calls() == {"files/get_metadata": 2}


def account() -> DropboxAccount:
    return DropboxAccount.objects.get(user__username="olivia")


def person(name: str, **values: Any) -> DropboxAccount:
    """A colleague whose Dropbox is connected as well."""
    user = User.objects.create_user(name, is_active=values.pop("is_active", True))
    return DropboxAccount.objects.create(
        user=user, account_id=f"dbid:{name}", display_name=name.title(), connected_at=now(), **values
    )


def answered(number: str, account_id: str, *, day: int | None = 2, folder: str = BLM, **values: Any) -> Lease:
    """A lease whose last answer an account has given; if it has failed, that was on the 9th."""
    known_at = datetime(2026, 3, day, 12, tzinfo=UTC) if day else None
    at = datetime(2026, 3, 9, tzinfo=UTC)
    return Lease.objects.create(
        agency="BLM", lease_number=number, known_base_path=folder, known_account=account_id, known_at=known_at,
        entered_at=at, **{"state": "not_found"} | values,
    )  # fmt: skip


def failed(number: str, user: User, *, code: str = "base_path_missing") -> Lease:
    return answered(number, "", day=None, folder="", state="failed", failure_code=code, initiated_by=user)


class TestAFolderThatIsNotThere:
    """Whose Dropbox lacks it is said, and who has seen it there."""

    @pytest.fixture
    def gone(self, operator: User, dropbox: "Standin") -> User:
        dropbox.delete(BLM)
        return operator

    def raised(self, user: User, *, known: Origin | None = None) -> BasePathMissing:
        with pytest.raises(BasePathMissing) as raised:
            confirm_not_found(
                gateway=gateway_for(user), path=ARCHIVE, answer=NotFound(), known=known, lease=the_lease()
            )
        return raised.value

    def test_for_anybody_is_looked_for_at_another_path(self, gone: User) -> None:
        error = self.raised(gone)

        assert f"is not in the Dropbox of {account()}. Correct the agency's configuration, or" in str(error)
        assert "seen_by" not in error.evidence

    def test_for_one_is_left_to_who_has_found_the_archive_in_it(self, gone: User) -> None:
        person("ivan")
        person("paul")
        answered("1", "dbid:paul")

        error = self.raised(gone, known=Origin(base_path=BLM, account="dbid:ivan"))

        assert (error.code, error.evidence["seen_by"]) == ("base_path_out_of_sight", "Ivan")
        assert "It was last seen there with the Dropbox of Ivan. Let somebody run it" in str(error)

    def test_for_one_is_left_to_who_saw_it_last_for_another_lease(self, gone: User) -> None:
        person("ivan")
        person("paul")
        answered("1", "dbid:ivan", day=3)
        answered("2", "dbid:paul", day=5)
        answered("3", "dbid:paul", day=4)

        error = self.raised(gone)

        assert "It was last seen there with the Dropbox of Paul, on 2026-03-05." in str(error)
        assert f"have the folder shared with {account()}" in str(error)
        assert "If Paul no longer sees it either, the path is wrong: correct the agency's configuration." in str(error)
        assert error.evidence["seen_by"] == "Paul"

    def test_is_the_same_in_another_case(self, gone: User) -> None:
        person("ivan")
        answered("1", "dbid:ivan", folder=BLM.upper())

        assert self.raised(gone).code == "base_path_out_of_sight"

    @pytest.mark.parametrize("folder", [f"{BLM} 2", ""])
    def test_has_no_witness_in_who_saw_another_one(self, gone: User, folder: str) -> None:
        person("ivan")
        answered("1", "dbid:ivan", folder=folder)

        assert self.raised(gone).code == "base_path_missing"

    @pytest.mark.parametrize("gone_too", [{"needs_reconnect_reason": "It ended."}, {"is_active": False}, None])
    @pytest.mark.parametrize("is_known", [True, False])
    def test_has_no_witness_in_who_is_not_connected_now(
        self, gone: User, gone_too: dict[str, Any] | None, is_known: bool
    ) -> None:
        if gone_too is not None:
            person("ivan", **gone_too)
        answered("1", "dbid:ivan")

        error = self.raised(gone, known=Origin(base_path=BLM, account="dbid:ivan") if is_known else None)

        assert error.code == "base_path_missing"

    @pytest.mark.parametrize("is_known", [True, False])
    @pytest.mark.parametrize("folder", [BLM, BLM.lower()])
    def test_has_no_witness_but_who_has_seen_it_and_asks(self, gone: User, is_known: bool, folder: str) -> None:
        """Who saw it and sees it no more need not be told that somebody else saw it, too."""
        own = account().account_id
        person("ivan")
        answered("1", own, folder=folder)
        answered("2", "dbid:ivan", day=5)

        error = self.raised(gone, known=Origin(base_path=BLM, account=own) if is_known else None)

        assert error.code == "base_path_missing"
        assert f"is no longer in the Dropbox of {account()}, where it was last seen on 2026-03-02." in str(error)
        assert "Correct the agency's configuration" in str(error)

    def test_was_seen_by_who_found_the_archive_at_an_unknown_time(self, gone: User) -> None:
        error = self.raised(gone, known=Origin(base_path=BLM, account=account().account_id))

        assert f"is no longer in the Dropbox of {account()}, where it was seen before." in str(error)

    @pytest.mark.parametrize("code", ["base_path_missing", "base_path_out_of_sight"])
    @pytest.mark.parametrize("is_known", [True, False])
    def test_has_no_witness_in_who_has_missed_it_since(self, gone: User, code: str, is_known: bool) -> None:
        answered("1", "dbid:ivan", day=8)
        failed("2", person("ivan").user, code=code)

        error = self.raised(gone, known=Origin(base_path=BLM, account="dbid:ivan") if is_known else None)

        assert error.code == "base_path_missing"

    def test_has_a_witness_in_who_has_seen_it_since(self, gone: User) -> None:
        answered("1", "dbid:ivan", day=10)
        failed("2", person("ivan").user)

        assert self.raised(gone).code == "base_path_out_of_sight"

    @pytest.mark.parametrize(
        ("missed", "code"),
        [
            (BLM, "base_path_missing"),
            (BLM.upper(), "base_path_missing"),
            (f"{BLM} 2", "base_path_out_of_sight"),
        ],
    )
    def test_has_no_witness_in_who_has_missed_it_for_the_same_lease(self, gone: User, missed: str, code: str) -> None:
        """Somebody else has run it since, so that the lease itself does not tell any more."""
        person("ivan")
        answered("1", "dbid:ivan")
        TransitionLog.objects.create(
            record_type="leases.lease", record_id=the_lease().pk, transition="fail", from_state="searching",
            to_state="failed", generation=7, actor_kind="worker", lasted=timedelta(0),
            evidence={"account": "dbid:ivan", "missing_folder": missed},
        )  # fmt: skip

        assert self.raised(gone).code == code

    def test_has_a_witness_where_no_lease_is_asked_for(self, gone: User) -> None:
        person("ivan")
        answered("1", "dbid:ivan")

        with pytest.raises(BasePathMissing) as raised:
            confirm_not_found(gateway=gateway_for(gone), path=ARCHIVE, answer=NotFound(), known=None)

        assert raised.value.code == "base_path_out_of_sight"

    def test_says_what_was_missing_for_whoever_asks_later(self, gone: User) -> None:
        assert self.raised(gone).evidence["missing_folder"] == BLM

    @pytest.mark.parametrize("other", ["archive_out_of_sight", "connect_dropbox"])
    def test_has_a_witness_in_who_has_failed_for_another_reason(self, gone: User, other: str) -> None:
        answered("1", "dbid:ivan")
        failed("2", person("ivan").user, code=other)

        assert self.raised(gone).code == "base_path_out_of_sight"

    def test_has_a_witness_in_who_has_missed_another_agencys(self, gone: User) -> None:
        answered("1", "dbid:ivan")
        lease = failed("2", person("ivan").user)
        Lease.objects.filter(pk=lease.pk).update(agency="NMSLO")

        assert self.raised(gone).code == "base_path_out_of_sight"

    def test_asks_the_database_once_for_thousands(self, gone: User) -> None:
        person("ivan")
        answered("1", "dbid:ivan")
        lease, gateway = the_lease(), gateway_for(gone)

        def ask() -> None:
            with pytest.raises(BasePathMissing):
                confirm_not_found(gateway=gateway, path=ARCHIVE, answer=NotFound(), known=None, lease=lease)

        ask()
        with CaptureQueriesContext(connection) as asked:
            ask()

        assert not [query["sql"] for query in asked if 'FROM "leases_lease"' in query["sql"]]

    def test_asks_the_database_while_the_cache_is_away(self, gone: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: object, **__: object) -> None:
            raise RedisConnectionError

        monkeypatch.setattr(cache, "get", away)
        monkeypatch.setattr(cache, "set", away)
        person("ivan")
        answered("1", "dbid:ivan")

        assert self.raised(gone).code == "base_path_out_of_sight"

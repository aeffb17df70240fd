"""What is offered where an archive is not found."""

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError

from cloud.dropbox import Gateway, gateway_for
from cloud.errors import AccountPaused, DropboxUnavailable, NotFound
from core.base.clock import now
from discovery.errors import ArchiveOutOfSight
from discovery.services import nearest_archives
from discovery.services.nearest_archives import all_near, look_around
from leases.models import AgencyStorageConfig
from tests.factories import ARCHIVE, BLM, configured, give_dropbox, indexed, watched

if TYPE_CHECKING:
    from dropbox_standin.client import Standin


def around(gateway: Gateway) -> dict[str, Any]:
    return look_around(gateway=gateway, path=ARCHIVE, answer=NotFound())


@pytest.mark.django_db
class TestLookAround:
    def test_names_the_nearest(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(f"{BLM}/NMNM 501759/", f"{BLM}/NMNM 0501759.pdf", f"{BLM}/NMNM 77/")

        assert around(gateway_for(operator)) == {"nearest": ["NMNM 501759"]}

    def test_says_that_there_are_none(self, operator: User) -> None:
        assert around(gateway_for(operator)) == {"nearest": []}

    def test_asks_once_and_remembers(self, dropbox: "Standin", operator: User) -> None:
        gateway = gateway_for(operator)

        for _ in range(3):
            around(gateway)

        assert dropbox.calls() == {"files/list_folder": 1}

    def test_of_another_account_are_not_told(
        self, dropbox: "Standin", operator: User, django_user_model: type[User]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 501759/")
        around(gateway_for(operator))
        ivan = django_user_model.objects.create_superuser("ivan")
        give_dropbox(ivan, dropbox, "ivan")

        found = around(gateway_for(ivan))

        assert found == {"nearest_unknown": "nobody looked: the base folder could not be listed (not_found)"}

    def test_are_not_looked_for_where_it_takes_too_many_calls(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(*[f"{BLM}/NMNM {n}/" for n in range(6)])
        dropbox.page_size(1)

        found = [around(gateway_for(operator)) for _ in range(2)]

        assert found == [{"nearest_unknown": nearest_archives.TOO_MANY}] * 2
        assert dropbox.calls() == {"files/list_folder": 1, "files/list_folder/continue": 4, "files/get_metadata": 2}

    def test_are_found_on_the_last_page_that_is_read(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(*[f"{BLM}/A {n}/" for n in range(4)], f"{BLM}/NMNM 501759/")
        dropbox.page_size(1)

        assert around(gateway_for(operator)) == {"nearest": ["NMNM 501759"]}

    @pytest.mark.parametrize("fault", [{"status": 500}, {"status": 403}])
    def test_fail_without_a_word(self, dropbox: "Standin", operator: User, fault: dict[str, object]) -> None:
        dropbox.fault("files/list_folder", **fault)  # type: ignore[arg-type]
        gateway = gateway_for(operator)

        found = [around(gateway) for _ in range(2)]

        assert found[0] == found[1]
        assert found[0]["nearest_unknown"].startswith("nobody looked: the base folder could not be listed (dropbox_")
        assert dropbox.calls() == {"files/list_folder": 1, "files/get_metadata": 2}

    def test_wait_with_everything_else_where_dropbox_asks_for_it(self, dropbox: "Standin", operator: User) -> None:
        dropbox.fault("files/list_folder", status=429, headers={"Retry-After": "3"})

        with pytest.raises(AccountPaused):
            around(gateway_for(operator))

    def test_are_not_looked_for_while_the_cache_is_away(
        self, dropbox: "Standin", operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "get", Mock(side_effect=RedisConnectionError))

        assert around(gateway_for(operator)) == {
            "nearest_unknown": "nobody looked: nothing could be remembered of the base folder"
        }
        assert dropbox.calls() == {"files/get_metadata": 1}

    def test_wait_for_who_lists_the_folder_already(
        self, dropbox: "Standin", operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = gateway_for(operator)
        account = gateway.account
        key = f"near-names:{account.account_id}:{account.root_namespace_id}:{BLM.encode().hex()}"
        cache.add(f"{key}:listing", 1)
        listed = {"listed": True, "names": ["NMNM 501759"]}
        monkeypatch.setattr("discovery.services.nearest_archives.time.sleep", lambda _: cache.set(key, listed))

        assert around(gateway) == {"nearest": ["NMNM 501759"]}
        assert dropbox.calls() == {}

    def test_wait_for_nobody_for_long(self, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
        gateway = gateway_for(operator)
        account = gateway.account
        key = f"near-names:{account.account_id}:{account.root_namespace_id}:{BLM.encode().hex()}"
        cache.add(f"{key}:listing", 1)
        monkeypatch.setattr(nearest_archives, "WAIT_S", 0)

        assert around(gateway) == {"nearest_unknown": nearest_archives.BEING_LISTED}

    def test_see_what_is_there_and_closed_to_the_account(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        dropbox.sight("olivia", ARCHIVE, "no_access")

        with pytest.raises(ArchiveOutOfSight):
            around(gateway_for(operator))

    def test_see_that_also_while_nothing_can_be_remembered(
        self, dropbox: "Standin", operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        dropbox.sight("olivia", ARCHIVE, "no_access")
        monkeypatch.setattr(cache, "add", Mock(side_effect=RedisConnectionError))

        with pytest.raises(ArchiveOutOfSight):
            around(gateway_for(operator))

    def test_see_that_also_where_there_are_too_many(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(f"{ARCHIVE}/", *[f"{BLM}/A {n}/" for n in range(6)])
        dropbox.page_size(1)
        dropbox.sight("olivia", ARCHIVE, "no_access")

        with pytest.raises(ArchiveOutOfSight):
            around(gateway_for(operator))

    def test_see_that_also_where_the_folder_cannot_be_listed(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.sight("olivia", ARCHIVE, "no_access")
        dropbox.fault("files/list_folder", status=500)

        with pytest.raises(ArchiveOutOfSight):
            around(gateway_for(operator))

    def test_see_what_has_come_back(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(f"{ARCHIVE}/")

        with pytest.raises(DropboxUnavailable, match="came back"):
            around(gateway_for(operator))

    def test_believe_that_what_is_remembered_has_gone_since(self, dropbox: "Standin", operator: User) -> None:
        dropbox.put(f"{ARCHIVE}/", f"{BLM}/NMNM 501759/")
        with pytest.raises(DropboxUnavailable):
            around(gateway_for(operator))
        dropbox.delete(ARCHIVE)

        assert around(gateway_for(operator)) == {"nearest": ["NMNM 501759"]}


@pytest.mark.django_db
class TestIndex:
    """What the account has read of the folder is asked first, while it is fresh."""

    @pytest.fixture
    def configuration(self) -> AgencyStorageConfig:
        return configured()

    @pytest.fixture
    def gateway(self, operator: User) -> Gateway:
        return gateway_for(operator)

    def test_names_them_without_a_call_and_says_which_has_a_report(
        self, dropbox: "Standin", gateway: Gateway, configuration: AgencyStorageConfig
    ) -> None:
        indexed(watched(gateway.account), {"NMNM 501759": ["Master Documents.pdf"], "NMNM 0501758": ["a.pdf"]})

        found = look_around(gateway=gateway, path=ARCHIVE, answer=NotFound(), configuration=configuration)

        reports = {"NMNM 501759": True, "NMNM 0501758": False}
        assert found == {"nearest": ["NMNM 501759", "NMNM 0501758"], "nearest_reports": reports}
        assert dropbox.calls() == {}

    def test_names_more_than_anybody_is_offered_where_all_are_asked_for(
        self, dropbox: "Standin", gateway: Gateway, configuration: AgencyStorageConfig
    ) -> None:
        near = [f"NMNM 050175{digit}" for digit in "01234567"]
        indexed(watched(gateway.account), {number: [] for number in near})

        assert sorted(all_near(gateway=gateway, path=ARCHIVE, configuration=configuration) or ()) == near
        assert dropbox.calls() == {}

    @pytest.mark.parametrize("why", ["not fresh", "not watched", "not read"])
    def test_is_not_asked_where_it_may_not_speak(
        self, dropbox: "Standin", gateway: Gateway, configuration: AgencyStorageConfig, why: str
    ) -> None:
        if why != "not read":
            indexed(watched(gateway.account, read_at=None if why == "not fresh" else now()), {"NMNM 501759": []})
        configuration.watched = why != "not watched"

        found = look_around(gateway=gateway, path=ARCHIVE, answer=NotFound(), configuration=configuration)

        assert found == {"nearest": []}
        assert dropbox.calls() == {"files/list_folder": 1}

    def test_that_has_what_dropbox_has_not_is_late(
        self, dropbox: "Standin", gateway: Gateway, configuration: AgencyStorageConfig
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.delete(ARCHIVE)
        indexed(watched(gateway.account), {"NMNM 0501759": [], "NMNM 501759": []})

        found = look_around(gateway=gateway, path=ARCHIVE, answer=NotFound(), configuration=configuration)

        assert found["nearest"] == ["NMNM 501759"]
        assert dropbox.calls()["files/get_metadata"] >= 1

    def test_that_has_what_is_closed_to_the_account_does_not_say_that_it_is_gone(
        self, dropbox: "Standin", gateway: Gateway, configuration: AgencyStorageConfig
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        dropbox.sight("olivia", ARCHIVE, "no_access")
        indexed(watched(gateway.account), {"NMNM 0501759": []}, partial=True)

        with pytest.raises(ArchiveOutOfSight):
            look_around(gateway=gateway, path=ARCHIVE, answer=NotFound(), configuration=configuration)

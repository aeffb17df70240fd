from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from pytest_django.fixtures import Settings
from redis import Redis

from cloud.dependants import dependants
from cloud.errors import CONNECTED
from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.models import ArchiveWatch
from discovery.services.archive_wants import wanted
from discovery.services.archive_watches import ARCHIVE_WATCH, KEPT_FOR, keep, look_again, watch_at_once
from leases.admin.configuration_changes import PATHS
from leases.models import AgencyStorageConfig, Lease
from storage.errors import RunGone
from storage.models import IndexRun, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.discovery.watching import absent, rung, work
from tests.factories import BLM, account, configured, indexed, watched

pytestmark = pytest.mark.django_db


def kept(*, is_time_up: bool = False) -> list[str]:
    keep(wanted(), is_time_up=lambda: is_time_up)
    return list(ArchiveWatch.objects.order_by("pk").values_list("base_path", flat=True))


def a_day_later() -> None:
    ArchiveWatch.objects.update(unwanted_since=F("unwanted_since") - KEPT_FOR - timedelta(seconds=1))


@pytest.fixture
def lease(operator: User) -> Lease:
    configured()
    return absent(operator)


class TestKeep:
    def test_makes_what_is_wanted(self, lease: Lease) -> None:
        assert kept() == [BLM]
        assert kept() == [BLM]

        root = StorageRoot.objects.get()
        assert (root.is_of_app, root.is_owned, root.cursor, root.read_at) == (True, False, "", None)

    def test_takes_what_is_there_under_another_name(self, lease: Lease) -> None:
        made = watched(DropboxAccount.objects.get(), BLM.lower())

        assert kept() == [BLM.lower()]
        assert ArchiveWatch.objects.get() == made

    def test_follows_the_name_of_the_account(self, lease: Lease) -> None:
        kept()
        DropboxAccount.objects.update(display_name="Liv")

        kept()

        assert StorageRoot.objects.get().title.endswith("as the Dropbox of Liv sees them")

    @pytest.mark.parametrize("off", [{"enabled": False}, {"watched": False}, dict.fromkeys(PATHS, "/b")])
    def test_lets_go_what_nobody_needs_a_day_later(self, lease: Lease, off: dict[str, object]) -> None:
        kept()
        AgencyStorageConfig.objects.update(**off)
        assert BLM in kept()

        a_day_later()

        assert BLM not in kept()
        assert not StorageRoot.objects.filter(declaration__title__contains=BLM).exists()

    def test_keeps_what_is_needed_again_before(self, lease: Lease) -> None:
        kept()
        AgencyStorageConfig.objects.update(watched=False)
        kept()
        a_day_later()
        AgencyStorageConfig.objects.update(watched=True)

        assert kept() == [BLM]
        assert ArchiveWatch.objects.get().unwanted_since is None

    def test_lets_go_what_was_read_by_an_account_that_was_disconnected(self, lease: Lease) -> None:
        made = watched(DropboxAccount.objects.get())
        indexed(made, {"NMNM 1": ["a.pdf"]})
        DropboxAccount.objects.all().delete()
        kept()
        a_day_later()

        assert kept() == []
        assert not StoredFile.objects.exists()
        assert not StorageRoot.objects.exists()

    def test_lets_go_at_once_where_the_paths_begin_elsewhere(self, lease: Lease) -> None:
        kept()
        DropboxAccount.objects.update(root_namespace_id="4711")

        assert kept() == [BLM]
        assert ArchiveWatch.objects.get().path_root == "4711"
        assert StorageRoot.objects.count() == 1

    def test_goes_on_the_next_time_where_the_time_is_up(self, lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storage.forgetting.AT_ONCE", 1)
        made = watched(DropboxAccount.objects.get())
        indexed(made, {"NMNM 1": []})
        DropboxAccount.objects.all().delete()
        kept()
        a_day_later()

        assert kept(is_time_up=True) == []
        assert StorageRoot.objects.exists()
        kept()

        assert not StorageRoot.objects.exists()

    def test_stops_the_run_that_is_under_way(self, lease: Lease, redis: object) -> None:
        kept()
        root = StorageRoot.objects.get()
        run = IndexSyncService().start(mode="sync", root=root.name, rings=False)
        work()
        other = IndexSyncService().start(mode="sync", root=root.name, rings=False)
        DropboxAccount.objects.all().delete()
        kept()
        a_day_later()

        kept()

        assert not IndexRun.objects.filter(pk__in=[run.pk, other.pk]).exists()
        assert not StorageRoot.objects.exists()

    def test_waits_for_a_run_that_cannot_be_stopped(
        self, lease: Lease, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may just have come to its end; then the next time finds that it has."""
        kept()
        IndexSyncService().start(mode="sync", root=StorageRoot.objects.get().name, rings=False)
        monkeypatch.setattr(IndexSyncService, "abort", Mock(side_effect=RunGone))
        DropboxAccount.objects.all().delete()
        kept()
        a_day_later()

        assert kept() == []

        assert StorageRoot.objects.exists()


class TestWatchAtOnce:
    @pytest.fixture(autouse=True)
    def _every_five_seconds(self, settings: Settings, redis: Redis) -> None:
        settings.ARCHIVE_WATCH_EVERY_S = 5

    def test_makes_it(self, operator: User) -> None:
        mine = DropboxAccount.objects.get()

        found = watch_at_once(account=mine, configuration=configured())

        assert found == [ArchiveWatch.objects.get()]
        assert found == watch_at_once(account=mine, configuration=AgencyStorageConfig.objects.get())

    def test_takes_the_one_that_is_there(self, operator: User) -> None:
        mine = DropboxAccount.objects.get()
        made = watched(mine)

        assert watch_at_once(account=mine, configuration=configured()) == [made]

    def test_makes_that_of_each_folder_of_the_agency(self, operator: User) -> None:
        configuration = configured(documents_base_path="/Documents", misc_index_base_path="/Index")

        found = watch_at_once(account=DropboxAccount.objects.get(), configuration=configuration)

        assert [each.base_path for each in found] == [BLM, "/Documents", "/Index"]

    @pytest.mark.parametrize("off", ["enabled", "watched"])
    def test_makes_none_for_an_agency_that_is_switched_off(self, off: str) -> None:
        configuration = AgencyStorageConfig(agency="BLM", runsheet_archive_base_path=BLM, **{off: False})

        assert watch_at_once(account=account(connected_at=now()), configuration=configuration) == []

    def test_makes_none_where_the_settings_watch_nothing(self, operator: User, settings: Settings) -> None:
        settings.ARCHIVE_WATCH_EVERY_S = 0

        assert watch_at_once(account=DropboxAccount.objects.get(), configuration=configured()) == []
        assert not ArchiveWatch.objects.exists()


class TestLookAgain:
    @pytest.fixture(autouse=True)
    def _every_five_seconds(self, settings: Settings) -> None:
        settings.ARCHIVE_WATCH_EVERY_S = 5

    @pytest.fixture
    def resting(self, operator: User) -> ArchiveWatch:
        made = watched(DropboxAccount.objects.get())
        ArchiveWatch.objects.update(resting_until=now() + timedelta(minutes=5), failures=3, begun_for="x")
        return made

    def test_lets_nothing_rest_that_was_connected_anew(
        self, resting: ArchiveWatch, redis: Redis, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            look_again(DropboxAccount.objects.all())
            assert rung(redis) == []

        resting.refresh_from_db()
        assert (resting.resting_until, resting.failures, resting.begun_for) == (None, 0, "")
        assert rung(redis) == [ARCHIVE_WATCH]

    def test_leaves_those_of_others_alone(
        self, resting: ArchiveWatch, redis: Redis, django_capture_on_commit_callbacks: Any
    ) -> None:
        ArchiveWatch.objects.update(account_id="dbid:another")

        with django_capture_on_commit_callbacks(execute=True):
            look_again(DropboxAccount.objects.all())

        resting.refresh_from_db()
        assert resting.failures == 3
        assert rung(redis) == []

    def test_happens_when_a_dropbox_comes(self, resting: ArchiveWatch, operator: User, redis: Redis) -> None:
        for each in dependants():
            each.connected(operator, event=CONNECTED)

        assert ArchiveWatch.objects.get().resting_until is None

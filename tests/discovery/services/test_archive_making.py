"""A missing archive is made once, in full, and never where that would be wrong."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from cloud.dropbox import gateway_for
from cloud.errors import DropboxUnavailable, RateLimited
from cloud.models import CloudLocation, DropboxAccount
from cloud.services.accounts import REQUIRED_SCOPES
from discovery.services import archive_making
from discovery.services.archive_making import with_archive_made
from discovery.services.lease_directory_search import DirectorySighting, look_for_directory
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of
from tests.cloud.dropbox.conftest import union
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

MAKE = "files/create_folder_v2"
WHOLE = [f"{ARCHIVE}/", f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/^Document Archive/"]
NEAR = "NMNM 501759"

type Search = Callable[..., DirectorySighting]


@pytest.fixture(autouse=True)
def _writes(settings: Settings) -> None:
    settings.DROPBOX_MAKES_ARCHIVES = True


@pytest.fixture
def search(lease: Lease, operator: User) -> Search:
    """One try of a run, as the reaction makes it."""

    def once(*, wants: bool = True, beside: list[str] | None = None, tries: int = 1) -> DirectorySighting:
        lease.makes_archive, lease.seen_beside, lease.tries = wants, [] if beside is None else beside, tries
        lease.initiated_by = User.objects.get(pk=operator.pk)
        gateway, configuration = gateway_for(lease.initiated_by), configuration_of(lease.agency)
        seen = look_for_directory(lease=lease, gateway=gateway, configuration=configuration)
        return with_archive_made(lease=lease, gateway=gateway, configuration=configuration, sighting=seen)

    return once


def archives(dropbox: "Standin") -> list[str]:
    """What lies below the archive's path, and the archive itself."""
    return sorted(path for path in dropbox.tree() if path.startswith(ARCHIVE))


def by_itself() -> None:
    AgencyStorageConfig.objects.update(makes_archives=True)


class TestOnRequest:
    def test_is_made_with_its_subfolders_and_found(self, search: Search, dropbox: "Standin") -> None:
        seen = search()

        assert archives(dropbox) == WHOLE
        assert seen.listing is not None
        assert [entry.name for entry in seen.listing.entries] == ["^Document Archive", "Runsheets"]
        assert seen.link is not None
        assert seen.evidence["made"] == [ARCHIVE, f"{ARCHIVE}/^Document Archive", f"{ARCHIVE}/Runsheets"]
        assert seen.evidence["made_for"] == "olivia"

    def test_has_the_subfolders_of_its_agency(self, search: Search, dropbox: "Standin", lease: Lease) -> None:
        AgencyStorageConfig.objects.update(agency="NMSLO")
        lease.agency = "NMSLO"

        search()

        assert archives(dropbox) == sorted([*WHOLE, f"{ARCHIVE}/^MI Index/"])

    def test_done_twice_makes_nothing_more(self, search: Search, dropbox: "Standin") -> None:
        search()
        dropbox.clear_journal()

        seen = search()

        assert seen.listing is not None
        assert MAKE not in dropbox.calls()
        assert "made" not in seen.evidence

    def test_makes_nothing_where_it_is_there(self, search: Search, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/a scan.pdf")

        seen = search()

        assert seen.listing is not None
        assert archives(dropbox) == [f"{ARCHIVE}/", f"{ARCHIVE}/a scan.pdf"]

    def test_makes_nothing_where_nobody_wants_it(self, search: Search, dropbox: "Standin") -> None:
        seen = search(wants=False)

        assert seen.listing is None
        assert "not_made" not in seen.evidence
        assert MAKE not in dropbox.calls()


class TestBegunAgain:
    @pytest.mark.parametrize("there", [[ARCHIVE], [ARCHIVE, f"{ARCHIVE}/Runsheets"]])
    def test_makes_what_is_still_missing(self, search: Search, dropbox: "Standin", there: list[str]) -> None:
        dropbox.put(*(f"{path}/" for path in there))

        seen = search()

        assert archives(dropbox) == WHOLE
        assert set(seen.evidence["made"]).isdisjoint(there)

    @pytest.mark.parametrize("calls", [1, 2, 3])
    def test_wherever_it_was_killed_ends_with_the_same(self, search: Search, dropbox: "Standin", calls: int) -> None:
        paths = WHOLE[:1] + WHOLE[:0:-1]
        dropbox.fault(MAKE, status=503, path=paths[calls - 1].rstrip("/"))

        with pytest.raises(DropboxUnavailable):
            search()
        search(tries=2)

        assert archives(dropbox) == WHOLE

    def test_by_itself_makes_what_is_still_missing_too(self, search: Search, dropbox: "Standin") -> None:
        by_itself()
        dropbox.fault(MAKE, status=503, path=f"{ARCHIVE}/Runsheets")

        with pytest.raises(DropboxUnavailable):
            search(wants=False)
        search(wants=False, tries=2)

        assert archives(dropbox) == WHOLE

    def test_takes_nothing_for_its_own_that_is_seen_in_part(self, search: Search, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.sight("olivia", ARCHIVE, "traverse_only")

        search()

        assert MAKE not in dropbox.calls()

    def test_waits_where_dropbox_asks_for_it(self, search: Search, dropbox: "Standin") -> None:
        dropbox.fault(MAKE, status=429, headers={"Retry-After": "7"}, body=union("too_many_write_operations"))

        with pytest.raises(RateLimited) as caught:
            search()

        assert caught.value.retry_after_s == 7

    def test_is_tried_again_while_dropbox_does_not_show_what_was_made(
        self, search: Search, lease: Lease, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = search(wants=False)
        monkeypatch.setattr(archive_making, "look_for_directory", lambda **_: seen)
        lease.makes_archive = True

        with pytest.raises(DropboxUnavailable, match="does not show it yet"):
            with_archive_made(
                lease=lease, gateway=gateway_for(operator), configuration=configuration_of("BLM"), sighting=seen
            )


class TestByItself:
    def test_is_made_where_the_agency_wants_it(self, search: Search, dropbox: "Standin") -> None:
        by_itself()

        seen = search(wants=False)

        assert archives(dropbox) == WHOLE
        assert seen.evidence["made_for"] == "olivia"

    def test_leaves_an_empty_archive_that_others_have_made(self, search: Search, dropbox: "Standin") -> None:
        by_itself()
        dropbox.put(f"{ARCHIVE}/")

        search(wants=False)

        assert archives(dropbox) == [f"{ARCHIVE}/"]

    def test_is_not_made_anew_where_one_was_found_before(self, search: Search, dropbox: "Standin") -> None:
        by_itself()
        CloudLocation.objects.create(path=ARCHIVE, name="x")

        seen = search(wants=False)

        assert seen.evidence["not_made"].startswith("One lay there before and is gone.")
        assert archives(dropbox) == []


class TestNever:
    """Nothing is made, the answer stays “not found”, and one sentence says why."""

    def test_under_a_base_path_that_is_gone(self, search: Search, dropbox: "Standin") -> None:
        """It was there when another lease was searched, half a minute ago."""
        search(wants=False)
        dropbox.delete(BLM)

        seen = search()

        assert seen.listing is None
        assert seen.evidence["not_made"].startswith(f"The folder “{BLM}”, which holds the archives, was not there")
        assert not any(path.startswith(BLM) for path in dropbox.tree())

    def test_under_a_base_path_that_is_a_file_by_now(self, search: Search, dropbox: "Standin") -> None:
        search(wants=False)
        dropbox.delete(BLM)
        dropbox.put(BLM)

        assert "was not there when" in search().evidence["not_made"]

    @pytest.mark.parametrize(
        ("sharing", "words"), [({"traverse_only": True}, "sees only a part"), ({"read_only": True}, "may only read")]
    )
    def test_where_the_account_sees_or_may_too_little(
        self, search: Search, dropbox: "Standin", sharing: dict[str, bool], words: str
    ) -> None:
        search(wants=False)
        info = {"read_only": False, "traverse_only": False, "no_access": False, "parent_shared_folder_id": "1"}
        told = {".tag": "folder", "name": "x", "path_lower": BLM.lower(), "path_display": BLM, "id": "id:base"}
        body = {**told, "sharing_info": {**info, **sharing}}
        dropbox.fault("files/get_metadata", status=200, body=body, path=BLM)

        assert words in search().evidence["not_made"]
        assert MAKE not in dropbox.calls()

    def test_with_a_connection_that_only_reads(self, search: Search, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(scopes=sorted(REQUIRED_SCOPES))

        seen = search()

        assert "allow it to write" in seen.evidence["not_made"]
        assert MAKE not in dropbox.calls()

    def test_where_dropbox_knows_better_than_what_was_granted(self, search: Search, dropbox: "Standin") -> None:
        dropbox.scopes("olivia", REQUIRED_SCOPES)

        seen = search()

        assert "allow it to write" in seen.evidence["not_made"]
        assert seen.evidence["making"]["scope"] == "files.content.write"
        assert archives(dropbox) == []

    def test_for_who_may_not_make_archives_any_more(self, search: Search, operator: User, dropbox: "Standin") -> None:
        User.objects.update(is_superuser=False)
        operator.user_permissions.add(Permission.objects.get(codename="run_discovery"))

        assert search().evidence["not_made"] == "olivia may not make archives (any more)."
        assert MAKE not in dropbox.calls()

    def test_where_the_installation_only_reads(self, search: Search, dropbox: "Standin", settings: Settings) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = False

        assert "DROPBOX_MAKES_ARCHIVES is not set" in search().evidence["not_made"]
        assert MAKE not in dropbox.calls()

    def test_for_nobody(self, search: Search, lease: Lease, operator: User) -> None:
        seen = search(wants=False)
        lease.makes_archive, lease.initiated_by = True, None

        made = with_archive_made(
            lease=lease, gateway=gateway_for(operator), configuration=configuration_of("BLM"), sighting=seen
        )

        assert made.evidence["not_made"] == "Nobody may not make archives (any more)."

    @pytest.mark.parametrize("wants", [True, False])
    def test_beside_a_near_name_that_nobody_was_asked_about(
        self, search: Search, dropbox: "Standin", wants: bool
    ) -> None:
        by_itself()
        dropbox.put(f"{BLM}/{NEAR}/")

        seen = search(wants=wants)

        assert seen.evidence["not_made"] == f"“{NEAR}” lies right beside, which nobody has been asked about."
        assert seen.evidence["nearest"] == [NEAR]
        assert archives(dropbox) == []

    def test_but_beside_one_that_the_person_has_seen(self, search: Search, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/{NEAR}/")

        search(beside=[NEAR])

        assert archives(dropbox) == WHOLE

    def test_beside_one_that_came_after_the_person_was_asked(self, search: Search, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/{NEAR}/", f"{BLM}/NMNM 00501759/")

        assert "“NMNM 00501759” lies right beside" in search(beside=[NEAR]).evidence["not_made"]

    def test_where_nobody_could_look_for_near_names(self, search: Search, dropbox: "Standin", lease: Lease) -> None:
        dropbox.fault("files/list_folder", status=503, path=BLM, times=9)

        assert search().evidence["not_made"].startswith("Nobody could see whether")
        assert archives(dropbox) == []

    def test_but_where_the_person_knows_that_nobody_could(
        self, search: Search, dropbox: "Standin", lease: Lease, operator: User
    ) -> None:
        dropbox.fault("files/list_folder", status=503, path=BLM, times=9)
        seen = search(wants=False)
        lease.makes_archive, lease.seen_beside = True, None

        with_archive_made(
            lease=lease, gateway=gateway_for(operator), configuration=configuration_of("BLM"), sighting=seen
        )

        assert archives(dropbox) == WHOLE

    def test_over_a_file_of_that_name(self, search: Search, dropbox: "Standin", lease: Lease) -> None:
        seen = search(wants=False)
        dropbox.put(ARCHIVE)
        lease.makes_archive = True
        assert lease.initiated_by is not None

        made = with_archive_made(
            lease=lease, gateway=gateway_for(lease.initiated_by), configuration=configuration_of("BLM"), sighting=seen
        )

        assert made.listing is None
        assert "Rename or move that file" in made.evidence["not_made"]


class TestNearNames:
    def test_know_of_what_was_made_just_now(self, search: Search, lease: Lease, dropbox: "Standin") -> None:
        """Two leases of one bulk run whose numbers are alike are not both made."""
        search()
        lease.lease_number = NEAR

        seen = search()

        assert "“NMNM 0501759” lies right beside" in seen.evidence["not_made"]
        assert f"{BLM}/{NEAR}/" not in dropbox.tree()

    @pytest.mark.parametrize(("broken", "made"), [("get", False), ("set", True)])
    def test_are_doubtful_while_redis_does_not_answer(
        self, search: Search, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch, broken: str, made: bool
    ) -> None:
        class Cache:
            def get(self, _key: str) -> None:
                if broken == "get":
                    raise RedisError

            def set(self, *_: object, **__: object) -> None:
                raise RedisError

        monkeypatch.setattr(archive_making, "cache", Cache())

        seen = search()

        assert (archives(dropbox) == WHOLE) is made
        assert ("as Redis does not answer" in seen.evidence.get("not_made", "")) is not made

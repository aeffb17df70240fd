"""The document archive and the miscellaneous index of a lease: found by the same rules, and never in the archive's way."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud.dropbox import Gateway, gateway_for
from cloud.models import CloudLocation
from core.base.clock import now
from discovery.services.archive_index import ArchiveIndex
from discovery.services.beside_archives import Look, look_beside, record_beside
from leases.models import NOBODY, AgencyStorageConfig, Beside, Lease, Seen
from storage.models import StorageRoot
from tests.cloud.dropbox.conftest import union
from tests.factories import BLM, NUMBER, indexed, watched

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

DOCUMENTS, INDEX = "/Federal Workspace/^Document Archive", "/Federal Workspace/^MI Index"
DOCUMENT, MISC = f"{DOCUMENTS}/{NUMBER}", f"{INDEX}/{NUMBER}"
METADATA = "files/get_metadata"


@pytest.fixture
def configuration(lease: Lease, dropbox: "Standin") -> AgencyStorageConfig:
    AgencyStorageConfig.objects.update(documents_base_path=DOCUMENTS, misc_index_base_path=INDEX)
    dropbox.put(f"{DOCUMENTS}/", f"{INDEX}/")
    return AgencyStorageConfig.objects.get()


@pytest.fixture
def gateway(operator: User) -> Gateway:
    return gateway_for(operator)


def look(lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, **values: Any) -> dict[Beside, Look]:
    """What a run started by hand would see, and records."""
    for name, value in {"background": False, **values}.items():
        setattr(lease, name, value)
    looks = look_beside(leases=[lease], account=gateway.account, configuration=configuration, gateway=gateway)
    record_beside(looks, [lease])
    return {each.which: each for each in looks.get(lease.pk, ())}


def states(lease: Lease) -> tuple[str, str]:
    return lease.documents_state, lease.misc_index_state


class TestAtDropbox:
    def test_are_found_and_not_found_by_a_call_each(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{DOCUMENT}/")

        looks = look(lease, gateway, configuration)

        assert states(lease) == ("found", "not_found")
        assert lease.documents_directory is not None
        assert lease.documents_directory.path == DOCUMENT
        assert lease.misc_index_directory is None
        assert looks[Beside.DOCUMENTS].origin.account == gateway.account.account_id
        assert looks[Beside.DOCUMENTS].origin.folder_id.startswith("id:")
        # One more where nothing is there: whether the folder that should hold it is.
        assert dropbox.calls() == {METADATA: 3}

    def test_are_looked_for_nowhere_where_there_is_no_such_folder(
        self, lease: Lease, gateway: Gateway, dropbox: "Standin"
    ) -> None:
        assert look(lease, gateway, AgencyStorageConfig.objects.get()) == {}
        assert dropbox.calls() == {}

    def test_are_not_asked_for_in_the_background(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        look(lease, gateway, configuration, background=True)

        assert states(lease) == ("unknown", "unknown")
        assert dropbox.calls() == {}

    def test_done_twice_say_the_same(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{DOCUMENT}/")

        look(lease, gateway, configuration)
        first = lease.documents_directory_id
        look(lease, gateway, configuration)

        assert lease.documents_directory_id == first
        assert CloudLocation.objects.count() == 1

    def test_are_gone_once_they_are_deleted(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{DOCUMENT}/")
        look(lease, gateway, configuration)
        dropbox.delete(DOCUMENT)

        look(lease, gateway, configuration)

        assert states(lease)[0] == "not_found"
        assert lease.documents_directory_id is None
        assert CloudLocation.objects.get().is_gone


class TestNothingTold:
    """Never a false “not found”; the reason is kept, and what was found before stays."""

    def test_where_the_folder_that_should_hold_it_is_gone(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.delete(INDEX)

        look(lease, gateway, configuration)

        assert states(lease) == ("not_found", "unseen")
        assert INDEX in lease.why_unseen(Beside.MISC_INDEX, path=MISC)

    def test_where_the_account_sees_a_part_only(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.sight("olivia", DOCUMENTS, "traverse_only")

        look(lease, gateway, configuration)

        assert states(lease)[0] == "unseen"
        assert "sees only a part" in lease.why_unseen(Beside.DOCUMENTS, path=DOCUMENT)

    def test_where_dropbox_gives_no_answer(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.fault(METADATA, status=503, path=DOCUMENT)

        look(lease, gateway, configuration)

        assert states(lease) == ("unseen", "not_found")

    def test_of_a_file_with_its_name(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(DOCUMENT)

        look(lease, gateway, configuration)

        assert lease.why_unseen(Beside.DOCUMENTS, path=DOCUMENT) == "A file has the name of the lease there."

    def test_of_a_number_that_leads_elsewhere(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        look(lease, gateway, configuration, lease_number="../x")

        assert states(lease) == ("unseen", "unseen")
        assert dropbox.calls() == {}

    def test_leaves_what_was_found_before(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{DOCUMENT}/")
        look(lease, gateway, configuration)
        dropbox.fault(METADATA, status=409, body=union("path", "restricted_content"), path=DOCUMENT)

        look(lease, gateway, configuration)

        assert states(lease)[0] == "found"
        assert lease.documents_directory_id is not None
        assert "legal reasons" in lease.why_unseen(Beside.DOCUMENTS, path=DOCUMENT)

    def test_by_an_account_that_cannot_judge_what_another_has_seen(
        self, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        place = CloudLocation.objects.create(path=DOCUMENT, name=NUMBER)
        theirs = {"account": "dbid:theirs", "path_root": "9"}
        lease.remember_beside(
            Beside.DOCUMENTS, path=DOCUMENT, seen=Seen.FOUND, at=now(), directory_id=place.pk, origin=theirs
        )

        look(lease, gateway, configuration)

        assert lease.documents_directory_id == place.pk
        assert "was found with the Dropbox of" in lease.why_unseen(Beside.DOCUMENTS, path=DOCUMENT)


class TestFromTheIndex:
    def test_costs_no_call_for_many_and_three_statements_for_each_folder(
        self,
        lease: Lease,
        gateway: Gateway,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        django_assert_num_queries: "DjangoAssertNumQueries",
    ) -> None:
        indexed(watched(gateway.account, DOCUMENTS), {NUMBER: []})
        watched(gateway.account, INDEX)
        others = [Lease(pk=number, agency="BLM", lease_number=f"NMNM {number}") for number in range(1_000, 1_009)]

        with django_assert_num_queries(6):
            looks = look_beside(leases=[lease, *others], account=gateway.account, configuration=configuration)

        assert [each.seen for each in looks[lease.pk]] == [Seen.FOUND, Seen.NOT_FOUND]
        assert [each.seen for each in looks[1_000]] == [Seen.NOT_FOUND, Seen.NOT_FOUND]
        assert looks[lease.pk][0].origin.folder_id == "id:NMNM_0501759"
        assert dropbox.calls() == {}

    @pytest.mark.parametrize("why", ["a part", "late", "switched off"])
    def test_is_not_believed_where_it_may_be_wrong(
        self,
        lease: Lease,
        gateway: Gateway,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        why: str,
    ) -> None:
        watch = watched(gateway.account, DOCUMENTS, **({"read_at": None} if why == "late" else {}))
        indexed(watch, {NUMBER: []}, partial=why == "a part")
        configuration.watched = why != "switched off"

        look(lease, gateway, configuration)

        # Dropbox is asked, which knows better.
        assert states(lease)[0] == "not_found"

    def test_is_not_believed_where_a_run_began_to_change_it_while_it_was_read(
        self,
        lease: Lease,
        gateway: Gateway,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        dropbox.put(f"{DOCUMENT}/")
        watch = watched(gateway.account, DOCUMENTS)
        archives = ArchiveIndex.archives

        def and_then(index: ArchiveIndex, names: list[str]) -> dict[str, Any]:
            found = archives(index, names)
            StorageRoot.objects.filter(pk=watch.root_id).update(read_at=None)
            return dict(found)

        monkeypatch.setattr(ArchiveIndex, "archives", and_then)

        look(lease, gateway, configuration)

        assert states(lease)[0] == "found"

    def test_is_not_believed_against_what_somebody_has_seen(
        self,
        lease: Lease,
        gateway: Gateway,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
    ) -> None:
        dropbox.put(f"{DOCUMENT}/")
        look(lease, gateway, configuration)
        watched(gateway.account, DOCUMENTS)

        assert Beside.DOCUMENTS not in look(lease, gateway, configuration, background=True)
        assert states(lease)[0] == "found"


class TestKnownBeside:
    def test_says_nothing_of_another_path(self, lease: Lease) -> None:
        lease.remember_beside(Beside.DOCUMENTS, path=DOCUMENT, seen=Seen.NOT_FOUND, at=now())

        assert lease.seen(Beside.DOCUMENTS, path=DOCUMENT.upper()) == Seen.NOT_FOUND
        assert lease.seen(Beside.DOCUMENTS, path=f"{BLM}/{NUMBER}") == Seen.UNKNOWN
        assert lease.looked_beside_at(Beside.MISC_INDEX) is None

    def test_where_nobody_knows_who_saw_it_everybody_may_judge(self, lease: Lease) -> None:
        place = CloudLocation.objects.create(path=DOCUMENT, name=NUMBER)
        lease.remember_beside(Beside.DOCUMENTS, path=DOCUMENT, seen=Seen.FOUND, at=now(), directory_id=place.pk)

        assert lease.origin_beside(Beside.DOCUMENTS, path=DOCUMENT) == NOBODY

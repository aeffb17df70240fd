"""Attacks on whole ways: shares that are lost, races, other people's rights."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client

from discovery.services import archive_looks
from leases import services
from leases.batches import import_leases
from leases.models import Lease
from statemachine.reconcile import reconcile
from storage.models import StoredFile
from tests.discovery.watching import attend, told, watch
from tests.flows.conftest import BLM, Work
from tests.roles import in_role

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

REPORT = "Master Documents.pdf"


def imported(user: User, *numbers: str) -> None:
    import_leases(leases=[("BLM", number) for number in numbers], user=user, title="many.csv")
    reconcile()


def states() -> dict[str, tuple[str, bool]]:
    return {
        number: (state, found)
        for number, state, found in Lease.objects.values_list("lease_number", "state", "runsheet_report_found")
    }


class TestLostShares:
    @pytest.mark.parametrize("sight", ["none", "no_access", "traverse_only"])
    def test_below_the_brake_flip_nothing_and_come_back(
        self, operator: User, dropbox: "Standin", work_until_settled: Work, sight: str
    ) -> None:
        numbers = [f"NMNM {n}" for n in range(1, 6)]
        dropbox.put(*(f"{BLM}/{number}/{REPORT}" for number in numbers))
        imported(operator, *numbers)
        attend()
        work_until_settled()
        assert set(states().values()) == {("done", True)}

        for number in numbers[:4]:
            dropbox.sight("olivia", f"{BLM}/{number}", sight)
        told()
        attend()
        reconcile()
        work_until_settled()
        assert not [state for state, _ in states().values() if state == "not_found"], states()
        assert {found for _, found in states().values()} == {True}, states()

        dropbox.clear_sights()
        told()
        attend()
        attend()
        reconcile()
        work_until_settled()
        assert set(states().values()) == {("done", True)}, states()

    def test_hide_no_archive_from_a_new_lease_that_the_index_has_known(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/{REPORT}", f"{BLM}/NMNM 2/{REPORT}")
        imported(operator, "NMNM 1")
        attend()
        work_until_settled()
        assert StoredFile.objects.filter(key="nmnm 2/", state="present").exists()
        dropbox.sight("olivia", f"{BLM}/NMNM 2", "none")
        told()
        attend()
        imported(operator, "NMNM 2")
        work_until_settled()

        assert states()["NMNM 2"][0] != "not_found"


class TestRaces:
    def test_an_archive_that_comes_between_a_direct_answer_and_the_delta(
        self, operator: User, dropbox: "Standin", work_until_settled: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attend()
        imported(operator, "NMNM 0")
        work_until_settled()
        attend()
        from discovery import reactions

        look = reactions.look_for_directory
        left = ["once"]

        def slowly(**given: object) -> object:
            seen = look(**given)  # type: ignore[arg-type]
            if left:
                left.pop()
                dropbox.put(f"{BLM}/NMNM 7/{REPORT}")
                told()
                attend()
            return seen

        monkeypatch.setattr(reactions, "look_for_directory", slowly)
        services.create_lease(agency="BLM", lease_number="NMNM 7", created_by=operator)
        work_until_settled()
        for _ in range(3):
            told()
            attend()
            reconcile()
            work_until_settled()

        assert states()["NMNM 7"] == ("done", True)

    def test_two_looks_at_once_and_a_redis_that_forgets(
        self, operator: User, dropbox: "Standin", work_until_settled: Work, redis: object
    ) -> None:
        imported(operator, "NMNM 7")
        attend()
        work_until_settled()
        dropbox.put(f"{BLM}/NMNM 7/{REPORT}")
        told()
        archive_looks.look_after_all()
        redis.flushall()  # type: ignore[attr-defined]
        archive_looks.look_after_all()
        attend()
        redis.flushall()  # type: ignore[attr-defined]
        attend()
        reconcile()
        work_until_settled()

        assert states()["NMNM 7"] == ("done", True)

    def test_a_watch_that_is_dropped_and_made_again_tells_what_came_meanwhile(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        imported(operator, "NMNM 7")
        attend()
        work_until_settled()
        assert states()["NMNM 7"][0] == "not_found"
        watch().delete()
        dropbox.put(f"{BLM}/NMNM 7/{REPORT}")
        told()
        attend()
        attend()
        reconcile()
        work_until_settled()

        assert states()["NMNM 7"] == ("done", True)


class TestOtherPeople:
    @pytest.fixture
    def private(self, operator: User, dropbox: "Standin", work_until_settled: Work) -> Lease:
        dropbox.put(f"{BLM}/NMNM 1/{REPORT}", f"{BLM}/NMNM 1/Secret offer of Acme.pdf", f"{BLM}/NMNM 5/Hidden deed.pdf")
        imported(operator, "NMNM 1")
        attend()
        work_until_settled()
        return Lease.objects.get()

    @pytest.mark.parametrize("role", ["Viewer", "Operator"])
    def test_do_not_find_names_of_files_that_only_another_s_dropbox_sees(self, private: Lease, role: str) -> None:
        """The names near a number are told from one's own index alone; the search over file names tells all of them."""
        client = Client()
        client.force_login(in_role(role))
        answer = client.get("/api/v1/files/", {"search": "Hidden deed"})
        listed = client.get("/admin/storage/storedfile/", {"q": "Hidden deed"})

        assert "Hidden deed" not in answer.content.decode()
        assert "nmnm 5/hidden deed.pdf" not in listed.content.decode().lower()

    @pytest.mark.parametrize("role", ["Viewer"])
    def test_do_not_read_them_on_a_lease_s_page(self, private: Lease, role: str) -> None:
        client = Client()
        client.force_login(in_role(role))
        answer = client.get(f"/admin/leases/lease/{private.pk}/change/", follow=True)

        assert answer.status_code == 200
        assert "Secret offer of Acme" not in answer.content.decode()

"""What `make up` shows on its first run."""

import pytest
from django.contrib.auth.models import User
from redis import Redis

from cloud.models import DropboxAccount
from cloud.services.accounts import REQUIRED_SCOPES
from discovery.services.demo_data import BASE_PATHS, LEASES, TO_TRY, WITHOUT_DROPBOX, load_demo_data, newcomer
from dropbox_standin.client import Standin
from dropbox_standin.seeds import BLM_BASE, DEMO, NMSLO_BASE
from leases.lookalikes import doubts_about_number
from leases.models import AgencyStorageConfig, Lease
from tests.roles import in_role


@pytest.fixture(autouse=True)
def _empty_redis(redis: Redis) -> None: ...


class TestLoadDemoData:
    def test_makes_people_agencies_and_leases(self, db: None, dropbox: Standin) -> None:
        load_demo_data()

        assert DropboxAccount.objects.get().user.username == "operator"
        assert set(AgencyStorageConfig.objects.values_list("agency", "runsheet_archive_base_path")) == set(
            BASE_PATHS.items()
        )
        assert Lease.objects.count() == len(LEASES) + 1
        assert Lease.objects.get(created_by__username="newcomer").lease_number == WITHOUT_DROPBOX[1]

    def test_connects_with_no_more_than_is_needed(self, db: None, dropbox: Standin) -> None:
        load_demo_data()

        assert set(DropboxAccount.objects.get().scopes) == REQUIRED_SCOPES

    def test_makes_a_newcomer_who_is_an_operator_and_no_more(self, db: None) -> None:
        person = newcomer()

        assert person.check_password("newcomer")
        assert (person.is_staff, person.is_superuser) == (True, False)
        assert person.get_all_permissions() == in_role("Operator").get_all_permissions()
        assert newcomer() == person

    def test_run_again_adds_and_changes_nothing(self, db: None, dropbox: Standin) -> None:
        load_demo_data()
        AgencyStorageConfig.objects.update(runsheet_archive_base_path="/Elsewhere")
        before = (User.objects.count(), Lease.objects.count(), dropbox.calls())

        load_demo_data()

        assert (User.objects.count(), Lease.objects.count(), dropbox.calls()) == before
        assert set(AgencyStorageConfig.objects.values_list("runsheet_archive_base_path", flat=True)) == {"/Elsewhere"}

    def test_names_folders_that_the_stand_in_has(self, db: None, dropbox: Standin) -> None:
        dropbox.reset(seed="demo")
        load_demo_data()
        there = set(dropbox.tree())

        for each in AgencyStorageConfig.objects.all():
            assert {f"{each.runsheet_archive_base_path}/", *(f"{path}/" for path in each.beside.values())} <= there
        documents = {
            (lease.agency, lease.lease_number)
            for lease in Lease.objects.all()
            if f"{AgencyStorageConfig.objects.get(agency=lease.agency).documents_base_path}/{lease.lease_number}/"
            in there
        }
        assert {agency for agency, _ in documents} == {*BASE_PATHS}

    def test_keeps_the_operator_that_is_there(self, db: None, dropbox: Standin) -> None:
        User.objects.create_superuser("operator", password="chosen")

        load_demo_data()

        assert User.objects.get(username="operator").check_password("chosen")

    def test_names_archives_that_the_stand_in_has(self) -> None:
        known = {("BLM", number) for number in (*_special(), *DEMO.ordinary_blm)}
        known |= {("NMSLO", number) for number in DEMO.ordinary_nmslo}

        assert BASE_PATHS == {"BLM": BLM_BASE, "NMSLO": NMSLO_BASE}
        assert {*LEASES, WITHOUT_DROPBOX, *TO_TRY} <= known
        assert not {*LEASES, WITHOUT_DROPBOX} & {*TO_TRY}


def _special() -> tuple[str, ...]:
    return (
        DEMO.report_found,
        DEMO.no_report,
        DEMO.empty,
        DEMO.only_subfolders,
        DEMO.beyond_first_page,
        DEMO.link_forbidden,
        DEMO.not_found,
    )


@pytest.mark.parametrize(("agency", "number"), [*LEASES, *TO_TRY, WITHOUT_DROPBOX])
def test_no_number_is_doubtful(agency: str, number: str) -> None:
    assert doubts_about_number(number, agency=agency) == []

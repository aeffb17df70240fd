from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.utils import timezone

from cloud.models import CloudLocation
from leases.errors import ConfigurationDisabled, ConfigurationMissing
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of, usable

pytestmark = pytest.mark.django_db


def violates(constraint: str) -> pytest.RaisesExc:
    return pytest.raises(IntegrityError, match=constraint)


class TestLease:
    def test_of_plain_sql_is_pending_and_owed(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO leases_lease (agency, lease_number) VALUES ('BLM', 'NMNM 1')")

        lease = Lease.objects.get()
        assert (lease.state, lease.follow_through, lease.generation) == ("pending", True, 0)
        assert lease.due_at is not None
        assert lease.due_at <= timezone.now()
        assert str(lease) == "BLM NMNM 1"

    @pytest.mark.parametrize("number", ["a/b", "a\\b", "a..b", ".", "", " a", "a ", "a\x01b", "a\nb"])
    def test_refuses_a_number_that_is_no_folder_name(self, number: str) -> None:
        with violates("leases_lease_number_is_a_name"), transaction.atomic():
            Lease.objects.create(agency="BLM", lease_number=number)

    def test_refuses_text_that_is_not_nfc(self) -> None:
        with violates("leases_lease_number_is_nfc"), transaction.atomic():
            Lease.objects.create(agency="BLM", lease_number="cafe\u0301")

    def test_refuses_the_same_number_in_another_case(self) -> None:
        Lease.objects.create(agency="BLM", lease_number="NMNM 1")

        with violates("leases_lease_once_per_agency"), transaction.atomic():
            Lease.objects.create(agency="BLM", lease_number="nmnm 1")

    def test_allows_the_same_number_at_another_agency(self) -> None:
        Lease.objects.create(agency="BLM", lease_number="1")

        Lease.objects.create(agency="NMSLO", lease_number="1")

    def test_refuses_an_agency_that_nobody_knows(self) -> None:
        with violates("leases_lease_known_agency"), transaction.atomic():
            Lease.objects.create(agency="NASA", lease_number="1")

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"state": "lost"}, "leases_lease_known_state"),
            ({"state": "failed"}, "leases_lease_failure_has_a_code"),
            ({"state": "searching", "due_at": None}, "leases_lease_work_is_owed"),
            ({"state": "not_found", "runsheet_report_found": True}, "leases_lease_not_found_has_nothing"),
        ],
    )
    def test_refuses_what_cannot_be(self, values: dict[str, Any], constraint: str) -> None:
        Lease.objects.create(agency="BLM", lease_number="1")

        with violates(constraint), transaction.atomic():
            Lease.objects.update(**values)

    def test_outlives_its_location(self) -> None:
        location = CloudLocation.objects.create(path="/a/1", name="1", share_url="https://example.com/1")
        lease = Lease.objects.create(agency="BLM", lease_number="1", runsheet_directory=location)
        assert lease.runsheet_link == "https://example.com/1"

        location.delete()

        lease = Lease.objects.get()
        assert (lease.runsheet_directory, lease.runsheet_link) == (None, "")

    def test_cleaning_makes_the_number_nfc(self, olivia: User) -> None:
        lease = Lease(agency="BLM", lease_number="cafe\u0301")

        lease.full_clean(exclude={"state"})

        assert lease.lease_number == "caf\u00e9"


class TestAgencyStorageConfig:
    def config(self, **values: Any) -> AgencyStorageConfig:
        paths = {"runsheet_archive_base_path": "/a", "documents_base_path": "/b", "misc_index_base_path": "/c"}
        return AgencyStorageConfig(**{"agency": "BLM", **paths, **values})

    def test_normalises_its_paths_when_saved(self) -> None:
        self.config(runsheet_archive_base_path="//Federal Workspace/^Runsheet Workspace/Runsheet Archive/").save()

        kept = AgencyStorageConfig.objects.get().runsheet_archive_base_path
        assert kept == "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"

    def test_refuses_a_path_without_a_leading_slash(self) -> None:
        with pytest.raises(ValidationError, match="begins with a slash"):
            self.config(documents_base_path="a/b").full_clean()

    def test_asks_for_every_path(self) -> None:
        with pytest.raises(ValidationError) as refused:
            AgencyStorageConfig(agency="BLM").full_clean()

        assert set(refused.value.error_dict) >= {
            "runsheet_archive_base_path", "documents_base_path", "misc_index_base_path",
        }  # fmt: skip

    @pytest.mark.parametrize("path", ["", "a", "/a/", "/a//b", "/a/../b", "/.", "/a\\b", "/a\x01"])
    def test_the_database_refuses_a_bad_path_too(self, path: str) -> None:
        self.config().save()

        with violates("leases_config_misc_index_base_path"), transaction.atomic():
            AgencyStorageConfig.objects.update(misc_index_base_path=Value(path))

    def test_has_one_row_per_agency(self) -> None:
        self.config().save()

        with violates("agency"), transaction.atomic():
            self.config().save()

    def test_is_found_by_its_agency(self) -> None:
        self.config().save()

        assert str(usable(configuration_of("BLM"), agency="BLM")) == "BLM"

    def test_missing_it_says_so_by_name(self) -> None:
        with pytest.raises(ConfigurationMissing, match="NMSLO is not configured"):
            usable(configuration_of("NMSLO"), agency="NMSLO")

    def test_disabled_it_says_so_by_name(self) -> None:
        self.config(enabled=False).save()

        with pytest.raises(ConfigurationDisabled, match="Discovery is switched off for BLM"):
            usable(configuration_of("BLM"), agency="BLM")

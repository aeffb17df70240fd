"""Agencies, for programs."""

import pytest
from django.contrib.auth.models import Permission, User

from leases.models import AgencyStorageConfig
from tests.factories import BLM, configured
from tests.leases.api.conftest import As, Program, refused

pytestmark = pytest.mark.django_db


def test_all_are_told_with_what_is_configured(asked_by: As) -> None:
    configured()

    answer = asked_by("Viewer").get("agencies/").json()

    assert (answer["total"], answer["next"]) == (2, None)
    state, federal = answer["items"]
    assert (state["code"], state["configuration"]) == ("NMSLO", None)
    assert (federal["code"], federal["subfolders"]) == ("BLM", ["^Document Archive", "Runsheets"])
    assert federal["configuration"]["runsheet_archive_base_path"] == BLM
    assert federal["configuration"]["enabled"] is True


def test_one_is_told_and_not_sent_again(asked_by: As) -> None:
    viewer = asked_by("Viewer")
    assert "ETag" not in viewer.get("agencies/BLM/")
    configured()

    had = viewer.version_of("agencies/BLM/")

    assert viewer.get("agencies/BLM/", headers={"If-None-Match": had}).status_code == 304
    AgencyStorageConfig.objects.update(enabled=False)
    assert viewer.get("agencies/BLM/", headers={"If-None-Match": had}).json()["configuration"]["enabled"] is False


def test_there_is_no_other(asked_by: As) -> None:
    assert refused(asked_by("Viewer").get("agencies/NASA/")) == (404, "not_found")


def test_they_are_for_who_may_see_them() -> None:
    person = User.objects.create_user("nina", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_lease"))

    for what in ("agencies/", "agencies/BLM/"):
        assert refused(Program(person).get(what)) == (403, "transition_forbidden")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_they_are_only_read(asked_by: As, method: str) -> None:
    assert refused(asked_by("Administrator").send(method, "agencies/BLM/", {})) == (405, "method_not_allowed")

"""What lies in the archive of a lease, for programs."""

import pytest
from django.contrib.auth.models import Permission, User

from cloud.models import CloudLocation
from leases.models import Lease
from tests import factories
from tests.factories import BLM, indexed, settled, watched
from tests.leases.api.conftest import As, Program, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(olivia: User) -> Lease:
    """Of somebody who has the folder of archives watched."""
    account = factories.account(user=olivia)
    account.save()
    indexed(watched(account), {"NMNM 1": ["b.pdf", "Runsheets/", "Master Documents.pdf"]})
    return settled(
        olivia,
        state="done",
        runsheet_directory=CloudLocation.objects.create(path=f"{BLM}/NMNM 1", name="NMNM 1"),
        known_account=account.account_id,
        known_root=account.root_namespace_id,
    )


def test_the_report_comes_first(asked_by: As, lease: Lease) -> None:
    said = asked_by("Viewer").get(f"leases/{lease.pk}/contents/").json()

    assert [(each["name"], each["is_report"], each["size"]) for each in said["items"]] == [
        ("Master Documents.pdf", True, 1_234),
        ("b.pdf", False, 1_234),
        ("Runsheets", False, None),
    ]
    assert said["items"][0]["url"].startswith("https://www.dropbox.com/home/")
    assert (said["more"], said["read_at"] is None) == (0, False)
    root, _, folder = said["folder"].partition("/")
    found = asked_by("Viewer").get("files/", root=root, search=folder).json()["files"]
    assert {each["name"] for each in found} >= {"b.pdf", "Runsheets"}


def test_as_many_come_as_are_asked_for(asked_by: As, lease: Lease) -> None:
    said = asked_by("Viewer").get(f"leases/{lease.pk}/contents/", limit=1).json()

    assert ([each["name"] for each in said["items"]], said["more"]) == (["Master Documents.pdf"], 2)
    for limit in (0, 1_001):
        assert refused(asked_by("Viewer").get(f"leases/{lease.pk}/contents/", limit=limit)) == (422, "invalid")


def test_nothing_is_said_of_what_is_not_known_or_not_for_who_asks(asked_by: As, lease: Lease, olivia: User) -> None:
    nina = User.objects.create_user("nina", is_staff=True)
    nina.user_permissions.set(Permission.objects.filter(codename="view_lease"))
    nothing = {"items": None, "more": 0, "folder": None, "read_at": None}

    assert Program(nina).get(f"leases/{lease.pk}/contents/").json() == nothing
    unknown = settled(olivia, lease_number="NMNM 2")
    assert asked_by("Viewer").get(f"leases/{unknown.pk}/contents/").json() == nothing

"""A second kind of record whose work uses a person's Dropbox: kettles, which are told and asked beside the leases."""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, override

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from cloud import dependants
from cloud.dependants import Dependant, Opening, Sight
from cloud.findings import Finding
from cloud.models import CloudLocation
from cloud.services.accounts import interrupted, standing_of
from tests.cloud.views.conftest import HERE, browser, connect
from tests.factories import ARCHIVE, give_dropbox
from tests.kitchen import in_the_console
from tests.toy.models import Kettle, State

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

__all__ = ["browser"]

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class Kettles(Dependant):
    """They boil what lies in the Dropbox of the cook."""

    model = Kettle
    work = "boiling"
    right = "toy.boil"
    invitation = "The water that you boil comes out of it."
    inviting = ("admin:leases_lease_add",)
    sight = Sight(meaning="Looks for water.", nothing="There is no tap.", failed="The tap could not be looked at.")
    leads_to: Opening | None = None

    def __init__(self) -> None:
        self.changed_in: list[set[str]] = []

    @override
    def connected(self, user: User, *, event: str) -> int:
        return Kettle.objects.filter(initiated_by=user, state=State.BROKEN).update(state=State.COLD)

    @override
    def readable_again(self, usernames: Collection[str]) -> None:
        Kettle.objects.filter(initiated_by__username__in=usernames).update(state=State.COLD)

    @override
    def changed(self, account_ids: Collection[str]) -> None:
        self.changed_in.append(set(account_ids))

    @override
    def under_way(self, user: User) -> QuerySet[Kettle]:
        return Kettle.objects.filter(initiated_by=user, state=State.HEATING)

    @override
    def waiting(self, user: User) -> Mapping[str, int]:
        return {"no_dropbox": Kettle.objects.filter(initiated_by=user, state=State.BROKEN).count()}

    @override
    def list_of_waiting(self, user: User) -> str:
        return "/kettles/"

    @override
    def look_through(self, user: User) -> Sequence[Finding]:
        return ()

    @override
    def standing_on(self, location: CloudLocation) -> QuerySet[Kettle]:
        return Kettle.objects.none()

    @override
    def opening(self, location: CloudLocation, user: User) -> Opening | None:
        return self.leads_to


@pytest.fixture
def kettles(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kettles]:
    """Declared for this test, after the leases."""
    declared = Kettles()
    monkeypatch.setattr(dependants, "_DECLARED", [*dependants.dependants()])
    dependants.declare(declared)
    with in_the_console(settings):
        yield declared


@pytest.fixture
def kettles_alone(kettles: Kettles, monkeypatch: pytest.MonkeyPatch) -> Kettles:
    monkeypatch.setattr(dependants, "_DECLARED", [kettles])
    return kettles


@pytest.fixture
def broken(olivia: User) -> Kettle:
    """Olivia's, which waits for a Dropbox."""
    return Kettle.objects.create(label="red", state=State.BROKEN, initiated_by=olivia, due_at=None)


@pytest.mark.usefixtures("kettles")
class TestASecondKind:
    def test_stands_in_the_sentences_beside_the_first(self) -> None:
        assert dependants.works() == "discovery or boiling"
        assert dependants.one_of_each() == "lease or kettle"
        assert dependants.many_of_each() == "leases and kettles"

    def test_lets_whoever_may_only_boil_connect_a_dropbox(self, client: Client) -> None:
        cook = User.objects.create_user("cook", is_staff=True)
        assert not dependants.needs_dropbox(cook)

        cook.user_permissions.add(Permission.objects.get(codename="boil"))

        again = User.objects.get(pk=cook.pk)
        assert dependants.needs_dropbox(again)
        client.force_login(again)
        assert "/dropbox/connect/" in client.get(HERE).text

    def test_goes_on_when_a_dropbox_comes(self, browser: Client, broken: Kettle) -> None:
        answer = browser.get(connect(browser)["Location"])

        assert Kettle.objects.get(pk=broken.pk).state == State.COLD
        assert "1 kettle that waited for it starts again." in answer.text

    def test_is_told_of_changes_in_connected_accounts(
        self, client: Client, kettles: Kettles, olivia: User, dropbox: "Standin"
    ) -> None:
        connected = give_dropbox(olivia, dropbox).account_id
        for named in (connected, "dbid:" + "x" * 35):
            body = json.dumps({"list_folder": {"accounts": [named]}}).encode()
            signature = hmac.new(b"standin-secret", body, hashlib.sha256).hexdigest()
            headers = {"X-Dropbox-Signature": signature}
            client.post("/dropbox/webhook/", body, content_type="application/json", headers=headers)

        assert kettles.changed_in == [{connected}]

    def test_waits_and_is_interrupted_beside_the_first(self, olivia: User, dropbox: "Standin", broken: Kettle) -> None:
        give_dropbox(olivia, dropbox)
        assert list(map(str, standing_of(olivia).waiting)) == ["1 kettle"]
        assert interrupted(olivia) == ()

        Kettle.objects.filter(pk=broken.pk).update(state=State.HEATING)

        assert list(map(str, interrupted(olivia))) == ["1 kettle"]

    def test_says_where_there_is_nothing_to_look_for(self, browser: Client, olivia: User, dropbox: "Standin") -> None:
        give_dropbox(olivia, dropbox)

        answer = browser.post(reverse("dropbox_check"), follow=True)

        assert "No agency is configured yet" in answer.text
        assert "There is no tap." in answer.text


class TestOpening:
    """Where a click leads when no lease has a word in it."""

    @pytest.fixture
    def page(self, kettles_alone: Kettles, olivia: User, client: Client) -> Client:
        client.force_login(olivia)
        return client

    @pytest.mark.parametrize(
        ("values", "leads", "says"),
        [
            ({"share_url": "https://www.dropbox.com/1"}, "https://www.dropbox.com/1", ""),
            ({"share_refusal": "Links are forbidden by your team."}, None, "Links are forbidden by your team."),
            ({}, None, "No share link is stored for this archive."),
        ],
    )
    def test_is_the_link_as_it_is_stored(
        self, page: Client, values: dict[str, str], leads: str | None, says: str
    ) -> None:
        place = CloudLocation.objects.create(path=ARCHIVE, name="1", **values)

        answer = page.get(reverse("open_archive", args=[place.pk]))

        assert answer.get("Location") == leads
        assert says in answer.text

    def test_is_what_the_kind_says_of_it(self, page: Client, kettles_alone: Kettles) -> None:
        kettles_alone.leads_to = Opening(why_not="The kettle is on it.")
        place = CloudLocation.objects.create(path=ARCHIVE, name="1", share_url="https://www.dropbox.com/1")

        assert "The kettle is on it." in page.get(reverse("open_archive", args=[place.pk])).text

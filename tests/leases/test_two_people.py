"""Two people open the same form: who saves second is told, and undoes nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from console.records import concurrent_edits
from leases.models import AgencyStorageConfig, Lease
from tests.configuring import save
from tests.factories import settled
from tests.held import held_by_another_session

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def shown(page: Any) -> dict[str, str]:
    """What the form would send if nobody typed anything."""
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {
        **{name: "on" if value is True else value for name, value in values.items()},
        **{form[name].html_initial_name: str(value) for name, value in values.items()},
    }


class TestConfiguration:
    @pytest.fixture
    def url(self) -> str:
        made = AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path="/a", documents_base_path="/d", misc_index_base_path="/m"
        )
        return reverse("admin:leases_agencystorageconfig_change", args=[made.pk])

    def test_of_two_administrators_none_undoes_the_other(self, console: Client, url: str) -> None:
        mine = shown(console.get(url))
        save(console, url, mine | {"documents_base_path": "/theirs"})

        answer = console.post(url, mine | {"misc_index_base_path": "/mine"})

        assert "It is now: Folder of the documents “/theirs”." in answer.text
        saved = AgencyStorageConfig.objects.get()
        assert (saved.documents_base_path, saved.misc_index_base_path) == ("/theirs", "/m")

    def test_is_saved_by_one_after_the_other(self, console: Client, url: str) -> None:
        save(console, url, shown(console.get(url)) | {"documents_base_path": "/theirs"})

        save(console, url, shown(console.get(url)) | {"misc_index_base_path": "/mine"})

        saved = AgencyStorageConfig.objects.get()
        assert (saved.documents_base_path, saved.misc_index_base_path) == ("/theirs", "/mine")

    def test_that_was_switched_off_meanwhile_stays_off(self, console: Client, url: str) -> None:
        mine = shown(console.get(url))
        AgencyStorageConfig.objects.update(enabled=False)

        assert "Discovery runs for this agency “False”" in console.post(url, mine).text
        assert not AgencyStorageConfig.objects.get().enabled


class TestLease:
    def url(self, lease: Lease) -> str:
        return reverse("admin:leases_lease_change", args=[lease.pk])

    def test_of_two_operators_none_undoes_the_other(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, lease_number="NMNM 1")
        mine = shown(console.get(self.url(lease)))
        console.post(self.url(lease), mine | {"lease_number": "NMNM 2"})

        answer = console.post(self.url(lease), mine | {"agency": "NMSLO"})

        assert "It is now: Lease number “NMNM 2”." in answer.text
        assert [(each.agency, each.lease_number) for each in Lease.objects.all()] == [("BLM", "NMNM 2")]

    @pytest.mark.django_db(transaction=True)
    def test_that_somebody_else_holds_is_not_waited_for(
        self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(concurrent_edits, "HELD_FOR_S", 0.1)
        lease = settled(olivia, lease_number="NMNM 1")
        mine = shown(console.get(self.url(lease)))
        with held_by_another_session(Lease, lease.pk):
            answer = console.post(self.url(lease), mine | {"lease_number": "NMNM 2"})

        assert concurrent_edits.BUSY in answer.text
        assert Lease.objects.get().lease_number == "NMNM 1"

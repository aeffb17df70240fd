"""Whether what appears is noticed by itself, on the page of a lease and above the list: only what is so."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client

from cloud.models import DropboxAccount
from core.base.clock import now
from leases.models import AgencyStorageConfig, Lease
from tests.discovery.watching import absent, done
from tests.factories import BLM, configured, indexed, watched

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

LIST = "/admin/leases/lease/"


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    configured()
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.text.split())


def on_page(page: Client, lease: Lease) -> str:
    return text_of(page.get(f"{LIST}{lease.pk}/change/"))


class TestLease:
    def test_that_was_not_found_is_noticed_when_it_appears(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get(), read_at=now() - timedelta(minutes=3))

        text = on_page(page, lease)

        assert "Checked <time" in text
        assert "It is noticed by itself when the archive appears." in text

    def test_that_was_found_is_noticed_when_it_changes(self, page: Client, operator: User) -> None:
        lease = done(operator)
        indexed(watched(DropboxAccount.objects.get()), {lease.lease_number: []})

        assert "It is noticed by itself when a report is added or taken away, or the archive goes." in on_page(
            page, lease
        )

    def test_of_what_has_changed_since_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get())
        DropboxAccount.objects.update(changed_at=Now())

        text = on_page(page, lease)

        assert "Last checked <time" in text
        assert "What has changed there is being read." in text

    def test_of_a_folder_that_was_not_read_yet_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get(), cursor="", read_at=None)

        text = on_page(page, lease)

        assert "was not read to its end yet" in text
        assert "hecked <time" not in text

    def test_of_an_agency_that_is_not_watched_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get())
        AgencyStorageConfig.objects.update(watched=False)

        assert "The archives of BLM are not watched" in on_page(page, lease)

    @pytest.mark.parametrize("without", ["account", "configuration", "switched off"])
    def test_without_anybody_who_could_look_says_nothing(self, page: Client, operator: User, without: str) -> None:
        lease = absent(operator)
        if without == "account":
            DropboxAccount.objects.all().delete()
        elif without == "configuration":
            AgencyStorageConfig.objects.all().delete()
        else:
            AgencyStorageConfig.objects.update(enabled=False)

        text = on_page(page, lease)

        assert "noticed by itself" not in text
        assert "not watched" not in text

    def test_that_is_owed_a_run_says_nothing(self, page: Client, operator: User) -> None:
        lease = absent(operator, due_at=now())
        watched(DropboxAccount.objects.get())

        assert "noticed by itself" not in on_page(page, lease)


class TestList:
    def test_says_what_is_watched_with_ones_own_dropbox(self, page: Client, operator: User) -> None:
        absent(operator)
        watched(DropboxAccount.objects.get())

        text = text_of(page.get(LIST))

        assert "BLM: checked <time" in text
        assert "What appears there is noticed by itself." in text

    def test_says_nothing_where_nothing_is(self, page: Client, operator: User) -> None:
        absent(operator)

        assert "noticed by itself" not in text_of(page.get(LIST))

    def test_says_nothing_to_who_has_no_dropbox(self, page: Client, operator: User) -> None:
        absent(operator)
        watched(DropboxAccount.objects.get())
        DropboxAccount.objects.all().delete()

        assert BLM not in text_of(page.get(LIST))
        assert "noticed by itself" not in text_of(page.get(LIST))

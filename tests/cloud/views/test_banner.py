"""What every page of the console says about one's own Dropbox."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cloud.models import DropboxAccount
from console.notices.addresses import list_of_waiting
from core.base.clock import now
from leases.models import Lease
from tests.cloud.views.conftest import HERE, LEASES, connect

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestTheBanner:
    @pytest.fixture
    def lost(self, browser: Client, olivia: User) -> Client:
        for number in range(3):
            Lease.objects.create(agency="BLM", lease_number=f"NMNM {number}", initiated_by=olivia)
        Lease.objects.update(state="failed", failure_code="connect_dropbox", due_at=None)
        return browser

    def test_is_one_for_all_leases_and_leads_to_the_way_out(self, lost: Client) -> None:
        for path in ("/admin/", LEASES):
            page = lost.get(path).text

            assert page.count("Your Dropbox is not connected.") == 1
            assert "3 leases that you started</a> wait for it." in page
            assert f'href="/dropbox/?next={path.replace("/", "%2F")}"' in page
            assert "leases: Dropbox not connected</a>" not in page

    def test_says_why_a_connection_has_ended(self, lost: Client) -> None:
        connect(lost)
        DropboxAccount.objects.update(needs_reconnect_reason="Dropbox has ended this connection.")

        assert "Dropbox has ended this connection." in lost.get("/admin/").text

    def test_is_there_when_leases_failed_although_the_connection_seems_fine(self, lost: Client) -> None:
        connect(lost)
        Lease.objects.update(due_at=None)

        assert "Your Dropbox was out of reach." in lost.get("/admin/").text

    def test_is_gone_as_soon_as_they_go_on(self, lost: Client) -> None:
        connect(lost)

        assert "dropbox-banner" not in lost.get("/admin/").text

    def test_is_there_while_they_are_still_tried_and_lets_them_go_on_at_once(self, lost: Client) -> None:
        later = now() + timedelta(minutes=2)
        Lease.objects.update(state="searching", due_at=later, tries=1, failure_message="None is connected.")

        before = lost.get("/admin/").text
        connect(lost)

        assert "3 leases that you started</a> wait for it." in before
        assert not Lease.objects.filter(due_at__gt=now()).exists()
        assert set(Lease.objects.values_list("state", "failure_code", "failure_message")) == {("searching", "", "")}
        assert "dropbox-banner" not in lost.get("/admin/").text

    def test_leads_to_all_that_it_counts(self, lost: Client, olivia: User) -> None:
        Lease.objects.filter(lease_number="NMNM 1").update(state="searching", due_at=now() + timedelta(minutes=2))

        page = lost.get(list_of_waiting(Lease, "connect_dropbox", user_id=olivia.pk))

        assert page.context["cl"].result_count == 3

    def test_is_not_for_others(self, lost: Client, django_user_model: type[User]) -> None:
        lost.force_login(django_user_model.objects.create_superuser("oscar"))

        assert "is-lost" not in lost.get(LEASES).text

    @pytest.mark.parametrize("where", ["/admin/", LEASES, f"{LEASES}add/"])
    def test_shows_the_way_where_runs_are_started_before_anything_fails(self, browser: Client, where: str) -> None:
        page = browser.get(where).text

        assert page.count(">Connect Dropbox</a>") == 1
        assert "is-lost" not in page

    def test_does_not_invite_elsewhere(self, browser: Client) -> None:
        assert "dropbox-banner" not in browser.get("/admin/cloud/cloudlocation/").text

    def test_says_when_the_stored_tokens_are_the_trouble(self, lost: Client) -> None:
        connect(lost)
        Lease.objects.update(failure_code="tokens_unreadable", due_at=None)

        for where in (LEASES, "/dropbox/"):
            assert "were encrypted with another key" in lost.get(where).text

    def test_does_not_invite_who_needs_no_dropbox(self, browser: Client, django_user_model: type[User]) -> None:
        browser.force_login(django_user_model.objects.create_user("viewer", is_staff=True))

        assert "dropbox-banner" not in browser.get("/admin/").text

    def test_is_not_on_the_page_that_says_it_all(self, lost: Client) -> None:
        assert "dropbox-banner" not in lost.get(HERE).text

    def test_is_not_on_the_login_page(self, client: Client) -> None:
        assert "dropbox-banner" not in client.get("/admin/login/").text

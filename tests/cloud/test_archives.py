"""The page behind “Open in Dropbox”."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cloud.models import CloudLocation
from core.base.clock import now
from tests.discovery.services.test_archive_opening import location
from tests.links import revoke_link

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

__all__ = ["location"]

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def page(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def url(place: CloudLocation) -> str:
    return reverse("open_archive", args=[place.pk])


class TestArchive:
    def test_leads_to_dropbox(self, page: Client, location: CloudLocation) -> None:
        answer = page.get(url(location))

        assert (answer.status_code, answer["Location"]) == (302, location.share_url)
        assert "no-store" in answer["Cache-Control"]

    def test_leads_to_the_new_link(self, page: Client, location: CloudLocation, dropbox: "Standin") -> None:
        revoke_link(dropbox, location.share_url)

        answer = page.get(url(location))

        assert answer["Location"] == CloudLocation.objects.get().share_url != location.share_url

    def test_explains_why_not(self, page: Client, location: CloudLocation, dropbox: "Standin") -> None:
        dropbox.delete(location.path)

        answer = page.get(url(location))

        assert answer.status_code == 200
        assert "is no longer there: it was moved, renamed or deleted in Dropbox" in answer.text

    def test_follows_nothing_but_a_web_address(self, page: Client, location: CloudLocation) -> None:
        CloudLocation.objects.update(share_url="javascript:alert(1)", share_checked_at=now())

        answer = page.get(url(location))

        assert "The stored share link is not a web address" in answer.text

    def test_of_no_archive_is_not_found(self, page: Client) -> None:
        assert page.get(reverse("open_archive", args=[1])).status_code == 404

    def test_is_for_who_may_see_leases(self, client: Client, location: CloudLocation, dropbox: "Standin") -> None:
        client.force_login(User.objects.create_user("nobody", is_staff=True))

        assert client.get(url(location)).status_code == 403
        assert dropbox.calls() == {}

    def test_leads_nobody_past_the_login(self, client: Client, location: CloudLocation) -> None:
        assert "/login/" in client.get(url(location))["Location"]

    def test_is_what_the_list_of_leases_links_to(self, page: Client, location: CloudLocation) -> None:
        assert url(location) in page.get(reverse("admin:cloud_cloudlocation_changelist")).text

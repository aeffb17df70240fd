"""What a request may say without being believed."""

from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cloud.dropbox.connection import session
from leases.models import Lease
from tests.flows.conftest import BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://attacker.example.com"
SAYS = {
    "DROPBOX_BASE_URL": ELSEWHERE,
    "dropbox_base_url": ELSEWHERE,
    "base_url": ELSEWHERE,
    "DROPBOX_API_HOST": "attacker.example.com",
}
HEADERS = {
    "X-Forwarded-Host": "attacker.example.com",
    "X-Original-URL": ELSEWHERE,
    "Dropbox-Base-Url": ELSEWHERE,
    "Forwarded": "host=attacker.example.com",
}


@pytest.fixture
def browser(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


class TestWhereDropboxIs:
    def test_is_not_what_a_request_says(self, browser: Client, dropbox: "Standin") -> None:
        browser.cookies["DROPBOX_BASE_URL"] = ELSEWHERE
        add = reverse("admin:leases_lease_add")

        browser.get(add, SAYS, headers=HEADERS)
        browser.post(
            f"{add}?base_url={ELSEWHERE}", {"agency": "BLM", "lease_number": "NMNM 1", **SAYS}, headers=HEADERS
        )

        assert Lease.objects.count() == 1
        assert dropbox.base_url == django_settings.DROPBOX_BASE_URL
        session().get("https://api.dropboxapi.com/standin/", timeout=5).raise_for_status()

    def test_is_not_what_an_address_as_base_path_says(self, browser: Client, dropbox: "Standin") -> None:
        page = reverse("admin:leases_agencystorageconfig_add")
        paths = dict.fromkeys(("runsheet_archive_base_path", "documents_base_path", "misc_index_base_path"), ELSEWHERE)

        answer = browser.post(page, {"agency": "NMSLO", **paths})

        assert "This is an address, but not one at Dropbox." in answer.content.decode()
        assert dropbox.calls() == {}


class TestHost:
    @pytest.mark.parametrize(
        "host", ["attacker.example.com", "localhost.attacker.example.com", "localhost@attacker.example.com"]
    )
    def test_that_nobody_configured_is_refused(self, client: Client, host: str) -> None:
        assert client.get("/admin/login/", headers={"host": host}).status_code == 400

    def test_that_a_proxy_was_told_is_in_no_page(self, browser: Client) -> None:
        answer = browser.get(reverse("admin:leases_lease_changelist"), headers=HEADERS)

        assert "attacker.example.com" not in answer.content.decode()


class TestNext:
    @pytest.mark.parametrize(
        "address",
        [ELSEWHERE, "//attacker.example.com", "/\\attacker.example.com", "javascript:alert(1)", "https:attacker"],
    )
    def test_leads_to_no_other_site_after_the_login(self, client: Client, olivia: User, address: str) -> None:
        login = reverse("admin:login")

        answer = client.post(login, {"username": "olivia", "password": "olivia", "next": address})

        assert (answer.status_code, "attacker" in answer["Location"]) == (302, False)
        assert answer["Location"].startswith("/")

    def test_session_of_before_the_login_is_worth_nothing_after_it(self, client: Client, olivia: User) -> None:
        client.get(reverse("admin:login"))
        planted = client.session
        planted["planted"] = "yes"
        planted.save()
        before = planted.session_key

        client.post(reverse("admin:login"), {"username": "olivia", "password": "olivia", "next": "/admin/"})

        assert client.session.session_key != before


class TestQuestions:
    @pytest.mark.parametrize("lookup", ["created_by__password__startswith", "initiated_by__password__regex"])
    def test_about_passwords_are_not_answered(self, browser: Client, lookup: str) -> None:
        page = reverse("admin:leases_lease_changelist")

        assert browser.get(page, {lookup: "pbkdf2"})["Location"] == f"{page}?e=1"

    @pytest.mark.parametrize(
        "lookup", ["refresh_token__startswith", "access_token__contains", "user__password__contains"]
    )
    def test_about_tokens_are_not_answered(self, browser: Client, lookup: str) -> None:
        answer = browser.get(reverse("admin:cloud_dropboxaccount_changelist"), {lookup: "s"})

        assert answer.status_code == 302
        assert "standin-refresh" not in answer.content.decode()

    @pytest.mark.parametrize("text", ["'; DROP TABLE leases_lease; --", "' OR 1=1 --", "%", "_", "\\"])
    def test_that_are_sql_are_text(self, browser: Client, text: str) -> None:
        Lease.objects.create(agency="BLM", lease_number="NMNM 1")

        answer = browser.get(reverse("admin:leases_lease_changelist"), {"q": text})

        assert (answer.status_code, Lease.objects.count()) == (200, 1)
        assert "NMNM 1" not in answer.content.decode()


class TestNames:
    @pytest.mark.parametrize(
        "number", ["<script>alert(1)<", '"><img src=x onerror=alert(1)>', "{{ settings.SECRET_KEY }}"]
    )
    def test_of_leases_are_text_on_every_page(self, browser: Client, operator: User, number: str) -> None:
        lease = Lease.objects.create(agency="BLM", lease_number=number, matching_files=[number], created_by=operator)

        pages = [
            reverse("admin:leases_lease_changelist"),
            *[reverse(f"admin:leases_lease_{page}", args=[lease.pk]) for page in ("change", "history", "delete")],
        ]

        for page in pages:
            text = browser.get(page).content.decode()
            assert "alert(1)<" not in text
            assert "onerror=alert(1)>" not in text
            assert django_settings.SECRET_KEY not in text

    def test_of_places_are_kept_below_the_base_path(self, browser: Client, dropbox: "Standin") -> None:
        for number in ("../Other", "..", "a/b", "%2e%2e%2fOther", "\uff0e\uff0e", "a\u2215b", "a\\b", "a\x00b"):
            browser.post(reverse("admin:leases_lease_add"), {"agency": "BLM", "lease_number": number})

        assert Lease.objects.count() == 0
        assert [call.path for call in dropbox.journal() if not (call.path or BLM).startswith(BLM)] == []

"""The button “Test this configuration”."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from leases.models import AgencyStorageConfig
from tests.discovery.conftest import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

BUTTON = "Test this configuration"


@pytest.fixture
def configuration(db: None) -> AgencyStorageConfig:
    return AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path="/d", misc_index_base_path="/m"
    )


@pytest.fixture
def page(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def url(name: str, configuration: AgencyStorageConfig) -> str:
    return reverse(f"admin:leases_agencystorageconfig_{name}", args=[configuration.pk])


class TestButton:
    def test_says_what_was_seen(self, page: Client, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")

        answer = page.post(url("test", configuration), follow=True)

        assert answer.redirect_chain == [(url("change", configuration), 302)]
        assert [(str(each), each.level_tag) for each in answer.context["messages"]] == [
            (f"The folder “{BLM}” is there (Olivia Operator, team space) and holds 1 archive.", "success"),
            ("The archive “NMNM 0501759” can be read.", "success"),
            (
                "As far as Dropbox tells without making one, share links may be made; they open for anybody who has it.",
                "success",
            ),
        ]

    def test_says_what_is_wrong(self, page: Client, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.delete(BLM)

        answer = page.post(url("test", configuration), follow=True)

        assert answer.context["messages"]._loaded_data[0].level_tag == "error"
        assert "is not in your Dropbox" in answer.text

    def test_shows_names_of_dropbox_as_text(
        self, page: Client, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{BLM}/<script>alert(1)</script>/")

        answer = page.post(url("test", configuration), follow=True)

        assert "<script>alert(1)" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text

    def test_stands_on_the_page(self, page: Client, configuration: AgencyStorageConfig) -> None:
        answer = page.get(url("change", configuration))

        assert BUTTON in answer.text
        assert f'action="{url("test", configuration)}"' in answer.text

    def test_is_absent_where_nothing_is_saved_yet(self, page: Client) -> None:
        assert BUTTON not in page.get(reverse("admin:leases_agencystorageconfig_add")).text

    def test_asks_nobody_by_get(self, page: Client, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        assert page.get(url("test", configuration)).status_code == 405
        assert dropbox.calls() == {}

    def test_of_a_configuration_that_is_gone_is_not_found(
        self, page: Client, configuration: AgencyStorageConfig
    ) -> None:
        address = url("test", configuration)
        configuration.delete()

        assert page.post(address).status_code == 404

    def test_is_for_who_may_change_it(
        self, client: Client, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        victor = User.objects.create_user("victor", is_staff=True)
        victor.user_permissions.set(Permission.objects.filter(codename="view_agencystorageconfig"))
        client.force_login(victor)

        assert client.post(url("test", configuration)).status_code == 403
        assert BUTTON not in client.get(url("change", configuration)).text
        assert dropbox.calls() == {}

    def test_leads_nobody_past_the_login(self, client: Client, configuration: AgencyStorageConfig) -> None:
        assert "/login/" in client.post(url("test", configuration))["Location"]

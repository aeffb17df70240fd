"""Every page of the console as axe sees it: in both themes, and on a telephone, where nothing stands out sideways."""

from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.urls import reverse
from playwright.sync_api import Page

from discovery.services.dropbox_accounts import connect_account
from leases import services
from leases.models import FailureNotice, Lease
from statemachine.models import TransitionLog
from tests.browser.conftest import log_in
from tests.live import BLM, System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

# The theme and the width of the window.
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390)]


@pytest.fixture
def leases(person: User, dropbox: "Standin", system: System) -> list[Lease]:
    """One that is done and one that failed."""
    connect_account(user=person, refresh_token="standin-refresh-olivia")
    dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf")
    done = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=person)
    failed = services.create_lease(agency="NMSLO", lease_number="B0-1", created_by=person)
    await_that(lambda: Lease.objects.filter(state__in=["done", "failed"]).count() == 2, within_s=30)
    return [done, failed]


def pages(leases: list[Lease], person: User) -> list[str]:
    log = TransitionLog.objects.values_list("pk", flat=True)[0]
    location = Lease.objects.values_list("runsheet_directory", flat=True).get(pk=leases[0].pk)
    lists = [
        "leases_lease", "leases_agencystorageconfig", "leases_cloudlocation", "leases_failurenotice", "leases_batch",
        "statemachine_transitionlog", "discovery_dropboxaccount", "auth_user", "auth_group",
    ]  # fmt: skip
    records = [
        *(("leases_lease_change", lease.pk) for lease in leases),
        ("leases_lease_delete", leases[0].pk),
        ("leases_cloudlocation_change", location),
        ("leases_failurenotice_change", FailureNotice.objects.values_list("pk", flat=True)[0]),
        ("statemachine_transitionlog_change", log),
        ("auth_user_change", person.pk),
        ("auth_group_change", Group.objects.get_or_create(name="Night shift")[0].pk),
    ]
    others = ["index", "leases_lease_add", "leases_agencystorageconfig_add", "leases_failurenotice_mine"]
    return [
        *(reverse(f"admin:{name}_changelist") for name in lists),
        *(reverse(f"admin:{name}", args=[pk]) for name, pk in records),
        *(reverse(f"admin:{name}") for name in others),
        reverse("admin:password_change"),
        reverse("system"),
        reverse("dropbox_account"),
    ]


def faults(page: Page) -> list[str]:
    """What axe objects to, with everything that is folded open."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    violations = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in violations for node in each["nodes"]]


@pytest.mark.parametrize("look", LOOKS)
class TestPages:
    def test_have_no_fault(
        self, leases: list[Lease], person: User, system: System, page: Page, look: tuple[Literal["light", "dark"], int]
    ) -> None:
        theme, width = look
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{system.url}/admin/login/")
        found = {"login": faults(page)}
        log_in(page, system.url)

        for path in pages(leases, person):
            answer = page.goto(system.url + path)
            assert answer
            assert answer.ok, path
            found[path] = faults(page)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found[path].append("stands out sideways")

        assert {path: seen for path, seen in found.items() if seen} == {}

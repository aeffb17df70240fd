"""A day without a mouse: Tab, Enter, space and the console's own keys, and one always sees where one is."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from leases.models import AgencyStorageConfig
from tests.browser.conftest import enter
from tests.factories import give_dropbox
from tests.live import BLM, PASSWORD, System

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

FARTHEST = 90
# What has the focus: whether it has an outline, and whether some of it is in the window with nothing before it.
FOCUS = """(wanted) => {
    const focused = document.activeElement;
    const style = getComputedStyle(focused), box = focused.getBoundingClientRect();
    const [x, y] = [box.left + Math.min(box.width / 2, 40), box.top + box.height / 2];
    const top = document.elementFromPoint(x, y);
    return {
        html: focused.outerHTML.slice(0, 160),
        isOutlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        isBefore: Boolean(top) && (focused.contains(top) || top.contains(focused)) || focused.tagName === "BODY",
        isWanted: focused === wanted,
    };
}"""


@dataclass
class Keyboard:
    """The only thing that the person touches."""

    page: Page

    def press(self, key: str) -> None:
        """On a page that is complete, and so listens."""
        self.page.wait_for_load_state()
        self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)

    def to(self, target: Locator) -> None:
        """Go there by Tab alone, and see at each step where one is."""
        expect(target).to_be_visible()
        for _ in range(FARTHEST):
            self.press("Tab")
            if self.see_focus(target):
                return
        pytest.fail(f"not reached by {FARTHEST} times Tab: {target}")

    def enter(self, target: Locator) -> None:
        self.to(target)
        self.press("Enter")

    def see_focus(self, wanted: Locator | None = None) -> bool:
        """What has the focus shows it; whether it is what is wanted."""
        focus: dict[str, Any] = wanted.evaluate(FOCUS) if wanted else self.page.evaluate(FOCUS)
        if not focus["html"].startswith("<body"):
            assert focus["isOutlined"], f"no outline: {focus['html']}"
            assert focus["isBefore"], f"hidden: {focus['html']}"
        return bool(focus["isWanted"])


@pytest.fixture
def keyboard(page: Page) -> Keyboard:
    """In front of no page yet."""
    return Keyboard(page)


@pytest.fixture
def archive(dropbox: "Standin") -> None:
    dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf")


@pytest.fixture
def connected(person: User, dropbox: "Standin") -> None:
    give_dropbox(person, dropbox)


def log_in(keyboard: Keyboard) -> None:
    """The cursor is where the name goes."""
    expect(keyboard.page.get_by_label("Username")).to_be_focused()
    keyboard.write("olivia")
    keyboard.press("Tab")
    keyboard.write(PASSWORD)
    keyboard.press("Enter")
    expect(keyboard.page.locator("#user-tools summary")).to_have_text("olivia")


def set_up(keyboard: Keyboard) -> None:
    """What the list of a new installation asks for."""
    page = keyboard.page
    keyboard.enter(page.locator(".tasks").get_by_role("link", name="Connect Dropbox"))
    keyboard.enter(page.get_by_role("button", name="Connect Dropbox"))
    allow_at_dropbox(page)
    expect(page.get_by_text("Dropbox is connected as Olivia Operator.")).to_be_visible()
    keyboard.enter(page.locator(".tasks").get_by_role("link", name="Configure BLM"))
    for label, path in {"runsheet archives": BLM, "documents": "/Documents", "miscellaneous index": "/Index"}.items():
        keyboard.to(page.get_by_label(f"Folder of the {label}"))
        keyboard.write(path)
    keyboard.enter(page.get_by_role("button", name="Save", exact=True))
    keyboard.enter(page.get_by_role("button", name="Save it"))
    expect(page.get_by_text("was added successfully")).to_be_visible()


def allow_at_dropbox(page: Page) -> None:
    """That page is not ours."""
    page.get_by_label("Olivia Operator").check()
    page.get_by_role("button", name="Allow").click()


def add_lease(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.press("n")
    expect(page.get_by_role("heading", name="Add a lease")).to_be_visible()
    keyboard.to(page.get_by_label("Agency"))
    keyboard.write("BLM")
    keyboard.to(page.get_by_label("Lease number"))
    keyboard.write("NMNM 1")
    keyboard.enter(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator("#record-state .state-done")).to_be_visible()


class TestKeyboard:
    @pytest.mark.usefixtures("person", "archive")
    def test_is_enough_for_a_lease_from_its_creation_to_its_result(
        self, keyboard: Keyboard, dropbox: "Standin", system: System
    ) -> None:
        page = keyboard.page
        AgencyStorageConfig.objects.all().delete()
        page.goto(f"{system.url}/admin/")
        log_in(keyboard)
        set_up(keyboard)
        keyboard.press("g")
        expect(page).to_have_url(f"{system.url}/admin/")
        add_lease(keyboard)
        why = page.get_by_text("Why does it say so?")
        keyboard.to(why)
        keyboard.press("Space")
        expect(page.locator(".record-why").get_by_text("Rule for a previous report")).to_be_visible()

        dropbox.latency(4_000)
        keyboard.press("r")
        expect(page.locator("#record-state .state-searching")).to_be_visible()
        keyboard.to(page.locator("#record-asks summary"))
        keyboard.press("Space")
        keyboard.enter(page.locator("#record-asks").get_by_role("button", name="Stop"))
        expect(page.locator("#record-state .state-stopped")).to_be_visible()

    @pytest.mark.usefixtures("connected", "archive")
    def test_is_enough_to_find_leases_and_to_run_them_together(self, keyboard: Keyboard, system: System) -> None:
        page = keyboard.page
        enter(page, system.url)
        add_lease(keyboard)

        keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        keyboard.see_focus()
        keyboard.write("nmnm1")
        keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"\?q=nmnm1"))
        keyboard.to(page.get_by_label("Select BLM NMNM 1 for an action"))
        keyboard.press("Space")
        keyboard.to(page.get_by_role("combobox"))
        keyboard.write("Run")
        keyboard.enter(page.get_by_role("button", name="Run", exact=True))
        keyboard.enter(page.get_by_role("button", name="Run 1 lease"))

        expect(page.get_by_text("1 of 1 lease settled.")).to_be_visible()

    @pytest.mark.usefixtures("person")
    def test_opens_and_closes_what_lies_over_the_page(self, keyboard: Keyboard, console: System) -> None:
        page = keyboard.page
        enter(page, console.url)
        keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        keyboard.to(page.get_by_label("Use single keys in this browser"))

        keyboard.press("Escape")

        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
        keyboard.enter(page.get_by_role("button", name="all keys"))
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        keyboard.press("Escape")
        expect(page.get_by_role("button", name="all keys")).to_be_focused()

    @pytest.mark.usefixtures("person")
    def test_leads_past_the_navigation(self, keyboard: Keyboard, console: System) -> None:
        page = keyboard.page
        enter(page, console.url)
        keyboard.press("l")
        expect(page.get_by_role("heading", name="Leases", exact=True)).to_be_visible()

        keyboard.enter(page.get_by_role("link", name="Skip to main content"))
        keyboard.press("Tab")

        assert page.evaluate("document.querySelector('main, #main, #content-start').contains(document.activeElement)")
        keyboard.see_focus()

"""A person at the console: Debian's Chromium, and a whole Runsheet behind it (programs of their own, no test client)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.watching import watched
from tests.live import PASSWORD, Site, console, person, system  # noqa: F401 - fixtures
from tests.live_settings import SESSION_COOKIE_NAME

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
# Everything that Chromium does by itself on the network is off: it talks to this machine only.
ARGUMENTS = [
    "--no-sandbox",  # root, as in a container, has no other way
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
LONGEST_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, and say why."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="there is no Chromium here (Debian: apt-get install chromium)"))


@pytest.fixture(scope="package")
def chromium(live_site: Site) -> Iterator[Browser]:
    """One for all tests of an xdist worker."""
    # Playwright's own event loop runs in this thread meanwhile; Django would take the test's queries for its work. They
    # get a connection of their own, too, which has to be closed while the loop runs.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=LONGEST_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, chromium_sandbox=False)
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def context(db: None, chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile."""
    made = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    made.set_default_timeout(LONGEST_MS)
    yield made
    made.close()


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """What the browser complained about in any of its windows."""
    return watched(context)


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A tab in which nothing may go wrong unseen."""
    yield context.new_page()
    assert complaints == []


def recognise(context: BrowserContext, url: str, *, username: str = "olivia") -> None:
    """Let the console take this browser for one in which somebody has logged in; how one does is told in test_login.py."""
    user = User.objects.get(username=username)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    context.add_cookies([{"name": SESSION_COOKIE_NAME, "value": str(session.session_key), "url": url}])


def enter(page: Page, url: str, path: str = "/admin/", *, username: str = "olivia") -> None:
    """To a page of the console, as who has logged in before."""
    recognise(page.context, url, username=username)
    page.goto(f"{url}{path}")


def log_in(page: Page, url: str, *, username: str = "olivia", password: str = PASSWORD) -> None:
    """From the address of the console to its first page, as a person does."""
    page.goto(f"{url}/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Log out").or_(page.get_by_role("button", name="Log out"))).to_be_visible()
    page.wait_for_load_state()  # from then on keys are listened to

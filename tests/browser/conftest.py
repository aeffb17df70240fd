"""A person at the console: Debian's Chromium, and a whole Runsheet behind it (programs of their own, no test client)."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.browser.faults import Eyes, Known
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
DESK = ViewportSize(width=1280, height=900)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, and say why."""
    if CHROMIUM is not None:
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
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


@contextmanager
def profile(chromium: Browser) -> Iterator[BrowserContext]:
    """Who has never been here: no cookies, nothing kept, no pages."""
    made = chromium.new_context(viewport=DESK, locale="en-US")
    made.set_default_timeout(LONGEST_MS)
    yield made
    made.close()


@pytest.fixture(scope="package")
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """One for all tests of an xdist worker.

    A new one would fetch and compile every style sheet and script anew, in a process of its own: most of what a short test takes.
    """
    with profile(chromium) as made:
        made.new_page()
        yield made


@pytest.fixture
def own_context(db: None, chromium: Browser) -> Iterator[BrowserContext]:
    """A window for one test, which does to it what cannot be taken back, as when it sets the clock."""
    with profile(chromium) as made:
        yield made


@pytest.fixture
def context(db: None, window: BrowserContext, live_site: Site) -> Iterator[BrowserContext]:
    """A window in which nobody has been yet, as far as a page can tell."""
    yield window
    forget(window, live_site.system.url)


def forget(window: BrowserContext, url: str) -> None:
    """Leave one tab, at something of the console's that runs no script, and nothing of what was done in it.

    At an empty page the tab would leave the console's process, and the next test begin with a new one.
    """
    page, *others = window.pages
    for other in others:
        other.close()
    page.goto(f"{url}/static/console/favicon.svg")
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    window.clear_cookies()
    page.emulate_media(media="null", color_scheme="null", reduced_motion="null")
    page.set_viewport_size(DESK)
    page.mouse.move(0, 0)


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """What the browser complained about in any of its windows."""
    with watched(context) as found:
        yield found


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A tab in which nothing may go wrong unseen."""
    yield context.pages[0] if context.pages else context.new_page()
    assert complaints == []


@pytest.fixture(scope="package")
def known() -> Known:
    """What no test of an xdist worker needs to judge again."""
    return Known()


@pytest.fixture
def eyes(page: Page, known: Known) -> Eyes:
    """Who looks at this tab."""
    return Eyes(page, known)


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
    expect(page.locator("#user-tools summary")).to_be_visible()
    page.wait_for_load_state()  # from then on keys are listened to

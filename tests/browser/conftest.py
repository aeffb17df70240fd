"""A person at the console: Debian's Chromium, and a whole Runsheet behind it (programs of their own, no test client)."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import User
from django.db import connections
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, expect, sync_playwright
from redis import Redis

from core.processes import Children, listening, supervised
from core.programs import RECONCILER, web, worker
from core.servers import LOCAL
from leases.models import AgencyStorageConfig
from tests.live import Valkey, await_that, environment, valkey  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
PASSWORD = "correct horse battery staple"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What runs.

    Attributes:
        url: the console's, without a slash at the end.
        logs: one file for each program.
        mails: the folder where mails are kept instead of being sent.
        environment: what the programs were told.
    """

    url: str
    logs: Path
    mails: Path
    environment: Mapping[str, str] = field(repr=False)
    valkey: Valkey = field(repr=False)


@pytest.fixture
def system(environment: Mapping[str, str], valkey: Valkey) -> Iterator[System]:  # noqa: F811 - fixtures
    """Web, workers and reconciler on the test's database, until the test ends."""
    with tempfile.TemporaryDirectory(prefix="browser-", dir=LOCAL) as directory, listening(0) as listener:
        running = System(
            url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            logs=Path(directory) / "log",
            mails=LOCAL / "mail",
            environment=environment,
            valkey=valkey,
        )
        given = {
            **environment,
            "CONSOLE_URL": running.url,
            "NOTICE_GATHERS_S": "0.5",
            "DISCOVERY_BACKOFF_BASE_S": "0.1",
            "ACCESS_LOG": "yes",
        }
        with _started(given, running.logs, listener.fileno()) as children:
            children.wait_for(f"{running.url}/health/live")
            await_that(lambda: Redis.from_url(valkey.url).scard("rq:workers") == 2, within_s=30)
            yield running


@contextmanager
def _started(given: Mapping[str, str], logs: Path, listener: int) -> Iterator[Children]:
    programs = [web(bind=f"fd://{listener}", inherits=(listener,)), worker(count=2), RECONCILER]
    with supervised(programs, environment=given, logs=logs) as children:
        yield children


@pytest.fixture
def person(db: None, dropbox: "Standin") -> User:
    """Olivia, who may do everything and has no Dropbox connected; BLM is configured and its folder is there."""
    AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path="/d", misc_index_base_path="/m"
    )
    dropbox.put(f"{BLM}/")
    dropbox.clear_journal()
    # The tests' own quick hasher is none that the console knows.
    password = make_password(PASSWORD, hasher=PBKDF2PasswordHasher())
    return User.objects.create(
        username="olivia", email="olivia@example.com", password=password, is_staff=True, is_superuser=True
    )


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Iterator[BrowserContext]:
    """A fresh profile."""
    # Playwright's own event loop runs in this thread meanwhile; Django would take the test's queries for its work. They
    # get a connection of their own, too, which has to be closed while the loop runs.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, chromium_sandbox=False)
        made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        made.set_default_timeout(LONGEST_MS)
        expect.set_options(timeout=LONGEST_MS)
        yield made
        made.close()
        browser.close()
        connections.close_all()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: dialogs, errors of scripts, what a policy forbade."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A tab in which nothing may go wrong unseen."""
    page = context.new_page()

    def dismiss(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def note(message: ConsoleMessage) -> None:
        # Browsers ask every host for an icon; that there is none is no fault of a page.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            complaints.append(f"{message.text} ({message.location['url']})")

    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("console", note)
    yield page
    assert complaints == []


def log_in(page: Page, system: System, *, username: str = "olivia", password: str = PASSWORD) -> None:
    """From the address of the console to its first page."""
    page.goto(f"{system.url}/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Log out").or_(page.get_by_role("button", name="Log out"))).to_be_visible()

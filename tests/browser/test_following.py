"""Pages that follow the work: soon enough, and quiet as soon as there is nothing to follow or nobody looks."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, Request

from leases import runs
from leases.batches import import_leases
from leases.models import Lease
from tests.browser.conftest import recognise
from tests.factories import give_dropbox
from tests.leases.starting import person_takes
from tests.live import BLM, System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

# What a machine that runs other tests meanwhile may add; `bench.screen` measures without it.
BUSY_S = 1.5
NO_POLL = "!document.querySelector('[data-poll]')"
HIDE = "window.isHidden = true; Object.defineProperty(document, 'hidden', {get: () => window.isHidden});"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page that follows the work.

    Attributes:
        shows: what is on it once the lease was stopped.
        soon_s: how soon that must be.
    """

    address: str
    shows: str
    soon_s: float = 2.0


LEASE = Place(address="/admin/leases/lease/{lease}/change/", shows="#record-state .state-stopped")
PLACES = [
    LEASE,
    Place(address="/admin/leases/lease/", shows="#result_list .state-stopped"),
    Place(address="/admin/leases/batch/{batch}/change/", shows="text=Not run"),
    # An overview, which asks every two seconds.
    Place(address="/admin/", shows="text=No lease is being searched at this moment.", soon_s=6.0),
]


@dataclass
class Window:
    """A page, and what it has asked by itself."""

    page: Page
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "x-fragment" in request.headers:
            self.asked.append(request.url)


@pytest.fixture
def context(own_context: BrowserContext) -> BrowserContext:
    """Its clock goes by itself no more."""
    return own_context


@pytest.fixture
def at_work(person: User, dropbox: "Standin", system: System) -> dict[str, int]:
    """A lease of a batch, which Dropbox has sent away for ten minutes."""
    give_dropbox(person, dropbox)
    dropbox.put(f"{BLM}/NMNM 1/")
    dropbox.fault("files/list_folder", status=503, headers={"Retry-After": "600"})
    batch = import_leases(leases=[("BLM", "NMNM 1")], user=person, title="leases.csv")
    waiting = Lease.objects.filter(state="searching", tries=1, claimed_until=None)
    await_that(waiting.exists, within_s=30)
    return {"lease": waiting.get().pk, "batch": batch.pk}


class TestPages:
    def test_show_a_change_soon_and_then_ask_no_more(
        self, at_work: dict[str, int], system: System, page: Page, context: BrowserContext
    ) -> None:
        recognise(context, system.url)
        context.clock.install()
        windows = {place: Window(context.new_page()) for place in PLACES}
        for place, window in windows.items():
            window.page.goto(system.url + place.address.format(**at_work))
        # Pages that have been open for some time ask less often.
        context.clock.fast_forward("02:00")

        person_takes(runs.STOP, lease_id=at_work["lease"], user=User.objects.get())
        began = time.monotonic()
        for place, window in windows.items():
            window.page.locator(place.shows).first.wait_for(state="visible")
            assert time.monotonic() - began < place.soon_s + BUSY_S, place.address

        for window in windows.values():
            window.page.wait_for_function(NO_POLL)
        asked = [len(window.asked) for window in windows.values()]
        assert min(asked) > 0
        context.clock.run_for("00:30")
        assert [len(window.asked) for window in windows.values()] == asked

    def test_ask_nothing_while_nobody_sees_them(self, at_work: dict[str, int], system: System, page: Page) -> None:
        recognise(page.context, system.url)
        page.clock.install()
        page.add_init_script(HIDE)
        window = Window(page)
        page.goto(system.url + LEASE.address.format(**at_work))
        page.clock.run_for("00:30")
        assert window.asked == []

        with page.expect_request(lambda request: "x-fragment" in request.headers):
            page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")

        assert len(window.asked) == 1

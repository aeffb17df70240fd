"""A pytest plugin: the lanes. What starts programs, drives a browser, asks everything of everything, follows a lease or what is
watched through every part, or takes long by what it is about says so by its marker or its place, and `make quick` leaves it out.
So it does with what asks for pages, which is told by the fixture `client`, unless it is given what to run.

A test that starts a program without saying so fails. The servers that a whole run shares are nobody's.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.nodeid import coerce_node_id

# The lane of all that lies in a folder. With the slash behind it, since what lies there begins so: thousands of tests are asked.
PLACES = {
    f"{Path(__file__).parent / folder}/": lane
    for folder, lane in (("browser", "browser"), ("architecture", "matrix"), ("flows", "flow"))
}
WITH_PROGRAMS = frozenset({"system", "programs", "chaos", "prepared"})
# The process that programs are forked out of imports for seconds: one worker has it, and all tests that ask for it.
SHARED = "prepared"
# Django's, as a browser: to make a page takes twenty times as long as most of what is not one.
ASKS_FOR_PAGES = "client"
# A tablespace, which no replica of the same server may see.
ON_A_DISK = "small_disk"
SLOW = ("process", "browser")
# Whose turn it is first.
TURNS = ("xdist_group", "browser", "process", "matrix", "long", "flow", "page")

_running: pytest.Item | None = None


class StartsPrograms(Exception):
    """This test starts a program: mark it with `pytest.mark.process`, so that `make quick` leaves it out."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "process: starts programs of its own")
    config.addinivalue_line("markers", "browser: drives Chromium and a whole Runsheet")
    config.addinivalue_line("markers", "matrix: asks everything of everything, such as each address for everybody")
    config.addinivalue_line("markers", "flow: a lease, or what is watched, on its whole way, through every part")
    config.addinivalue_line("markers", "page: asks for pages of the console, as a browser does")
    config.addinivalue_line("markers", "long: is of thousands of rows, or waits for what does not answer")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Some folders are lanes; whoever has a whole Runsheet, or some of it, has programs, and whoever has a client asks for pages.

    One Chromium is enough for a run, and the next test of its worker finds all in it that the first has fetched and compiled.
    """
    path = str(item.path)
    lane = next((lane for place, lane in PLACES.items() if path.startswith(place)), None)
    asked = getattr(item, "fixturenames", ())
    if lane:
        item.add_marker(lane)
    if ASKS_FOR_PAGES in asked:
        item.add_marker("page")
    if lane == "browser":
        item.add_marker(pytest.mark.xdist_group("browser"))
    elif ON_A_DISK in asked:
        item.add_marker(pytest.mark.xdist_group("replica"))
    if lane != "browser" and WITH_PROGRAMS.intersection(asked):
        item.add_marker("process")
        if SHARED in asked and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(SHARED))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first, so that at the end no worker waits for another; what is of one group by one worker."""
    if config.getoption("loadgroup", default=False):
        for item in items:
            name_group(item)
    items.sort(key=_turn)


def name_group(item: pytest.Item) -> None:
    """Tell xdist's scheduler, which knows nothing of a test but its name, which group it is of.

    pytest-xdist 3.8 sets `_nodeid` for that, which pytest 9.2 does not read any more: each test was a group of its own.
    """
    mark = item.get_closest_marker("xdist_group")
    if mark and not item.nodeid.endswith(named := f"@{mark.args[0]}"):
        item._id = coerce_node_id(item.nodeid + named)


def _turn(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return next((turn for turn, name in enumerate(TURNS) if name in marks), len(TURNS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Know whose programs are started."""
    global _running  # noqa: PLW0603 - who starts a program tells nothing else
    _running = item
    try:
        yield
    finally:
        _running = None


_start = subprocess.Popen.__init__


def _start_if_said(self: subprocess.Popen[Any], args: Any, *more: Any, **options: Any) -> None:
    is_known = args[0] == "git"  # it answers at once
    if _running and not is_known and not any(map(_running.get_closest_marker, SLOW)):
        raise StartsPrograms(StartsPrograms.__doc__)
    _start(self, args, *more, **options)


# An audit hook would be asked at each import, attribute of a frame and identity, too.
subprocess.Popen.__init__ = _start_if_said  # type: ignore[method-assign]

"""Calls that find room: no loop, however deep it stands, makes Python map memory anew with each call."""

import resource
import sys
from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from core.base.call_stack import roomy

CALLS, DEPTH = 200, 250


def _mapped_by(depth: int) -> int:
    """How many pages of memory were new while a loop called something, this many frames further down."""
    if depth:
        return _mapped_by(depth - 1)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        _larger()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _larger() -> None:
    """Its frame is larger than that of `_mapped_by`: so at the end of each piece some depth calls it into the next one."""
    _a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l = range(12)


def _worst(measure: Callable[[int], int]) -> int:
    """At the depth where most were mapped, as the least of two times: what comes to be mapped otherwise comes once."""
    return max(min(measure(depth), measure(depth)) for depth in range(DEPTH))


@pytest.mark.skipif(sys.version_info >= (3, 13, 13), reason="from 3.13.13 on, Python keeps a piece for the next call")
def test_without_room_some_depth_maps_with_each_call() -> None:
    assert _worst(_mapped_by) >= CALLS


def test_with_room_no_depth_does() -> None:
    assert _worst(roomy(_mapped_by)) < CALLS / 4


def test_what_is_called_stays_what_it_is() -> None:
    @roomy
    def joined(*parts: str, by: str = "-") -> str:
        """Its text."""
        return by.join(parts)

    assert joined("a", "b", by="+") == "a+b"
    assert (joined.__name__, joined.__doc__) == ("joined", "Its text.")


def test_what_is_raised_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        roomy(lambda: 1 / 0)()


def _view(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(_worst(_mapped_by)))


urlpatterns = [path("room/", _view)]


def test_pages_are_made_with_room(settings: Settings, client: Client) -> None:
    settings.ROOT_URLCONF = __name__
    assert int(client.get("/room/").content) < CALLS / 4

"""The project as a server without a network, in the transaction of the test, whichever thread asks."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections

ENDS = (request_started, request_finished)


class Inside:
    """What a server for WSGI would call."""

    def __init__(self) -> None:
        self._answer = WSGIHandler()
        self._connection = connections["default"]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        connections["default"] = self._connection
        for each in ENDS:  # Django's own client, which leaves the connection open too, puts it back
            each.disconnect(close_old_connections)
        return self._answer(environ, start_response)


@pytest.fixture
def inside(db: None) -> Iterator[Inside]:
    """One that leaves the connection of the test open."""
    mine = connections["default"]
    mine.inc_thread_sharing()
    yield Inside()
    for each in ENDS:
        each.connect(close_old_connections)
    mine.dec_thread_sharing()

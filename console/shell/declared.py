"""What apps show is put into the console when its first page is asked for: a worker, which shows none, loads none of it."""

from collections.abc import Callable

_waiting: list[Callable[[], None]] = []


def at_first_page(declare: Callable[[], None]) -> None:
    """Have an app say what it shows, once that matters.

    Args:
        declare: loads what is shown, and puts it there.
    """
    _waiting.append(declare)


def put_all() -> None:
    """Let all apps say it, in their order; the addresses of the console begin with this."""
    for declare in _waiting:
        declare()
    _waiting.clear()

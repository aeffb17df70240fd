"""A pytest plugin: the garbage collector looks at what tests leave, and not at what all of them share.

Until the tests begin, nothing is garbage: to import the project and to collect thousands of tests without looking takes a
quarter less. What is there by then is left alone for ever, since each long round would look through it all.
"""

import gc

import pytest

# So many objects are made between two short rounds; a page alone makes thousands that are gone at its end.
MADE_BETWEEN = 50_000

gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Begin to look; xdist's controller comes here, too, though it collects nothing."""
    gc.freeze()
    gc.set_threshold(MADE_BETWEEN, *gc.get_threshold()[1:])
    gc.enable()

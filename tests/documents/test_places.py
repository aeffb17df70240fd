"""How many large bodies are on their way at once."""

from contextlib import ExitStack
from threading import BoundedSemaphore

import pytest
from django.conf import settings

from documents import places
from documents.places import LARGE_BYTES, TooManyTransfers, place


def test_some_threads_stay_free_for_everybody_else() -> None:
    with ExitStack() as taken:
        for size in [LARGE_BYTES, None, LARGE_BYTES * 9][: settings.DOCUMENTS_TRANSFERS_AT_MOST]:
            taken.enter_context(place(size))

        with pytest.raises(TooManyTransfers) as refused, place(LARGE_BYTES):
            pytest.fail("There was one more.")
        with place(LARGE_BYTES - 1):
            pass  # is over before anybody notices
        assert refused.value.retry_after_s

    with place(None):
        pass


def test_what_is_small_and_slow_needs_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes they send, as many as there are threads could hold all of these."""
    monkeypatch.setattr(places, "SOON_S", -1)
    monkeypatch.setattr(places, "_free", BoundedSemaphore(1))

    with place(9) as first, place(9) as second:
        slowly = first.held_for([b"a", b"b"])
        assert next(slowly) == b"a"
        with pytest.raises(TooManyTransfers):
            next(second.held_for([b"a"]))
        assert next(slowly) == b"b"

    with place(9) as third:
        assert list(third.held_for([b"a"])) == [b"a"]

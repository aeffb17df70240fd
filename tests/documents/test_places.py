"""How many large bodies are on their way at once."""

from contextlib import ExitStack

import pytest
from django.conf import settings

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

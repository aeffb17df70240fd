"""Leave out what a library loads by the way and nobody here uses: it takes memory, and time to load, in each process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While the body imports a library that can do without them, these packages cannot be imported."""
    before = {name: sys.modules[name] for name in names if name in sys.modules}
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]  # None: as if it were not installed
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update(before)

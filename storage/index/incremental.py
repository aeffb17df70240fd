"""Only directories whose time has changed are read: what was added, taken away or renamed in them."""

from collections.abc import Iterator

from storage.index.listers import Lister
from storage.index.merging import Comparison
from storage.models import IndexRun


def compared(run: IndexRun, *, lister: Lister, comparison: Comparison, after: str) -> Iterator[str]:
    raise NotImplementedError

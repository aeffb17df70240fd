"""A place that keeps parts as most stores do: each by itself."""

from storage.backends.gateway import Storage
from storage.backends.local import LocalStorage


class Apart(LocalStorage):
    """A disk that knows no better way than an object store does."""

    PARTS_ARE_APART = True
    _keep_part = Storage._keep_part
    _join = Storage._join
    _forget_part = Storage._forget_part

    def _drop_parts(self, key: str, *, of: str) -> None:
        folder = self.directory / ".incoming" / of
        for each in folder.glob("*"):
            each.unlink()

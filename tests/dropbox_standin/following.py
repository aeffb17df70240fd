"""A client that keeps a copy of a tree by the algorithm of the specification of `files/list_folder`."""

from dataclasses import dataclass, field
from typing import Any

type Metadata = dict[str, Any]


@dataclass
class Copy:
    """What the client knows: the kind and id of what is at each path; None where it had to make a parent folder."""

    known: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    def apply(self, entries: list[Metadata]) -> None:
        """Entry by entry, in the order in which they came."""
        for entry in entries:
            path, kind = entry["path_lower"], entry[".tag"]
            if kind == "deleted":
                self._drop_beneath(path)
                self.known.pop(path, None)
                continue
            self._make_parents(path)
            if kind == "file":
                self._drop_beneath(path)
            self.known[path] = (kind, entry["id"])

    def told(self) -> dict[str, tuple[str, str]]:
        """What was told, without the parents that lie above a listed folder and never are."""
        return {path: what for path, what in self.known.items() if what is not None}

    def _drop_beneath(self, path: str) -> None:
        for each in [each for each in self.known if each.startswith(f"{path}/")]:
            del self.known[each]

    def _make_parents(self, path: str) -> None:
        while (path := path.rpartition("/")[0]) != "":
            known = self.known.get(path)
            if known is None or known[0] != "folder":
                self.known[path] = None

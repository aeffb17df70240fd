"""What was called: one entry for each call, without secrets, and counts by route."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dropbox_standin.names import fold_path

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a summary of an argument may show; tokens, passwords, contents and the keys in share URLs stay out.
SHOWN = (
    "path",
    "paths",
    "from_path",
    "to_path",
    "recursive",
    "limit",
    "include_deleted",
    "direct_only",
    "query",
    "timeout",
    "grant_type",
    "client_id",
    "scope",
)


# Where routes have their path that keep it in a struct of its own.
HOLDERS = ("options", "commit", "resource")
KEPT = 200_000


@dataclass(slots=True)
class Entry:
    """One call. `duration_s` runs from the request's head to the answer's start, delays included."""

    seq: int
    at: str
    monotonic_s: float
    route: str
    account_id: str | None = None
    path: str | None = None
    args: dict[str, Any] = field(default_factory=dict)
    path_root: str | None = None
    status: int | None = None
    request_id: str = ""
    fault: str | None = None
    duration_s: float = 0.0

    def note_args(self, args: Mapping[str, Any]) -> None:
        self.args = {name: args[name] for name in SHOWN if args.get(name) is not None}
        self.path = next((path for path in map(_path, (args, *map(args.get, HOLDERS))) if path is not None), self.path)


@dataclass
class Journal:
    """The calls in the order in which they arrived; an entry appears when its answer starts. Counts go on, old entries go."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    counts: Counter[str] = field(default_factory=Counter)
    arrivals: int = 0

    def next_seq(self) -> int:
        self.arrivals += 1
        return self.arrivals

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.counts[entry.route] += 1

    def clear(self) -> None:
        self.entries.clear()
        self.counts.clear()

    def select(self, *, route: str | None = None, path: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        chosen = (
            entry
            for entry in self.entries
            if entry.seq > after
            and (route is None or entry.route == route)
            and (path is None or path_matches(path, entry.path))
        )
        return [asdict(entry) for entry in sorted(chosen, key=lambda entry: entry.seq)]


def _path(holder: Any) -> str | None:
    found = holder.get("path", holder.get("from_path")) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else None


def path_matches(wanted: str, path: str | None) -> bool:
    """Case does not count; a trailing `*` stands for anything that follows."""
    if path is None:
        return False
    wanted, path = fold_path(wanted), fold_path(path)
    return path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted

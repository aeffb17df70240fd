"""What a change changes: each thing that is otherwise, before and after, in words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.admin.names import visible
from storage.models import Action, IndexChange

NOTHING = "–"  # noqa: RUF001 - a dash
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One thing, under its label; what it was not, or is no more, is a dash."""

    label: str
    before: str
    after: str


def size_text(size: int) -> str:
    return f"{size:,} byte{'' if size == 1 else 's'}"


def time_text(modified_ns: int) -> str:
    """When it was changed, to the nanosecond if storage tells it; in UTC, as of any age."""
    seconds, rest = divmod(modified_ns, SECOND_NS)
    try:
        at = EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{modified_ns:,} ns after 1970"
    return f"{at:%Y-%m-%d %H:%M:%S}{f'.{rest:09}'.rstrip('0') if rest else ''} UTC"


def _known(text: str | None) -> str:
    return visible(text) if text else NOTHING


# What is told of a file; of a directory, the name and the time only.
TOLD: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "key": ("Path", _known),
    "size": ("Size", size_text),
    "modified_ns": ("Changed", time_text),
    "content_type": ("Type", _known),
    "sha256": ("SHA-256", _known),
    "etag": ("Mark of the store", _known),
}
OF_DIRECTORIES = frozenset({"size", "content_type", "sha256", "etag"})
# Of these nothing is to be different: what is known of it is told.
GONE = frozenset({Action.MISS, Action.DELETE, Action.SKIP})


def sides_of(change: IndexChange) -> tuple[Side, ...]:
    """What is otherwise before and after; of what is new or gone, what is known of it."""
    if change.action in {Action.ANOMALY, Action.RESTORE}:
        return ()
    return tuple(_sides(change))


def _sides(change: IndexChange) -> Iterator[Side]:
    was, is_there = change.before or {}, change.action not in GONE
    for name, (label, words) in TOLD.items():
        if change.is_directory and name in OF_DIRECTORIES:
            continue
        after = getattr(change, name)
        before = was.get(name)
        if change.action == Action.CREATE:
            before = None
        elif is_there and before == after:
            continue
        if name == "key" and change.action != Action.RENAME:
            continue  # it stands before all this
        side = Side(label=label, before=_text(words, before), after=_text(words, after) if is_there else NOTHING)
        if side.before != side.after:
            yield side


def _text(words: Callable[[Any], str], value: Any) -> str:
    return NOTHING if value is None else words(value)

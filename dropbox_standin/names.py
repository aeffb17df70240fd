"""Names and paths: how they are stored, and which of them are the same."""

from __future__ import annotations

import unicodedata

type Names = tuple[str, ...]
type Key = tuple[str, ...]


def compose(name: str) -> str:
    """A name as Dropbox stores it: in Unicode's composed form, however it was sent."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def fold(name: str) -> str:
    """The key of a name: what Dropbox compares.

    Composed, in lower case by simple mapping, one character to one character, and without the trailing spaces that
    Dropbox drops.
    """
    if name.isascii():
        return name.lower().rstrip(" ") or name
    composed = compose(name)
    return "".join(low if len(low := char.lower()) == 1 else char for char in composed).rstrip(" ") or composed


def fold_all(names: Names) -> Key:
    return tuple(map(fold, names))


def fold_path(path: str) -> str:
    return "/".join(fold(part) for part in path.split("/"))


def split(path: str) -> Names:
    """The components of a path, composed; doubled and trailing slashes do not count."""
    return tuple(compose(part) for part in path.split("/") if part)

"""Where a file or folder is opened, and which records it belongs to: known to whoever has declared its root, by the root's kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from storage.models import StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where something leads.

    Attributes:
        label: what stands on it.
    """

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What is known of one file or folder.

    Attributes:
        opened: where it is opened, outside of the console; None if it is not.
        records: those that it belongs to, as far as the person may look at them.
    """

    opened: Link | None = None
    records: tuple[Link, ...] = ()


# Of files of one kind of root, for one person, by their primary keys; in a few statements, however many they are.
type Teller = Callable[[Sequence[StoredFile], User], Mapping[int, Elsewhere]]

_tellers: dict[str, Teller] = {}


def told_by(kind: str, teller: Teller) -> None:
    """Let somebody tell it of the roots of a kind that an app has declared."""
    _tellers[kind] = teller


def elsewhere_of(files: Sequence[StoredFile], user: User) -> dict[int, Elsewhere]:
    """What is known of the files, by their primary keys; nothing of those of which nobody tells."""
    by_kind: dict[str, list[StoredFile]] = {}
    for file in files:
        if file.root.is_of_app:
            by_kind.setdefault(str(file.root.declared.get("kind", "")), []).append(file)
    return {
        pk: each
        for kind, some in by_kind.items()
        if kind in _tellers
        for pk, each in _tellers[kind](some, user).items()
    }

"""Who knows what stands on a file, registers here; the index deletes nothing that somebody protects."""

from collections.abc import Callable, Sequence

# Given the numbers of rows of `StoredFile`, it answers with those on which something stands, and what, in words.
type Protector = Callable[[Sequence[int]], dict[int, str]]

_protectors: dict[str, Protector] = {}


def register(name: str, protector: Protector) -> None:
    """Let somebody protect rows, such as those that share links lead to. The same name replaces what was there."""
    _protectors[name] = protector


def forget(name: str) -> None:
    """Let nobody of that name protect anything any more."""
    _protectors.pop(name, None)


def protected(file_ids: Sequence[int]) -> dict[int, str]:
    """Those of the rows that somebody protects, and why; one question to each protector."""
    found: dict[int, str] = {}
    if file_ids:
        for protector in _protectors.values():
            found |= protector(file_ids)
    return found

"""What a file holds, as its name says. Everywhere the same, whatever a host knows beside that."""

from functools import lru_cache
from mimetypes import MimeTypes

_types = MimeTypes()


@lru_cache(maxsize=4096)
def _of_ending(ending: str) -> str:
    return _types.guess_type(f"it.{ending.lower()}")[0] or ""


def type_of(name: str) -> str:
    """The media type; empty if the name does not tell."""
    _, dot, ending = name.rpartition(".")
    return _of_ending(ending) if dot else ""

"""What a token may be for: areas of the interface, and within each to look or to change.

Each router is mounted with its area (`declare`). An address without one is for no token: what is forgotten stays closed.
"""

from collections.abc import Collection
from enum import StrEnum

from django.db.models import TextChoices
from django.http import HttpRequest

from api.errors import NotForTokens, ScopeMissing

# Where the interface is, below the server's own address.
PLACE = "api/v1/"
LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})


class Area(StrEnum):
    """A part of the interface, as people think of it."""

    LEASES = "leases"
    STORAGE = "storage"
    DOCUMENTS = "documents"


class Scope(TextChoices):
    """What a token can be for; to change takes looking along."""

    LEASES_READ = "leases:read", "Look at leases"
    LEASES_WRITE = "leases:write", "Look at and change leases, and run them"
    STORAGE_READ = "storage:read", "Look at files and at runs of the index"
    STORAGE_WRITE = "storage:write", "Look at files and at runs of the index, and start runs"
    DOCUMENTS_READ = "documents:read", "Look at and download documents"
    DOCUMENTS_WRITE = "documents:write", "Look at, download, upload and change documents"


_AREAS: dict[str, Area] = {}
_OPEN: set[str] = set()


def declare(prefix: str, area: Area) -> None:
    """Say that everything below this address of the interface is of that area.

    Raises:
        ValueError: it is of another one already.
    """
    if _AREAS.setdefault(prefix.strip("/"), area) is not area:
        raise ValueError(f"“{prefix}” belongs to the area {_AREAS[prefix.strip('/')]} already")


def declare_open(address: str) -> None:
    """Say that each token may look at this address of the interface, whatever it is for."""
    _OPEN.add(PLACE + address.strip("/"))


def area_of(route: str) -> Area | None:
    """The area of an address as it is declared, from the server's own address on; None: of none."""
    return _AREAS.get(route.removeprefix(PLACE).partition("/")[0]) if route.startswith(PLACE) else None


def require(scopes: Collection[str], request: HttpRequest) -> None:
    """See that a token with these scopes may ask that.

    Raises:
        ScopeMissing: it is for something else.
        NotForTokens: nobody has said which scope that needs.
    """
    route = request.resolver_match.route if request.resolver_match else ""
    is_looking = request.method in LOOKING
    if is_looking and route in _OPEN:
        return
    area = area_of(route)
    if area is None:
        raise NotForTokens
    needed = needed_in(area, is_looking=is_looking)
    if not {needed, needed_in(area, is_looking=False)} & set(scopes):
        raise ScopeMissing(needed)


def needed_in(area: Area, *, is_looking: bool) -> Scope:
    """The least that a token has to be for, to do that there."""
    return Scope(f"{area}:read" if is_looking else f"{area}:write")

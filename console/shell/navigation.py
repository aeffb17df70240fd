"""What stands in the frame of every page: places to go to, the corner at the top right, what is one's own, banners, and keys.

Each app says once, for itself, what it puts there; the frame knows none of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the main navigation.

    Attributes:
        order: entries stand in the order of these.
        address: the name of its address.
        right: who holds it is shown the entry.
        key: what to press to go there.
        is_search: whether `/` leads to its search.
        also: what else of the console belongs to the place, by how the addresses begin, below that of the start page.
    """

    order: int
    label: str
    address: str
    right: str = ""
    key: str = ""
    is_search: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A line of the list of keys.

    Attributes:
        order: lines stand in the order of these.
        presses: what to press: one key, or several of which each will do.
        words: what it does.
        address: the name of an address: the key follows the page's link to it, if there is one.
        right: who holds it is told where the key leads.
    """

    order: int
    presses: tuple[str, ...]
    words: str
    address: str = ""
    right: str = ""


# What is made for one request; empty: nothing for this person, or on this page.
type Piece = Callable[[HttpRequest], SafeString | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What one app puts into the frame.

    Attributes:
        belongs: what of this app belongs to another app's place, by the name of that place's address; see `Place.also`.
        corner: what stands at the top right, before the person's name, by its order.
        own: what is the person's own, under their name at the top right, by its order.
        banners: what stands above the content of every page.
        parts: the name of the address where it is told how all parts of the system do; one app has it.
    """

    places: tuple[Place, ...] = ()
    belongs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    corner: Mapping[int, Piece] = field(default_factory=dict)
    own: Mapping[int, Piece] = field(default_factory=dict)
    banners: tuple[Piece, ...] = ()
    parts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A place as this person sees it on this page."""

    label: str
    url: str
    key: str
    is_search: bool
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the list of keys as this person sees it; `url`: where the key leads, if it leads anywhere."""

    presses: tuple[str, ...]
    words: str
    url: str


_FRAMES: dict[str, Frame] = {}


def put(app: str, frame: Frame) -> None:
    """Put this into the frame of every page, instead of what the app has put there before."""
    _FRAMES[app] = frame


def entries(request: HttpRequest) -> list[Entry]:
    """The places that the person may go to."""
    return [
        Entry(
            label=place.label,
            url=reverse(place.address),
            key=place.key,
            is_search=place.is_search,
            is_current=_is_at(request, place),
        )
        for place in _places()
        if not place.right or request.user.has_perm(place.right)
    ]


def place_of(request: HttpRequest) -> Entry | None:
    """The place that the page belongs to; None if there is none, or the person may not go there."""
    return next((entry for entry in entries(request) if entry.is_current), None)


def keys(request: HttpRequest) -> Iterator[Line]:
    """The lines of the list of keys."""
    for key in sorted((key for frame in _FRAMES.values() for key in frame.keys), key=lambda key: key.order):
        leads = key.address and (not key.right or request.user.has_perm(key.right))
        yield Line(presses=key.presses, words=key.words, url=reverse(key.address) if leads else "")


def corner(request: HttpRequest) -> Iterator[SafeString | str]:
    """What stands at the top right."""
    return _in_order((frame.corner for frame in _FRAMES.values()), request)


def own(request: HttpRequest) -> Iterator[SafeString | str]:
    """What stands under the person's name."""
    return _in_order((frame.own for frame in _FRAMES.values()), request)


def banners(request: HttpRequest) -> Iterator[SafeString | str]:
    """What stands above the content."""
    return (piece(request) for frame in _FRAMES.values() for piece in frame.banners)


def parts_url() -> str:
    """Where it is told how all parts of the system do; empty if no app tells it."""
    return next((reverse(frame.parts) for frame in _FRAMES.values() if frame.parts), "")


def _in_order(pieces: Iterable[Mapping[int, Piece]], request: HttpRequest) -> Iterator[SafeString | str]:
    every = sorted((item for some in pieces for item in some.items()), key=lambda item: item[0])
    return (piece(request) for _, piece in every)


def _places() -> list[Place]:
    return sorted((place for frame in _FRAMES.values() for place in frame.places), key=lambda place: place.order)


def _is_at(request: HttpRequest, place: Place) -> bool:
    start, url = reverse("admin:index"), reverse(place.address)
    others = [each for frame in _FRAMES.values() for each in frame.belongs.get(place.address, ())]
    return (
        request.path == url
        or (url != start and request.path.startswith(url))
        or request.path.startswith(tuple(start + each for each in (*place.also, *others)))
    )

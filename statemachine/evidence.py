"""What led to a transition. However much the other side had to say, it is made short enough to keep and to show."""

from itertools import islice
from typing import Any

LISTED_AT_MOST = 50
# As long as an address or a path with all that Dropbox allows.
CHARACTERS_AT_MOST = 2_000
LEFT_OUT = "…"


def bounded(value: Any) -> Any:
    """The same JSON with its long lists, objects and texts cut; what was left out is counted where it stood.

    What is so already stays as it is.
    """
    if isinstance(value, dict):
        at_most = LISTED_AT_MOST + (LEFT_OUT in value)
        shown = {name: bounded(each) for name, each in islice(value.items(), at_most)}
        return shown | ({LEFT_OUT: more(len(value) - len(shown))} if len(value) > len(shown) else {})
    if isinstance(value, list | tuple):
        at_most = LISTED_AT_MOST + bool(value and is_more(value[-1]))
        return listed([bounded(each) for each in value[:at_most]], count=len(value))
    if isinstance(value, str) and len(value) > CHARACTERS_AT_MOST:
        return value if value[CHARACTERS_AT_MOST:] == LEFT_OUT else value[:CHARACTERS_AT_MOST] + LEFT_OUT
    return value


def listed(shown: list[Any], *, count: int) -> list[Any]:
    """The first of a list, and how many more there are."""
    return [*shown, more(count - len(shown))] if count > len(shown) else shown


def more(count: int) -> str:
    """What stands for those that are left out."""
    return f"… and {count:,} more"


def is_more(value: object) -> bool:
    """Whether it is no part of a list, but says how many parts are left out."""
    return isinstance(value, str) and value.startswith("… and ") and value.endswith(" more")

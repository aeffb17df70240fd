"""How a path is shown: names may hold anything, and none of it may be unseen or turn the page around."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.base.folding import FILLERS

# They are not seen either, but scripts and signs are written with them, and they move nothing.
JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """The text with an escape in place of each character that nobody sees: ends of lines, marks of direction, fillers."""
    return text if text.isprintable() and text.isascii() else "".join(map(_visible, text))


def name_of(text: str) -> SafeString:
    """A path or a name as a page has it: whatever its script, it leaves the order of what stands beside it alone."""
    return format_html('<bdi class="exact">{}</bdi>', visible(text))


def _visible(char: str) -> str:
    is_seen = (char.isprintable() or char in JOINERS) and char not in FILLERS
    return char if is_seen else char.encode("unicode_escape").decode()

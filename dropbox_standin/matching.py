"""What a search finds: words of names and contents, and the kinds of files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropbox_standin.names import fold
from dropbox_standin.tree import File, Folder

if TYPE_CHECKING:
    from dropbox_standin.tree import Node

CATEGORIES = ("image", "document", "pdf", "spreadsheet", "presentation", "audio", "video", "folder", "paper", "others")
EXTENSIONS = {
    "image": "jpg jpeg png gif tif tiff bmp webp heic svg",
    "document": "doc docx txt rtf odt md",
    "pdf": "pdf",
    "spreadsheet": "xls xlsx csv ods",
    "presentation": "ppt pptx key odp",
    "audio": "mp3 wav mid m4a flac ogg",
    "video": "mov wmv mp4 avi mkv",
    "paper": "paper papert",
}
CATEGORY_OF = {extension: category for category, extensions in EXTENSIONS.items() for extension in extensions.split()}
MOST_TEXT_BYTES = 1024 * 1024  # what is larger is found by its name alone
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    Attributes:
        words: whole words, of which the last may be the beginning of one only.
        extensions: none: any.
        categories: none: any.
    """

    words: tuple[str, ...]
    filename_only: bool = False
    extensions: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def match(self, node: Node, name: str) -> str | None:
        """By what the node is found, as the specification calls it; None if it is not."""
        if not self._is_of_kind(node):
            return None
        by_name = self.is_in(name)
        by_content = isinstance(node, File) and not self.filename_only and self.is_in(_text(node))
        if by_content:
            return "filename_and_content" if by_name else "file_content"
        return "filename" if by_name else None

    def is_in(self, text: str) -> bool:
        """Whether the words are in a text."""
        if not self.words:
            return False
        found = set(words_of(text))
        *whole, last = self.words
        return found.issuperset(whole) and any(word.startswith(last) for word in found)

    def highlights(self, name: str) -> list[dict[str, Any]]:
        """The name in pieces, those that were looked for marked."""
        wanted = "|".join(re.escape(word) for word in sorted(self.words, key=len, reverse=True))
        pieces = re.split(rf"\b({wanted})", name, flags=re.IGNORECASE)
        return [{"highlight_str": piece, "is_highlighted": bool(at % 2)} for at, piece in enumerate(pieces) if piece]

    def _is_of_kind(self, node: Node) -> bool:
        extension = node.name.rpartition(".")[2].lower() if "." in node.name and isinstance(node, File) else ""
        category = "folder" if isinstance(node, Folder) else CATEGORY_OF.get(extension, "others")
        is_wanted = not self.extensions or extension in self.extensions
        return is_wanted and (not self.categories or category in self.categories)


def words_of(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(fold(text)))


def _text(file: File) -> str:
    return file.content.decode("utf-8", "ignore") if len(file.content) <= MOST_TEXT_BYTES else ""

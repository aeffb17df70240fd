"""How much one account may see of the folders in a space that it shares with others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropbox_standin.tree import Folder, Node

FULL, TRAVERSE_ONLY, NO_ACCESS, NONE = SIGHTS = ("full", "traverse_only", "no_access", "none")


@dataclass
class Sights:
    """What was given to one account; a folder without a sight of its own is seen like the folder it lies in.

    Beneath `traverse_only` nothing is seen but what has a sight of its own, and the folders on the way there; beneath
    `no_access` and `none` nothing at all.
    """

    given: dict[Node, str] = field(default_factory=dict)

    def give(self, folder: Folder, sight: str) -> None:
        self.given[folder] = sight

    def of(self, node: Node) -> str:
        """One of `SIGHTS`."""
        sight = FULL
        if not self.given:
            return sight
        for each in node.lineage():
            if sight in {NO_ACCESS, NONE}:
                return NONE
            if each in self.given:
                sight = self.given[each]
            elif sight == TRAVERSE_ONLY and not self._leads_somewhere(each):
                return NONE
        return sight

    def _leads_somewhere(self, node: Node) -> bool:
        return any(sight != NONE and node in seen.lineage() for seen, sight in self.given.items())

"""How much one account may see of the folders in a space that it shares with others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropbox_standin.tree import Change, Folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropbox_standin.tree import Namespace, Node

FULL, READ_ONLY, TRAVERSE_ONLY, NO_ACCESS, NONE = SIGHTS = ("full", "read_only", "traverse_only", "no_access", "none")
OPEN = frozenset({FULL, READ_ONLY})
CLOSED = frozenset({NO_ACCESS, NONE})


@dataclass(eq=False)
class Sights:
    """What was given to one account; a folder without a sight of its own is seen like the folder it lies in.

    Beneath `traverse_only` nothing is seen but what has a sight of its own, and the folders on the way there; beneath
    `no_access` and `none` nothing at all.

    Attributes:
        changes: what came into sight and went out of it; it is told to this account's cursors alone.
        heard: how many of these were there when the account was last notified.
    """

    given: dict[Node, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    heard: int = 0

    def is_touched(self, changes: list[Change]) -> bool:
        """Whether one of these changes concerns the account, or what it may see has changed since it last heard."""
        return len(self.changes) > self.heard or any(self not in change.hidden_from for change in changes)

    def give(self, space: Namespace, folder: Folder, sight: str) -> None:
        """Let the account see a folder differently from now on."""
        nodes = (*folder.lineage(), *folder.walk())
        before = [self.of(node) for node in nodes]
        self.given[folder] = sight
        if self not in space.onlookers:
            space.onlookers.append(self)
        self.notice(node for node, old in zip(nodes, before, strict=True) if self.of(node) != old)

    def clear(self, space: Namespace) -> None:
        """Let the account see everything."""
        for folder in list(self.given):
            if isinstance(folder, Folder):
                self.give(space, folder, FULL)
        self.given.clear()
        if self in space.onlookers:
            space.onlookers.remove(self)

    def of(self, node: Node) -> str:
        """One of `SIGHTS`."""
        sight = FULL
        if not self.given:
            return sight
        for each in node.lineage():
            if sight in CLOSED:
                return NONE
            if each in self.given:
                sight = self.given[each]
            elif sight == TRAVERSE_ONLY and not self._leads_somewhere(each):
                return NONE
        return sight

    def hides(self, node: Node) -> bool:
        return self.of(node) == NONE

    def sight_of(self, node: Node) -> str:
        return self.of(node)

    def notice(self, nodes: Iterable[Node]) -> None:
        self.changes.extend(Change(node.names()) for node in nodes)

    def forget(self, node: Node) -> None:
        for folder in [each for each in self.given if node in each.lineage()]:
            del self.given[folder]

    def _leads_somewhere(self, node: Node) -> bool:
        return any(sight != NONE and node in seen.lineage() for seen, sight in self.given.items())

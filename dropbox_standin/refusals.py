"""Writes that are refused though nothing in the tree forbids them: on order, or beneath a folder made a moment ago."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropbox_standin.journal import path_matches

if TYPE_CHECKING:
    from dropbox_standin.accounts import Account
    from dropbox_standin.clock import Clock
    from dropbox_standin.tree import Node
    from dropbox_standin.views import Place

# The specification's `WriteError`, as far as it can be ordered.
REASONS = (
    "no_write_permission",
    "insufficient_space",
    "disallowed_name",
    "team_folder",
    "operation_suppressed",
    "too_many_write_operations",
    "access_restricted",
    "conflict/file",
    "conflict/folder",
    "conflict/file_ancestor",
)


@dataclass(slots=True)
class Refusal:
    """The next `times` writes to a path (or any) by an account (or all) fail for this reason."""

    reason: str
    path: str | None = None
    account: str | None = None
    times: int = 1

    def hits(self, account: Account, path: str) -> bool:
        return self.account in {None, account.key} and (self.path is None or path_matches(self.path, path))


@dataclass
class Refusals:
    """What is refused, in the order in which it was ordered.

    Attributes:
        fresh_parent_s: how long nothing can be made beneath a new folder of a team's space, as public reports tell of
            team spaces; the control clock's seconds.
        fresh_reason: how that is refused.
    """

    clock: Clock
    queue: list[Refusal] = field(default_factory=list)
    fresh_parent_s: float = 0.0
    fresh_reason: str = "no_write_permission"
    _made_at: dict[Node, float] = field(default_factory=dict)

    def take(self, account: Account, place: Place, path: str) -> tuple[str, ...] | None:
        """Why this write is refused, as tags; a refusal is used up by one."""
        for refusal in self.queue:
            if refusal.hits(account, path):
                refusal.times -= 1
                if refusal.times <= 0:
                    self.queue.remove(refusal)
                return tuple(refusal.reason.split("/"))
        return tuple(self.fresh_reason.split("/")) if self._is_fresh(account, place) else None

    def note_made(self, folder: Node) -> None:
        self._made_at[folder] = self.clock.time()

    def _is_fresh(self, account: Account, place: Place) -> bool:
        if not self.fresh_parent_s or account.team is None or place.namespace is account.home:
            return False
        parent = place.namespace.find(place.parts[:-1])
        made_at = self._made_at.get(parent) if parent else None
        return made_at is not None and self.clock.time() - made_at < self.fresh_parent_s

"""What somebody has typed and not saved, kept in their session, so that neither a look nor a question loses it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from django.contrib.sessions.backends.base import SessionBase

from cloud.addresses import ADDRESS_LENGTH
from cloud.findings import Finding
from core.base.clock import now
from leases.admin.configuration_changes import Change

KEPT = "configuration_drafts"
# A session is read at every request.
KEPT_AT_MOST = 3
# One more than a box takes, so that what is too long stays too long.
LONGEST_VALUE = ADDRESS_LENGTH + 1
LASTS_S = 3_600

NOBODY_LOOKED = "Nobody could look, so nobody knows whether it is right."
NOT_RIGHT = "Your Dropbox was looked into, and not all of it is right there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was typed into one page.

    Attributes:
        name: what an address calls it by; nobody can guess it.
        page: the path of the page.
        typed: what its form sends, by the names of its fields.
        changes: what saving it would change.
        findings: what was seen when it was looked at.
        is_asked: whether the person was asked whether that is to be saved.
        at: when it was looked at, in ISO 8601.
    """

    name: str
    page: str
    typed: Mapping[str, str]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    is_asked: bool
    at: str

    @classmethod
    def keep(
        cls,
        session: SessionBase,
        *,
        page: str,
        typed: Mapping[str, str],
        changes: Sequence[Change],
        findings: Sequence[Finding],
        is_asked: bool = False,
    ) -> Self:
        """Keep it, with the newest of what was typed before."""
        draft = cls(
            name=secrets.token_urlsafe(9),
            page=page,
            typed={name: value[:LONGEST_VALUE] for name, value in typed.items()},
            changes=tuple(changes),
            findings=tuple(findings),
            is_asked=is_asked,
            at=now().isoformat(),
        )
        session[KEPT] = [asdict(draft), *_kept(session)][:KEPT_AT_MOST]
        return draft

    @classmethod
    def named(cls, session: SessionBase, name: str, *, page: str) -> Self | None:
        """The one of this name; None if it is of another page, or kept no longer."""
        return next(
            (cls(**_read(each)) for each in _kept(session) if (each["name"], each["page"]) == (name, page)), None
        )

    @classmethod
    def newest(cls, session: SessionBase, *, page: str) -> Self | None:
        """The last that was typed into a page."""
        return next((cls(**_read(each)) for each in _kept(session) if each["page"] == page), None)

    @property
    def looked_at(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def is_well(self) -> bool:
        """Whether nothing that was seen, and that discovery needs, speaks against it."""
        return self.has_good and all(each.is_good or each.is_note for each in self.findings)

    @property
    def verdict(self) -> str:
        """What the findings come to, where they are not all well; empty where only something beside the folders is not."""
        if not any(each.was_seen for each in self.findings):
            return NOBODY_LOOKED
        return NOT_RIGHT if any(each.was_seen and not (each.is_good or each.is_note) for each in self.findings) else ""

    @property
    def has_good(self) -> bool:
        """Whether anything was seen to be right."""
        return any(each.is_good for each in self.findings)


def forget(session: SessionBase, *, page: str) -> None:
    """It was saved, so that nothing waits any more."""
    if KEPT in session:
        session[KEPT] = _kept(session, but=page)


def _kept(session: SessionBase, *, but: str = "") -> list[dict[str, Any]]:
    return [each for each in session.get(KEPT, []) if each["page"] != but and not _is_over(each["at"])]


def _is_over(at: str) -> bool:
    return (now() - datetime.fromisoformat(at)).total_seconds() > LASTS_S


def _read(kept: dict[str, Any]) -> dict[str, Any]:
    changes = tuple(Change(**each) for each in kept["changes"])
    return kept | {"changes": changes, "findings": tuple(Finding(**each) for each in kept["findings"])}

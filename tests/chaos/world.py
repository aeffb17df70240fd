"""What lies in the Dropboxes of a run, and what each person sees of it.

Olivia and Paul are of one team; Olivia sees all of its space, and from Paul some folders are kept. Ivan is of no team: in
his own space some of the paths are the same, with other folders behind them, and one base folder is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.chaos.story import TEAM, Look, Seen, Target

OLIVIA, PAUL, IVAN = PEOPLE = ("olivia", "paul", "ivan")
FULL, TRAVERSE_ONLY, NO_ACCESS, NONE = SIGHTS = ("full", "traverse_only", "no_access", "none")
IVANS = "Ivan's own space"
SPACE_OF: Mapping[str, str] = {OLIVIA: TEAM, PAUL: TEAM, IVAN: IVANS}
BLM, NMSLO = "BLM", "NMSLO"
# The base paths of each agency, the first one first; that of the second agency is never changed.
BASES: Mapping[str, tuple[str, ...]] = {
    BLM: (
        "/Federal Workspace/^Runsheet Workspace/Runsheet Archive",
        "/Federal Workspace/^Runsheet Workspace/Runsheet Report Archive - New Format",
    ),
    NMSLO: ("/State Workspace/^Runsheet Workspace/Runsheet Report Archive - New Format",),
}
IVAN_LACKS = BASES[BLM][1]


class Archive(StrEnum):
    """What lies under a lease's number."""

    REPORT = "a report"
    PLAIN = "files, but no report"
    EMPTY = "nothing"
    NO_LINK = "a report, and a policy that forbids its link"
    MISSING = "no such directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A number, and what lies under it in each space and base folder.

    Attributes:
        archives: by space and base path.
        kept: how much Paul may see of his team's folder, by base path, where that was said.
    """

    agency: str
    number: str
    archives: Mapping[tuple[str, str], Archive] = field(repr=False)
    kept: Mapping[str, str] = field(repr=False)

    @property
    def base(self) -> str:
        """Where it is looked for first."""
        return BASES[self.agency][0]

    @property
    def path(self) -> str:
        return f"{self.base}/{self.number}"

    @property
    def is_there(self) -> bool:
        """Whether something lies there in the team's space."""
        return self.archives[TEAM, self.base] is not Archive.MISSING

    def reports(self, space: str, base: str) -> tuple[str, ...]:
        """The names that detection must find; they tell of which number, space and base folder they are."""
        if self.archives[space, base] not in {Archive.REPORT, Archive.NO_LINK}:
            return ()
        which = BASES[self.agency].index(base)
        whose = "" if space == TEAM else " Ivan"
        return (f"{self.number}{whose} {which} Master Documents.pdf",)

    def entries(self, space: str) -> list[str]:
        """What to put into a space."""
        found = []
        for (whose, base), archive in self.archives.items():
            if whose != space or archive is Archive.MISSING:
                continue
            folder = f"{base}/{self.number}"
            names = () if archive is Archive.EMPTY else ("scan.pdf", *self.reports(space, base))
            found += [f"{folder}/", *(f"{folder}/{name}" for name in names)]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The base folders; `kept_base` is how much Paul sees of the one that comes second."""

    kept_base: str

    def target(self, aim: Aim) -> Target:
        """What each person sees of it under each base path."""
        seen = {(who, base): self.seen(aim, who, base) for who in PEOPLE for base in BASES[aim.agency]}
        return Target(number=aim.number, seen=seen)

    def seen(self, aim: Aim, who: str, base: str) -> Seen:
        space = SPACE_OF[who]
        look = self._look(aim, who, base)
        if look not in {Look.FOLDER, Look.PARTIAL}:
            return Seen(look=look, space=space)
        archive, is_whole = aim.archives[space, base], look is Look.FOLDER
        return Seen(
            look=look,
            space=space,
            reports=aim.reports(space, base) if is_whole else (),
            link=is_whole and archive is not Archive.NO_LINK,
            shows_all=is_whole and archive is not Archive.EMPTY,
        )

    def _look(self, aim: Aim, who: str, base: str) -> Look:
        if (who, base) == (IVAN, IVAN_LACKS):
            return Look.NO_BASE
        is_there = aim.archives[SPACE_OF[who], base] is not Archive.MISSING
        if who == PAUL:
            return _look(self._sight_of(base), aim.kept.get(base) if is_there else NONE)
        return Look.FOLDER if is_there else Look.ABSENT

    def _sight_of(self, base: str) -> str:
        return self.kept_base if base == BASES[BLM][1] else FULL

    def seed(self, aims: Sequence[Aim]) -> dict[str, Any]:
        """All of it, for the stand-in."""
        team = [f"{base}/" for bases in BASES.values() for base in bases]
        sights = [(base, self._sight_of(base)) for bases in BASES.values() for base in bases]
        for aim in aims:
            there = [base for base in aim.kept if aim.archives[TEAM, base] is not Archive.MISSING]
            sights += [(f"{base}/{aim.number}", aim.kept[base]) for base in there]
        refused = [
            {"outcome": "access_denied", "account": who, "path": f"{base}/{aim.number}"}
            for aim in aims
            for (space, base), archive in aim.archives.items()
            if archive is Archive.NO_LINK
            for who in PEOPLE
            if SPACE_OF[who] == space
        ]
        return {
            "team": [*team, *(entry for aim in aims for entry in aim.entries(TEAM))],
            "home": {
                IVAN: [
                    *(base for base in team if base != f"{IVAN_LACKS}/"),
                    *(entry for aim in aims for entry in aim.entries(IVANS)),
                ]
            },
            "policies": refused,
            "sights": [
                {"account": PAUL, "path": path, "sight": sight}
                for path, sight in sights
                if sight != FULL or path.rpartition("/")[0] == BASES[BLM][1]
            ],
        }


def _look(base: str, archive: str | None) -> Look:
    """What is seen with a sight of the base folder, and one of the archive: None where none was given, NONE if it is missing."""
    if base == NONE:
        return Look.NO_BASE
    if base == NO_ACCESS or (base == TRAVERSE_ONLY and archive in {None, NO_ACCESS, NONE}):
        return Look.OUT_OF_SIGHT
    looks = {TRAVERSE_ONLY: Look.PARTIAL, NO_ACCESS: Look.CLOSED, NONE: Look.ABSENT}
    return looks.get(archive or FULL, Look.FOLDER)

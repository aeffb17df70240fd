"""What lies beside a number that has no archive, so that nobody has to be content with “not found”.

The records do not know where archives are read from. Who reads them declares it once the apps are there (`declare`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An archive whose name comes near a number.

    Attributes:
        has_report: None: nobody has looked into it, or not into all of it.
    """

    name: str
    has_report: bool | None = None

    def __str__(self) -> str:
        told = {True: " (has a report)", False: " (no report)", None: ""}
        return f"{self.name}{told[self.has_report]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is known of some numbers. Those that are in neither have an archive.

    Attributes:
        near: by each number that has none what comes near it, the nearest first; None where so many have none that nobody
            looked.
        unknown: those of which it cannot be told.
    """

    near: Mapping[str, tuple[Near, ...] | None]
    unknown: frozenset[str] = field(default_factory=frozenset)


class Archives(ABC):
    """Who knows which archives there are."""

    @abstractmethod
    def without_archive(self, *, agency: str, numbers: Sequence[str], user: User) -> Looked | None:
        """Which of the numbers have no archive as far as the person's own Dropbox sees, without asking it.

        Args:
            numbers: normalised.

        Returns:
            None where that is not known just now.
        """

    @abstractmethod
    def is_read(self, *, agency: str, user: User) -> bool:
        """Whether the archives of the agency are read with the person's own Dropbox, be what was read known just now or not."""

    @abstractmethod
    def answered_without_calls(self, *, agency: str, numbers: Sequence[str], user: User) -> int:
        """About how many leases with these numbers would be answered without a call if this person made them now.

        Args:
            numbers: normalised; no lease has one of them yet.
        """


_DECLARED: list[Archives] = []


def declare(archives: Archives) -> None:
    """Let the records ask this one."""
    _DECLARED.append(archives)


def without_archive(*, agency: str, numbers: Sequence[str], user: User) -> Looked | None:
    """What the first who knows says of them; see `Archives.without_archive`."""
    answers = (each.without_archive(agency=agency, numbers=numbers, user=user) for each in _DECLARED)
    return next((answer for answer in answers if answer is not None), None)


def is_read(*, agency: str, user: User) -> bool:
    """Whether anybody reads the archives of the agency with the person's own Dropbox."""
    return any(each.is_read(agency=agency, user=user) for each in _DECLARED)


def answered_without_calls(*, agency: str, numbers: Sequence[str], user: User) -> int:
    """About how many leases with these numbers, which no lease has yet, would be answered without asking Dropbox."""
    return max(
        (each.answered_without_calls(agency=agency, numbers=numbers, user=user) for each in _DECLARED), default=0
    )

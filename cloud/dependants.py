"""Whose work hangs on people's Dropbox: told when one comes, asked what it does with one.

The cloud knows no record that needs it. An app with such a record declares it once the apps are there (`declare`). What is told
is told within the transaction in which it happens, so that neither is ever seen without the other
(docs/decisions/0016-the-cloud-announces.md).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.urls import reverse

from cloud.findings import Finding
from cloud.models import CloudLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a connected account is looked through for, in sentences.

    Attributes:
        meaning: what looking does, beside the button.
        nothing: told where there is nothing to look for.
        failed: told where looking failed without a finding.
    """

    meaning: str
    nothing: str
    failed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where a click on a place in the cloud leads. Either of the two is empty.

    Attributes:
        url: where to go.
        why_not: a sentence for the operator, with the next step.
    """

    url: str = ""
    why_not: str = ""


class Dependant(ABC):
    """A kind of record whose work uses the Dropbox of whoever started it.

    Attributes:
        model: its table, which says what one of them is called.
        work: what is done, as in “start discovery”.
        right: who lacks it lends their Dropbox to nothing, and needs none.
        invitation: what a Dropbox is for, told to who has none.
        inviting: the names of the pages that tell it, before the first run fails.
        sight: what is said of looking through an account.
    """

    model: ClassVar[type[Model]]
    work: ClassVar[str]
    right: ClassVar[str]
    invitation: ClassVar[str]
    inviting: ClassVar[Collection[str]]
    sight: ClassVar[Sight]

    @abstractmethod
    def connected(self, user: User, *, event: str) -> int:
        """Let what failed for want of a Dropbox go on; how many go on that had given up.

        Whoever connects holds the person's row. A run that fails for want of it at this moment has to take that row, too, before
        it looks whether another connection is there: one of the two sees the other.

        Args:
            event: of `cloud.errors`: `CONNECTED` or `ANOTHER_ACCOUNT`.
        """

    @abstractmethod
    def readable_again(self, usernames: Collection[str]) -> None:
        """Let what failed because these people's tokens could not be read go on."""

    @abstractmethod
    def changed(self, account_ids: Collection[str]) -> None:
        """See to what has changed in these accounts, as Dropbox has just told; it waits for the answer, so not at once.

        Args:
            account_ids: Dropbox's own, of accounts that are connected here.
        """

    @abstractmethod
    def under_way(self, user: User) -> QuerySet[Any]:
        """What is being worked on, or is about to be, with this person's Dropbox."""

    @abstractmethod
    def waiting(self, user: User) -> Mapping[str, int]:
        """How many have failed for want of this person's Dropbox, or are tried again, by failure code."""

    @abstractmethod
    def list_of_waiting(self, user: User) -> str:
        """The address of the list of those."""

    @abstractmethod
    def look_through(self, user: User) -> Sequence[Finding]:
        """What the person's Dropbox sees of what the work looks for; nothing where there is nothing to look for."""

    @abstractmethod
    def standing_on(self, location: CloudLocation) -> QuerySet[Any]:
        """The records that the place belongs to."""

    @abstractmethod
    def opening(self, location: CloudLocation, user: User) -> Opening | None:
        """Where a click on it leads; None where that is not for this kind of record to say."""

    @property
    def one(self) -> str:
        return str(self.model._meta.verbose_name)

    @property
    def many(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    @property
    def list_url(self) -> str:
        """Of all of them, in the console."""
        return reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist")

    def page_url(self, record: Model) -> str:
        """Of one of them, in the console."""
        opts = self.model._meta
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[record.pk])

    def may_be_seen_by(self, user: User) -> bool:
        opts = self.model._meta
        return user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """How many records of one kind, and what they are called."""

    of: Dependant
    count: int

    @classmethod
    def of_each(cls, counted: Iterable[tuple[Dependant, int]]) -> tuple[Self, ...]:
        """Without those kinds of which there are none."""
        return tuple(cls(of=each, count=count) for each, count in counted if count)

    @property
    def noun(self) -> str:
        return self.of.one if self.count == 1 else self.of.many

    def __str__(self) -> str:
        return f"{self.count} {self.noun}"


_DECLARED: list[Dependant] = []


def declare(dependant: Dependant) -> None:
    """Let this kind of record be told and asked."""
    _DECLARED.append(dependant)


def dependants() -> tuple[Dependant, ...]:
    """All of them, in the order in which they were declared."""
    return tuple(_DECLARED)


def needs_dropbox(user: User) -> bool:
    """Whether the person may start anything that uses one."""
    return any(user.has_perm(each.right) for each in dependants())


def works() -> str:
    """All that is done with a Dropbox, in a sentence."""
    return " or ".join(each.work for each in dependants())


def one_of_each() -> str:
    """What one record is called, in a sentence."""
    return " or ".join(each.one for each in dependants())


def many_of_each() -> str:
    """What several records are called, in a sentence."""
    return " and ".join(each.many for each in dependants())

"""Whether what appears at Dropbox is noticed by itself, for a lease's page and the list; told by whoever watches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Model

from console.records.links import record_url
from leases.models import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of how fresh an answer is.

    Attributes:
        agency: whose archives it is about.
        read_at: what Dropbox was last asked for at this instant; None if it was not yet, or nobody knows what came since.
        is_fresh: nothing has changed since then that is not known.
        held_by: the record of what keeps what has changed from being known, for who may look at it; None if nothing does.
        words: a sentence, with its full stop, for who reads whether it is noticed by itself.
    """

    agency: str
    read_at: datetime | None
    is_fresh: bool
    words: str
    held_by: Model | None = None

    def held_url(self, user: User) -> str:
        """Where the person sees what holds it; empty where nothing does, or they may not."""
        return record_url(self.held_by, user) if self.held_by else ""


type OfLease = Callable[[Lease], Watched | None]
type OfPerson = Callable[[User], Sequence[Watched]]

_of_lease: list[OfLease] = []
_of_person: list[OfPerson] = []


def told_by(*, of_lease: OfLease, of_person: OfPerson) -> None:
    """Let somebody say how fresh a lease's answer is, and which agencies are watched with somebody's own Dropbox."""
    _of_lease.append(of_lease)
    _of_person.append(of_person)


def watched_for(lease: Lease) -> Watched | None:
    """How fresh what is known of a lease is; None if nobody can say."""
    return next((each for each in (told(lease) for told in _of_lease) if each), None)


def watched_by(user: User) -> list[Watched]:
    """Which agencies are watched with this person's Dropbox, and how fresh that is."""
    return [each for told in _of_person for each in told(user)]

"""Start discovery for several leases of an agency at once: everything is checked before anything is changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from core.base.errors import Refused
from core.base.folding import fold_case
from discovery.services.estimates import answered_from_index
from leases import runs
from leases.calls import Calls
from leases.duplicates import doubts_about
from leases.errors import DirectoryUnknown, InvalidLease
from leases.models import Agency, Lease
from leases.queries import leases_numbered
from leases.services import create_lease
from leases.validation import normalise_lease_number
from statemachine.errors import TransitionForbidden
from statemachine.line import turn_now
from statemachine.transitions import Actor, take

type Workflow = Literal["search", "detect"]
type How = Literal["created", "started", "at work"]

# So many somebody may wait for; more than that let what others start by hand go first.
BY_HAND_AT_MOST = 20
AGAIN = {None: runs.FULL_DISCOVERY, "search": runs.SEARCH, "detect": runs.DETECTION}


class UnknownAgency(Refused):
    """There is no such agency."""

    code = "unknown_agency"
    field = "agency"


class NamedTwice(Refused):
    """The same lease is named twice. Name it once."""

    code = "named_twice"


class Place(TypedDict):
    """Where in the line a lease is put."""

    background: bool
    turn: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What was done about one lease.

    Attributes:
        how: `created`, `started` again, or `at work` already, which leaves it alone.
        doubts: why its number may not be what is meant, a sentence each.
    """

    lease_id: int
    how: How
    doubts: tuple[str, ...] = ()


def agency_named(text: str) -> str:
    """The agency that is called so, in whatever case.

    Raises:
        UnknownAgency: there is none.
    """
    found = next((agency for agency in Agency.values if agency.casefold() == text.strip().casefold()), None)
    if found is None:
        raise UnknownAgency(f"There is no agency “{text}”. There are {', '.join(Agency.values)}.")
    return found


def discover_leases(
    *, agency: str, lease_numbers: Sequence[str], user: User, only: Workflow | None = None
) -> list[Started]:
    """Create the leases that do not exist yet and start the others again; one that is at work is left at it.

    Args:
        only: one workflow alone; None: search, then detection if found.

    Returns:
        One for each number, in their order.

    Raises:
        UnknownAgency, InvalidLease, NamedTwice, TransitionForbidden, DirectoryUnknown: nothing was changed.
        DuplicateLease, TransitionRefused: somebody else was faster; nothing was changed.
    """
    agency = agency_named(agency)
    numbers = [_checked(number) for number in lease_numbers]
    _refuse_twice(numbers)
    with transaction.atomic():
        known = _known(agency, numbers)
        _authorise(user, creates=len(known) < len(numbers))
        if only == "detect":
            _refuse_unknown_directories(numbers, known)
        places = _places(len(numbers))
        return [
            _start(agency, number, known.get(fold_case(number)), user, only, place=place)
            for number, place in zip(numbers, places, strict=True)
        ]


def calls_of(started: Sequence[Started], *, user: User) -> Calls:
    """About how many calls it takes; who starts a few by hand is answered by Dropbox itself."""
    pks = [each.lease_id for each in started if each.how != "at work"]
    is_by_hand = len(started) <= BY_HAND_AT_MOST
    answered = 0 if is_by_hand else answered_from_index(Lease.objects.filter(pk__in=pks), user)
    return Calls(starting=len(pks), answered=answered)


def _checked(number: str) -> str:
    try:
        return normalise_lease_number(number)
    except ValidationError as error:
        raise InvalidLease(f"{_shown(number)}: {' '.join(error.messages)}") from error


def _shown(number: str) -> str:
    """The number as it may stand in a sentence: short, nothing invisible."""
    shortest = 60
    text = ascii(number)[1:-1] if not number.isprintable() else number
    return f"“{text if len(text) <= shortest else text[:shortest] + '…'}”"


def _refuse_twice(numbers: list[str]) -> None:
    seen: set[str] = set()
    for number in numbers:
        if fold_case(number) in seen:
            raise NamedTwice(f"{_shown(number)} is named twice (upper and lower case are the same). Name it once.")
        seen.add(fold_case(number))


def _known(agency: str, numbers: list[str]) -> dict[str, Lease]:
    found = leases_numbered(agency, numbers).select_for_update(of=("self",))
    return {fold_case(lease.lease_number): lease for lease in found}


def _authorise(user: User, *, creates: bool) -> None:
    needed = {"leases.run_discovery": "start discovery"} | ({"leases.add_lease": "create leases"} if creates else {})
    for permission, meaning in needed.items():
        if not user.has_perm(permission):
            raise TransitionForbidden(f"{user.get_username()} may not {meaning}. Ask an administrator.")


def _refuse_unknown_directories(numbers: list[str], known: dict[str, Lease]) -> None:
    for number in numbers:
        lease = known.get(fold_case(number))
        if lease is None or (lease.runsheet_directory_id is None and not lease.is_working):
            raise DirectoryUnknown(f"No archive directory is known for {_shown(number)}. Search for it first.")


def _places(count: int) -> list[Place]:
    """So many that nobody waits for each are one order of the background."""
    if count <= BY_HAND_AT_MOST:
        return [{"background": False, "turn": None}] * count
    before = turn_now(Lease)
    return [{"background": True, "turn": before + each} for each in range(1, count + 1)]


def _start(
    agency: str, number: str, lease: Lease | None, user: User, only: Workflow | None, *, place: Place
) -> Started:
    how: How = "started"
    if lease is None:
        how = "created"
        lease = create_lease(agency=agency, lease_number=number, created_by=user, follow_through=only is None, **place)
    elif lease.is_working:
        how = "at work"
    else:
        take(model=Lease, pk=lease.pk, step=replace(AGAIN[only], **place), actor=Actor.person(user))
    doubts = doubts_about(agency=agency, number=lease.lease_number, besides=lease.pk)
    return Started(lease_id=lease.pk, how=how, doubts=tuple(doubts))

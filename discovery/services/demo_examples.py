"""One lease for every way a lease can end: how each is made, how it must end, and whether it did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.services.accounts import connect_account
from discovery.advice import advice_for
from discovery.services.demo_data import (
    BASE_PATHS,
    COLLEAGUE,
    COLLEAGUES_TOKEN,
    NEWCOMER,
    OPERATOR,
    REFRESH_TOKEN,
    configure,
    newcomer,
    person,
)
from leases import runs
from leases.models import Lease
from leases.services import create_lease
from leases.states import State
from statemachine.models import TransitionLog
from statemachine.transitions import Actor, take

RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a lease ended, or must end.

    Attributes:
        report: whether a previous report was found; false also where nobody looked.
        link: whether there is a share link.
        tries: the most that any of its states needed.
        dropbox_calls: for its directory; a look at the folder that holds all of them is nobody's.
        nearest: the name that comes nearest to one that was not found.
    """

    state: str
    failure_code: str = ""
    report: bool = False
    link: bool = False
    tries: int = 1
    dropbox_calls: int
    nearest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A lease that shows one outcome.

    Attributes:
        fault: what Dropbox is to do wrong when the directory is listed, for the stand-in's control API.
        begins_last: only when the others of its Dropbox account have settled. A 429 pauses the whole account, also in
            the middle of another lease, which then has to ask again: how many calls that takes is left to chance.
        again_by: who runs it once more when it has settled.
    """

    outcome: str
    lease_number: str
    end: End
    agency: str = "BLM"
    created_by: str = OPERATOR
    fault: Mapping[str, Any] | None = None
    begins_last: bool = False
    again_by: str = ""

    @property
    def path(self) -> str:
        return f"{BASE_PATHS[self.agency]}/{self.lease_number}"


def _done(*, report: bool = False, link: bool = True, tries: int = 1, dropbox_calls: int = 2) -> End:
    return End(state=State.DONE, report=report, link=link, tries=tries, dropbox_calls=dropbox_calls)


EXAMPLES = (
    Example(outcome="report found", lease_number="NMNM 0501759", end=_done(report=True)),
    Example(outcome="directory without report", lease_number="NMLC 0028446A", end=_done()),
    # Nothing in it tells that all of it is seen, so it is described as well.
    Example(outcome="empty directory", lease_number="NMNM 110339", end=_done(dropbox_calls=3)),
    Example(outcome="only subfolders", lease_number="NMNM 0014321", end=_done()),
    Example(outcome="not found", lease_number="NMNM 9999999", end=End(state=State.NOT_FOUND, dropbox_calls=1)),
    Example(
        outcome="a number without its zeros",
        lease_number="NMNM 55142",
        end=End(state=State.NOT_FOUND, dropbox_calls=1, nearest="NMNM 0055142"),
    ),
    Example(outcome="a report with a no-break blank", lease_number="NMNM 0078221", end=_done(report=True)),
    Example(
        outcome="a colleague who cannot see it",
        lease_number="NMNM 0091530",
        again_by=COLLEAGUE,
        end=End(state=State.FAILED, failure_code="archive_out_of_sight", report=True, link=True, dropbox_calls=4),
    ),
    Example(
        outcome="report beyond the first page", lease_number="NMNM 0392787", end=_done(report=True, dropbox_calls=3)
    ),
    Example(
        outcome="agency not configured",
        agency="NMSLO",
        lease_number="B0-1234-5",
        end=End(state=State.FAILED, failure_code="configuration_missing", dropbox_calls=0),
    ),
    Example(
        outcome="user without Dropbox",
        lease_number="NMNM 0003606",
        created_by=NEWCOMER,
        end=End(state=State.FAILED, failure_code="connect_dropbox", tries=5, dropbox_calls=0),
    ),
    Example(
        outcome="link forbidden by team policy",
        lease_number="NMLC 0063798",
        end=_done(report=True, link=False, dropbox_calls=3),
    ),
    Example(
        outcome="two 503s and then fine",
        lease_number="NMNM 0110348",
        end=_done(report=True, tries=3, dropbox_calls=4),
        fault={"status": 503, "times": 2},
    ),
    Example(
        outcome="a 429 with Retry-After",
        lease_number="NMNM 0036942",
        end=_done(report=True, tries=2, dropbox_calls=3),
        begins_last=True,
        fault={
            "status": 429,
            "headers": {"Retry-After": str(RETRY_AFTER_S)},
            "body": {
                "error_summary": "too_many_requests/..",
                "error": {"reason": {".tag": "too_many_requests"}, "retry_after": RETRY_AFTER_S},
            },
        },
    ),
)


def set_up() -> None:
    """Three people, of whom two have a Dropbox, and one of two agencies configured.

    Raises:
        What `connect_account` raises.
    """
    connect_account(user=person(OPERATOR), refresh_token=REFRESH_TOKEN)
    connect_account(user=person(COLLEAGUE), refresh_token=COLLEAGUES_TOKEN)
    newcomer()
    configure("BLM")


def start_examples(*, begins_last: bool) -> dict[int, Example]:
    """Make the leases that begin at once, or those that begin last; by their ids.

    Raises:
        InvalidLease, DuplicateLease: the database is not the demo's own.
    """
    return {_started(example).pk: example for example in EXAMPLES if example.begins_last == begins_last}


def run_again(examples: Mapping[int, Example]) -> None:
    """Let the colleagues of those who began run what has settled.

    Raises:
        TransitionRefused: something has not settled.
    """
    for pk, example in examples.items():
        if example.again_by:
            take(model=Lease, pk=pk, step=runs.FULL_DISCOVERY, actor=Actor.person(person(example.again_by)))


def _started(example: Example) -> Lease:
    return create_lease(agency=example.agency, lease_number=example.lease_number, created_by=person(example.created_by))


def end_of(lease: Lease, *, dropbox_calls: int) -> End:
    """How it has ended, as the record and its log tell."""
    return End(
        state=lease.state,
        failure_code=lease.failure_code,
        report=lease.runsheet_report_found,
        link=bool(lease.runsheet_link),
        tries=max((entry.tries for entry in TransitionLog.objects.of(lease)), default=0),
        dropbox_calls=dropbox_calls,
        nearest=_nearest(lease),
    )


def _nearest(lease: Lease) -> str:
    latest = TransitionLog.objects.of(lease).last()
    return next(iter(latest.evidence.get("nearest", ())), "") if latest else ""


def differences(*, expected: End, found: End) -> list[str]:
    """What is not as it must be, in words; empty if all is well."""
    return [
        f"{name.replace('_', ' ')} is {getattr(found, name)!s}, not {getattr(expected, name)!s}"
        for name in End.__dataclass_fields__
        if getattr(found, name) != getattr(expected, name)
    ]


def account_of(lease: Lease, example: Example, *, dropbox_calls: int) -> dict[str, Any]:
    """Everything that is told of one lease at the end."""
    place, end = lease.runsheet_directory, end_of(lease, dropbox_calls=dropbox_calls)
    wrong = differences(expected=example.end, found=end)
    return {
        "outcome": example.outcome,
        "lease": str(lease),
        "state": lease.state,
        "share_url": lease.runsheet_link or None,
        "share_refusal": (place.share_refusal if place else "") or None,
        "report_found": lease.runsheet_report_found,
        "matching_files": lease.matching_files,
        "nearest": end.nearest or None,
        "tries": end.tries,
        "dropbox_calls": dropbox_calls,
        "seconds": round(took_s(lease), 2),
        "failure_code": lease.failure_code or None,
        "failure_message": lease.failure_message or None,
        "advice": advice_for(lease),
        "as_it_should": not wrong,
        "differences": wrong,
    }


def took_s(lease: Lease) -> float:
    """From its creation to its latest transition, by the database's clock."""
    times = list(_times(lease))
    return (times[-1] - times[0]).total_seconds() if times else 0.0


def _times(lease: Lease) -> Iterator[Any]:
    return (entry.at for entry in TransitionLog.objects.of(lease))

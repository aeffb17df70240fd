"""The leases of a measurement; imported once Django is ready."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db.models import Max, Min

from bench.processors import Stopwatch
from cloud.services.accounts import connect_account
from core.base.errors import RunsheetError
from dropbox_standin.client import Standin
from leases import runs
from leases.models import AgencyStorageConfig, Lease
from leases.services import create_lease
from leases.states import State
from statemachine.models import TransitionLog
from statemachine.transitions import Actor, take

BASE_PATH = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
# Rarely, since looking takes from what is measured; when something happened is read from the log.
LOOK_AGAIN_S = 0.05
LOOK_AGAIN_AT_ONE_S = 0.02
LONGEST_S = 300.0


class WentWrong(RunsheetError):
    """A lease did not end as found with a link and a report."""


def prepare(standin: Standin, *, count: int) -> User:
    """Archives to find, and a person who is connected to the Dropbox that holds them."""
    standin.put(*(f"{BASE_PATH}/{number(each)}/{number(each)} Master Documents.pdf" for each in range(count + 1)))
    AgencyStorageConfig.objects.create(
        agency="BLM",
        runsheet_archive_base_path=BASE_PATH,
        documents_base_path=BASE_PATH,
        misc_index_base_path=BASE_PATH,
    )
    person = User.objects.create_superuser("bench")
    connect_account(user=person, refresh_token="standin-refresh-olivia")  # noqa: S106 - the stand-in's
    return person


def number(each: int) -> str:
    return f"NMNM {each:07}"


def start(person: User, number: str) -> int:
    """A new lease, which starts by itself."""
    return create_lease(agency="BLM", lease_number=number, created_by=person).pk


def start_again(person: User, made: Sequence[int]) -> None:
    for each in made:
        take(model=Lease, pk=each, step=runs.FULL_DISCOVERY, actor=Actor.person(person))


def delays_s(noted: Sequence[tuple[int, str, float]]) -> list[float]:
    """How long after its transition each change was noted.

    Args:
        noted: a lease's primary key, the state that it was seen to be in, and when, in seconds since 1970.
    """
    return [at - _entered(pk, state, before=at) for pk, state, at in noted]


def _entered(pk: int, state: str, *, before: float) -> float:
    at = TransitionLog.objects.filter(
        record_type=Lease._meta.label_lower, record_id=pk, to_state=state, at__lte=datetime.fromtimestamp(before, UTC)
    )
    return at.latest("at").at.timestamp()


def serial(person: User, numbers: Sequence[str], *, watch: Stopwatch | None = None) -> list[int]:
    """One lease after the other has settled.

    Args:
        watch: runs while leases are made.
    """
    made = []
    for each in numbers:
        with watch.running() if watch else nullcontext():
            made.append(start(person, each))
        wait_until_settled(made[-1:])
    return made


def burst(person: User, numbers: Sequence[str], *, watch: Stopwatch | None = None) -> list[int]:
    """All leases at once, each in a transaction of its own."""
    with watch.running() if watch else nullcontext():
        made = [start(person, each) for each in numbers]
    wait_until_settled(made)
    return made


def imported(person: User, numbers: Sequence[str]) -> list[int]:
    """All leases in one go, as an import makes them; nobody starts them by hand."""
    made = Lease.objects.bulk_create(
        [Lease(agency="BLM", lease_number=each, created_by=person) for each in numbers], batch_size=1000
    )
    return [lease.pk for lease in made]


def settled_count(leases: Sequence[int]) -> int:
    return Lease.objects.filter(pk__in=leases, due_at__isnull=True).count()


def wait_until_settled(leases: Sequence[int]) -> None:
    """Raises: WentWrong: it takes too long, or one did not end as it should."""
    until = time.monotonic() + LONGEST_S
    # By its bounds, since thousands of keys would have to be read each time; nobody else makes leases meanwhile.
    owed = Lease.objects.filter(pk__gte=min(leases), pk__lte=max(leases), due_at__isnull=False)
    while owed.exists():
        if time.monotonic() > until:
            raise WentWrong(f"Not all leases settled within {LONGEST_S:g} s.")
        time.sleep(LOOK_AGAIN_AT_ONE_S if len(leases) == 1 else LOOK_AGAIN_S)
    good = Lease.objects.filter(pk__in=leases, state=State.DONE, runsheet_report_found=True)
    bad = set(leases) - set(good.exclude(runsheet_directory__share_url="").values_list("pk", flat=True))
    if bad:
        lease = Lease.objects.get(pk=min(bad))
        raise WentWrong(f"{len(bad)} leases did not end well; {lease}: {lease.state} {lease.failure_message}")


def took_s(leases: Sequence[int]) -> tuple[list[float], float]:
    """From commit to settled for each lease, and from the first commit to the last one settled; the log's times."""
    log = TransitionLog.objects.filter(record_type="leases.lease", record_id__in=leases)
    spans = list(log.values("record_id").annotate(begun=Min("at"), ended=Max("at")))
    elapsed = max(span["ended"] for span in spans) - min(span["begun"] for span in spans)
    return [(span["ended"] - span["begun"]).total_seconds() for span in spans], elapsed.total_seconds()

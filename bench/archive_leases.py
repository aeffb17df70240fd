"""The archives and the leases of `bench.archives`; imported once Django is ready."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Max, Min

from bench.leases import BASE_PATH, LONGEST_S, WentWrong
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from discovery.services.archive_looks import look_at_once
from discovery.services.archive_watches import watch_at_once
from dropbox_standin.client import Standin
from leases.batches import import_leases
from leases.models import AgencyStorageConfig, Batch, Lease
from leases.services import create_lease
from leases.states import State
from statemachine.models import TransitionLog
from storage.models import ACTIVE, IndexRun, StorageRoot, StoredFile

LOOK_AGAIN_S = 0.25
LONGEST_SCAN_S = 3_600.0
WARMING_UP_PATH = "/State Workspace/Archive"
WARMING_UP = 5
PUT_AT_ONCE = 5_000
# Of each ten, one is not there, and one has no report.
TEN, ABSENT, WITHOUT = 10, 0, 1
PLANT = """
INSERT INTO storage_storedfile (root_id, key, name, is_directory, etag)
SELECT %(root)s, lower(key), regexp_replace(rtrim(key, '/'), '^.*/', ''), key LIKE '%%/', 'id:' || md5(key)
FROM unnest(%(keys)s::text[]) AS entry(key)
"""


def number(each: int) -> str:
    return f"NMNM {each:07}"


def prepare(standin: Standin, *, leases: int, entries: int | None, workers: int) -> User:
    """Archives to find, and a person who is connected to the Dropbox that holds them.

    The first leases wait for the workers to be up; they are of another agency, and are not measured.
    """
    for some in batched(_archives(leases, entries or 0), PUT_AT_ONCE, strict=False):
        standin.put(*some)
    person = User.objects.create_superuser("bench")
    connect_account(user=person, refresh_token="standin-refresh-olivia")  # noqa: S106 - the stand-in's
    _configure("NMSLO", WARMING_UP_PATH, watched=False)
    numbers = [f"B0-{each}" for each in range(WARMING_UP * workers)]
    standin.put(*(f"{WARMING_UP_PATH}/{each}/{each} Master Documents.pdf" for each in numbers))
    made = [create_lease(agency="NMSLO", lease_number=each, created_by=person).pk for each in numbers]
    wait_until_settled()
    Lease.objects.filter(pk__in=made).delete()
    return person


def _configure(agency: str, base_path: str, *, watched: bool) -> None:
    AgencyStorageConfig.objects.create(
        agency=agency,
        runsheet_archive_base_path=base_path,
        documents_base_path=base_path,
        misc_index_base_path=base_path,
        watched=watched,
    )


def _archives(leases: int, entries: int) -> Iterator[str]:
    """Of each archive its scans, its report if it has one, and its folder."""
    there = [each for each in range(1, leases + 1) if each % TEN != ABSENT]
    scans = max(1, entries // len(there) - 2) if there else 0
    for each in there:
        archive = f"{BASE_PATH}/{number(each)}"
        yield from (f"{archive}/scan {scan}.pdf" for scan in range(scans))
        if each % TEN != WITHOUT:
            yield f"{archive}/{number(each)} Master Documents.pdf"


def plant(standin: Standin, person: User) -> None:
    """Let the index be there, as if it had been read just now."""
    account = DropboxAccount.objects.get(user=person)
    (watch,) = watch_at_once(account=account, configuration=AgencyStorageConfig.objects.get(agency="BLM"))
    below = [path.removeprefix(f"{BASE_PATH}/") for path in standin.tree() if path.startswith(f"{BASE_PATH}/")]
    with connection.cursor() as cursor:
        cursor.execute(PLANT, {"root": watch.root_id, "keys": [path for path in below if path]})
        cursor.execute("UPDATE storage_storageroot SET cursor = 'planted', read_at = statement_timestamp()")
        cursor.execute("UPDATE discovery_archivewatch SET looked_at = statement_timestamp()")
        cursor.execute("VACUUM ANALYZE storage_storedfile")


def read_whole(person: User) -> None:
    """Let the folder be read for the first time, before any lease is made.

    Raises:
        WentWrong: it takes too long, or comes to another end.
    """
    account = DropboxAccount.objects.used_by(person.pk)
    assert account is not None
    look_at_once(account=account, configuration=AgencyStorageConfig.objects.get(agency="BLM"))
    until = time.monotonic() + LONGEST_SCAN_S
    while IndexRun.objects.filter(state__in=sorted(ACTIVE)).exists():
        if time.monotonic() > until:
            raise WentWrong(f"The folder was not read within {LONGEST_SCAN_S:g} s.")
        time.sleep(LOOK_AGAIN_S)
    if not StorageRoot.objects.filter(read_at__isnull=False).exists():
        run = IndexRun.objects.latest("pk")
        raise WentWrong(f"The folder was not read: {run.state} {run.refusal}{run.failure_message}")


def entries() -> int:
    """How many the index knows."""
    return StoredFile.objects.count()


def configure() -> None:
    """From now on leases can be asked for."""
    _configure("BLM", BASE_PATH, watched=True)


def imported(person: User, *, leases: int) -> Sequence[int]:
    """All leases in one go, as a file of them."""
    batch = import_leases(
        leases=[("BLM", number(each)) for each in range(1, leases + 1)], user=person, title="bench.csv"
    )
    assert isinstance(batch, Batch)
    return list(Lease.objects.values_list("pk", flat=True))


def wait_until_settled() -> None:
    """Raises: WentWrong: it takes too long."""
    until = time.monotonic() + LONGEST_S
    owed = Lease.objects.filter(due_at__isnull=False)
    while owed.exists():
        if time.monotonic() > until:
            states = dict(Counter(owed.values_list("state", "failure_code")))
            raise WentWrong(f"Not all leases settled within {LONGEST_S:g} s: {states}.")
        time.sleep(LOOK_AGAIN_S)


def settled_s(leases: Sequence[int]) -> float:
    """From their import to the last one's being settled, by the database's clock."""
    began = Batch.objects.aggregate(at=Min("created_at"))["at"]
    ended = TransitionLog.objects.filter(record_type="leases.lease", record_id__in=leases).aggregate(at=Max("at"))["at"]
    return round(float((ended - began).total_seconds()), 2)


def by_kind(standin: Standin) -> dict[str, Any]:
    """How often Dropbox was asked for links, and for anything else."""
    routes = Counter(call.route for call in standin.journal())
    links = sum(count for route, count in routes.items() if route.startswith("sharing/"))
    return {"calls": routes.total() - links, "link_calls": links, "calls_by_route": dict(routes)}


def false_answers(standin: Standin) -> int:
    """How many leases say something else than the archives that are there."""
    tree = set(standin.tree())
    rows = Lease.objects.values_list("lease_number", "state", "runsheet_report_found")
    return sum(not _is_true(tree, *row) for row in rows)


def _is_true(tree: set[str], name: str, state: str, has_report: bool) -> bool:  # noqa: FBT001 - a column
    archive = f"{BASE_PATH}/{name}"
    if f"{archive}/" not in tree:
        return state == State.NOT_FOUND
    return state == State.DONE and has_report == (f"{archive}/{name} Master Documents.pdf" in tree)

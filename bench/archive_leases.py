"""The archives and the leases of `bench.archives`; imported once Django is ready."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Max, Min

from bench.leases import BASE_PATH, LONGEST_S, WentWrong, burst
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from discovery.models import ArchiveWatch
from dropbox_standin.client import Standin
from leases.batches import import_leases
from leases.models import AgencyStorageConfig, Batch, Lease
from leases.states import State
from statemachine.models import TransitionLog
from storage.models import StorageRoot

LOOK_AGAIN_S = 0.25
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


def prepare(standin: Standin, *, leases: int, entries: int | None) -> User:
    """Archives to find, and a person who is connected to the Dropbox that holds them."""
    for some in batched(_archives(leases, entries or 0), PUT_AT_ONCE, strict=False):
        standin.put(*some)
    AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BASE_PATH, documents_base_path="/d", misc_index_base_path="/m"
    )
    person = User.objects.create_superuser("bench")
    connect_account(user=person, refresh_token="standin-refresh-olivia")  # noqa: S106 - the stand-in's
    return person


def _archives(leases: int, entries: int) -> Iterator[str]:
    """Of each archive its scans, its report if it has one, and its folder."""
    there = [each for each in range(1, leases + 1) if each % TEN != ABSENT]
    scans = max(1, entries // len(there) - 2) if there else 0
    for each in there:
        archive = f"{BASE_PATH}/{number(each)}"
        yield from (f"{archive}/scan {scan}.pdf" for scan in range(scans))
        if each % TEN != WITHOUT:
            yield f"{archive}/{number(each)} Master Documents.pdf"


def warm_up(person: User, *, workers: int) -> None:
    """The first leases wait for the workers to be up; they are not measured."""
    present = [number(each) for each in range(2, 2 + WARMING_UP * workers) if each % TEN not in {ABSENT, WITHOUT}]
    burst(person, present)
    Lease.objects.all().delete()


def plant(person: User) -> None:
    """Let the index be there, as if it had been read just now."""
    account = DropboxAccount.objects.get(user=person)
    given = {"account_id": account.account_id, "path_root": account.root_namespace_id, "base_path": BASE_PATH}
    root = StorageRoot.objects.create(
        name="dropbox-bench", declaration={"kind": "dropbox", "owned": False}, cursor="planted"
    )
    ArchiveWatch.objects.create(root=root, **given)


def fill(standin: Standin) -> None:
    below = [path.removeprefix(f"{BASE_PATH}/") for path in standin.tree() if path.startswith(f"{BASE_PATH}/")]
    with connection.cursor() as cursor:
        root = StorageRoot.objects.get(name="dropbox-bench").pk
        cursor.execute(PLANT, {"root": root, "keys": [path for path in below if path]})
        cursor.execute("UPDATE storage_storageroot SET read_at = statement_timestamp()")
        cursor.execute("VACUUM ANALYZE storage_storedfile")


def imported(person: User, *, leases: int) -> Sequence[int]:
    """All leases in one go, as a file of them."""
    batch = import_leases(
        leases=[("BLM", number(each)) for each in range(1, leases + 1)], user=person, title="bench.csv"
    )
    assert isinstance(batch, Batch)
    return list(Lease.objects.values_list("pk", flat=True))


def wait_until_settled(leases: Sequence[int]) -> None:
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

"""The archive watch as its duty does it, with the runs of the index that it begins; without a queue."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from cloud.models import CloudLocation, DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.archive_index import index_of
from discovery.services.archive_looks import look_after_all
from leases.models import Lease
from leases.states import State
from storage.models import ACTIVE, IndexRun, StorageRoot
from storage.services import IndexSyncService
from tests.factories import BLM, NUMBER, settled

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

REPORT = "Master Documents.pdf"
# How runs of the index ended, and whether they read only what had changed.
FRESH, DELTA = ("done", False), ("done", True)


def attend() -> None:
    """The duty once, and the runs that it has begun, to their end; then the duty again, as it is a few seconds later."""
    look_after_all()
    work()
    look_after_all()


def work() -> None:
    """Whatever runs of the index are owed."""
    for run in IndexRun.objects.filter(state__in=sorted(ACTIVE)):
        IndexSyncService().work(run_id=run.pk)


def told() -> None:
    """Dropbox's notification, as it is stored."""
    DropboxAccount.objects.update(changed_at=Now())


def runs() -> list[tuple[str, bool]]:
    """How the runs of the index ended, and whether they read only what had changed."""
    return list(IndexRun.objects.order_by("pk").values_list("state", "incremental"))


def rung(redis: Redis) -> list[str]:
    """The duties that were rung for, and that no worker has attended to yet."""
    return [str(job.args[0]) for job in Queue("discovery", connection=redis, serializer=JSONSerializer).jobs]


def absent(user: User, number: str = NUMBER, **values: Any) -> Lease:
    """A lease whose archive is not there, as this person's account has said."""
    return settled(user, lease_number=number, **{**_of(user), "state": State.NOT_FOUND, **values})


def done(user: User, number: str = NUMBER, *, reports: list[str] | None = None, **values: Any) -> Lease:
    """A lease whose archive was found and read."""
    found = {
        "state": State.DONE,
        "runsheet_directory": CloudLocation.objects.get_or_create(path=f"{BLM}/{number}", name=number)[0],
        "runsheet_report_found": bool(reports),
        "matching_files": reports or [],
        "matching_count": len(reports or []),
    }
    return settled(user, lease_number=number, **{**_of(user), **found, **values})


def owed() -> dict[str, str]:
    """The leases that are owed a run, and why."""
    return dict(Lease.objects.filter(due_at__isnull=False).values_list("lease_number", "due_reason"))


def watch() -> ArchiveWatch:
    """The only one, as it is now."""
    return ArchiveWatch.objects.select_related("root").get()


def _of(user: User) -> dict[str, Any]:
    account = DropboxAccount.objects.get(user=user)
    return {
        "initiated_by": user,
        "known_account": account.account_id,
        "known_root": account.root_namespace_id,
        "known_base_path": BLM,
        "known_at": account.connected_at,
    }


def later(by: timedelta) -> None:
    """So much time has passed since whatever happened to the watches and their runs."""
    ArchiveWatch.objects.update(looked_at=F("looked_at") - by)
    IndexRun.objects.update(entered_at=F("entered_at") - by)
    ArchiveWatch.objects.filter(resting_until__isnull=False).update(resting_until=F("resting_until") - by)
    StorageRoot.objects.filter(read_at__isnull=False).update(read_at=F("read_at") - by)


def rest() -> timedelta:
    """How long the watch is left alone from now on, by the database's clock."""
    left: timedelta = (
        ArchiveWatch.objects.annotate(left=F("resting_until") - Now()).values_list("left", flat=True).get()
    )
    return left


def fresh() -> bool:
    found = index_of(account=DropboxAccount.objects.get(), base_path=BLM, poll_minutes=5)
    return found is not None and found.is_fresh


def move(dropbox: "Standin", source: str, target: str) -> None:
    account = DropboxAccount.objects.get()
    answer = requests.post(
        f"{dropbox.base_url}/2/files/move_v2",
        json={"from_path": source, "to_path": target},
        headers={
            "Authorization": f"Bearer {account.access_token}",
            "Dropbox-API-Path-Root": json.dumps({".tag": "root", "root": account.root_namespace_id}),
        },
        timeout=10,
    )
    answer.raise_for_status()

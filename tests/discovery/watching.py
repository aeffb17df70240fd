"""The archive watch as its duty does it, with the runs of the index that it begins; without a queue."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models.functions import Now
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from cloud.models import CloudLocation, DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.archive_looks import look_after_all
from leases.models import Lease
from leases.states import State
from storage.models import ACTIVE, IndexRun
from storage.services import IndexSyncService
from tests.factories import BLM, NUMBER, settled


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

"""What is to be made wrong so that alerts fire, where it takes more than to stop a program.

Some of it is done as it happens; what would take hours, thousands of calls or a fault of the program is written where /metrics
finds it: rows that are old, and tallies.
"""

from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from cloud.models import DropboxAccount
from console.notices.models import FailureNotice
from core.base.clock import now
from core.ops import last_backup, tally
from documents.models import Document, Quota
from documents.states import State
from leases.models import Lease
from statemachine.worker import RunsheetWorker
from storage.models import IndexRun, RunState, StorageRoot
from storage.services import IndexSyncService
from tests.deploy.firing import House
from tests.factories import BLM, account, watched

LONG_AGO = timedelta(hours=7)
MANY = 150


def owe_for_long(operator: User) -> None:
    """Leases that were made hours ago, and for which nobody has rung."""
    Lease.objects.bulk_create(
        [
            Lease(
                agency="BLM", lease_number=f"NMNM {n}", created_by=operator, due_at=now() - LONG_AGO, background=False
            )
            for n in range(3)
        ]
    )
    Lease.objects.update(entered_at=Now() - LONG_AGO)


def break_connections() -> None:
    """One is lost, one paused, and of one somebody has taken the key away."""
    for name in ("paul", "quinn", "rosa"):
        user = User.objects.create(username=name)
        account(user=user, account_id=f"dbid:{name}").save()
    DropboxAccount.objects.mark_lost(DropboxAccount.objects.get(user__username="paul"), reason="It was revoked.")
    DropboxAccount.objects.pause(account_id="dbid:quinn", pause_s=600)
    lost = Fernet(Fernet.generate_key()).encrypt(b"token").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cloud_dropboxaccount SET refresh_token = %s WHERE account_id = %s", [lost, "dbid:rosa"])


def lose_archives() -> None:
    """One folder was not read for hours, over another one the run was refused."""
    one, other = DropboxAccount.objects.order_by("pk")[:2]
    watched(one, read_at=now() - LONG_AGO)
    root = watched(other, f"{BLM} 2", read_at=None).root
    IndexRun.objects.create(root=root, state=RunState.REFUSED, refusal="Gone.", due_at=None)


def fill_quota(user: User) -> None:
    Quota.objects.create(user=user, used_bytes=95, limit_bytes=100)


def leave_mails_unsent(user: User) -> None:
    FailureNotice.objects.create(initiated_by=user, record_type="leases.lease", reason="bug", state="sending")
    FailureNotice.objects.update(entered_at=Now() - LONG_AGO)


def fail_documents(user: User) -> None:
    """As many as a scanner refuses that has gone mad."""
    Document.objects.bulk_create(
        Document(owner=user, unique_name=f"deed-{n}", name="deed.pdf", state=State.ERROR, failure_code="infected")
        for n in range(12)
    )


def index(*, allow_missing: int | None = None) -> None:
    """Compare all that lies there with its rows, in this process."""
    service = IndexSyncService()
    run = service.start(mode="sync", rings=False, allow_missing=allow_missing)
    service.work(run_id=run.pk)


def fill_documents(house: House) -> None:
    folder = house.documents / "papers"
    folder.mkdir()
    for number in range(MANY):
        (folder / f"{number}.pdf").touch()
    index()


def delete_documents(house: House) -> None:
    """Somebody deletes the files, and somebody else says that this is meant."""
    for path in (house.documents / "papers").iterdir():
        path.unlink()
    index(allow_missing=MANY)


def find_unreadable() -> None:
    """What was read three days ago, and not all of it."""
    for run in IndexRun.objects.filter(root=StorageRoot.named("documents")):
        IndexRun.objects.filter(pk=run.pk).update(counts={**run.counts, "errors": 3})
    IndexRun.objects.update(entered_at=F("entered_at") - timedelta(days=3))


def unmount(house: House) -> None:
    """The folder is gone, and the index looks at it."""
    house.documents.rename(house.documents.with_name("elsewhere"))
    index()


def leave_backup_old() -> None:
    """The last one was made days ago."""
    last_backup.note("20260101-000000", made_at=now() - timedelta(days=3))


def keep_worker_busy(redis: Redis) -> None:
    """One that never comes to an end; it is only written down, as its own process would. Those that were killed are forgotten."""
    for killed in redis.smembers("rq:workers"):
        redis.delete(killed)
    queue = Queue("discovery", connection=redis, serializer=JSONSerializer)
    busy = RunsheetWorker([queue], connection=redis, serializer=JSONSerializer, name="busy")
    busy.register_birth()  # type: ignore[no-untyped-call]  # rq types this class in part
    busy.set_state("busy")


def tally_all(count: int) -> None:
    """Count what makes alerts fire when there is much of it, and what the dashboard shows of such."""
    of_lease: dict[str, Any] = {"machine": "leases.lease", "state": "searching"}
    with tally.gathered():
        for _ in range(count):
            tally.count("tries", **of_lease)
            tally.count("tries_given_up", **of_lease, code="base_path_missing")
            tally.count("tries_given_up", **of_lease, code="bug")
            tally.count("tries_lost", **of_lease)
            tally.count("tries_put_back", machine="documents.document", state="pending", code="scanner_unavailable")
            tally.count("messages_lost", machine="leases.lease")
            tally.count("messages_refused", machine="leases.lease")
            tally.count("list_reads", at="primary", why="away")
            tally.count("share_refusals", 10, code="link_unknown")
            tally.observe("dropbox_call_seconds", 2, route="files/list_folder", outcome="dropbox_unavailable")
            tally.observe("dropbox_wait_seconds", 2)
            tally.observe("settle_seconds", 90, machine="leases.lease", state="done")
            tally.observe("request_seconds", 4, area="console", outcome="ok")

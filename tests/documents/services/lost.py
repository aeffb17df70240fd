"""A database that is lost, and what is said of the one that is made anew."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from core.base.clock import now
from documents import sidecars
from documents.models import Document, DocumentSidecar, DocumentVersion, OwedSidecar, Quota, ShareLink
from documents.services import documents, quotas, shares, uploads, writing
from documents.states import State
from leases.models import Lease
from storage.models import Action, IndexChange, IndexRun, StoredFile
from tests.documents.making import PDF, Files, stored, verified, worked
from tests.documents.services.test_writing import key
from tests.factories import settled

ROWS = ("documents_document", "documents_documentversion", "documents_sharelink", "documents_quota")
# Of the engine's line, which is made anew; and what the settling of links finds out by itself.
BESIDE = {
    "turn",
    "due_at",
    "rung_at",
    "claimed_until",
    "initiated_by_id",
    "owed_by_id",
    "background",
    "due_reason",
    "tries",
}
BESIDE |= {"verified_bytes", "failure_notice_id"}


def rows(*, leave: frozenset[str] = frozenset()) -> dict[str, dict[str, Any]]:
    """All that the tables say."""
    said = {}
    for table in ROWS:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT to_jsonb(it) FROM {table} it ORDER BY id")
            found = [json.loads(row) if isinstance(row, str) else row for (row,) in cursor.fetchall()]
        of_quota = {"id"} if table == "documents_quota" else set()
        said[table] = [{k: v for k, v in row.items() if k not in BESIDE | leave | of_quota} for row in found]
    for row in said["documents_document"]:
        if row["state"] == State.PENDING:  # what is owed is rung for anew
            del row["generation"]
    said["documents_quota"].sort(key=lambda row: (row["user_id"] or 0, row["agency"]))
    return {f"{table} {row.get('id', place)}": row for table, some in said.items() for place, row in enumerate(some)}


def differing(now_: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What is not as it was: of each row the columns, or that it is there once only."""
    found: dict[str, Any] = dict.fromkeys(now_.keys() ^ before.keys(), "only once")
    for name in now_.keys() & before.keys():
        columns = {k: (before[name][k], v) for k, v in now_[name].items() if before[name][k] != v}
        found |= {name: columns} if columns else {}
    return found


def lose(*, people: bool = False) -> None:
    """The tables are empty, as in a new database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for model in (DocumentSidecar, OwedSidecar, ShareLink, DocumentVersion, Quota, StoredFile, IndexRun, IndexChange):
        model.objects.all().delete()
    Document.objects.all().delete()
    OwedSidecar.objects.all().delete()
    if people:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM leases_lease; DELETE FROM auth_user_groups; DELETE FROM auth_user")
            cursor.execute("SET session_replication_role = DEFAULT")


def told(run: IndexRun) -> list[str]:
    return list(
        run.changes.filter(action=Action.ANOMALY, etag="follows").order_by("number").values_list("detail", flat=True)
    )


def reseal(files: Files, document: Document, change: Callable[[dict[str, Any]], object]) -> None:
    """Write what stands there anew, as whoever knows SECRET_KEY would."""
    payload = json.loads(files[key(document)].read_bytes())
    payload.pop("seal")
    change(payload)
    files[key(document)].write_bytes(sidecars.in_full(payload))


def house(ada: User, opal: User) -> tuple[Document, Lease]:
    """Documents in every state, with versions, links and quotas."""
    lease = settled(opal)
    first = verified(opal, lease_id=lease.pk, metadata={"page": 1.5, "of": ["ä", None]})
    uploads.add_version(document_id=first.pk, by=opal, chunks=[PDF, b"2"], length=None, name="second.pdf", why="better")
    worked(first)
    documents.restore_version(document_id=first.pk, number=1, by=opal)
    worked(first)
    documents.check_out(document_id=first.pk, by=opal)
    made = shares.make(
        document_id=first.pk, by=ada, at=now(), label="For Bob", password="long enough", downloads_at_most=3
    )
    ShareLink.objects.filter(pk=made.link.pk).update(downloads=2, last_used_at=now())
    shares.revoke(link_id=shares.make(document_id=first.pk, by=ada, at=now()).link.pk, by=ada, at=now())
    documents.change(document_id=verified(ada).pk, by=ada, is_public=True, unique_name="Known-To-All")
    gone = verified(ada, b"archived")
    documents.archive(document_id=gone.pk, by=ada)
    documents.purge(document_id=gone.pk, by=ada)
    held_back = stored(opal, b"<html>", name="a.pdf", declared_type="application/pdf")
    worked(held_back)
    stored(opal, b"pending")
    documents.cancel(document_id=stored(opal, b"stopped").pk, by=opal)
    quotas.limit(owner_id=opal.pk, limit_bytes=10**9)
    quotas.limit(agency="BLM", limit_bytes=10**10)
    writing.write_owed()
    return Document.objects.get(pk=first.pk), lease

"""What stands beside the files is written: whatever is owed, by one at a time, so that nothing older ever follows something newer.

The database itself notes what is owed, in the transaction in which something changes (see the migration). A worker that is
killed on the way leaves that note, and another one writes. So what lies in storage is at most some seconds older than the rows.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Now

from core.base.errors import RunsheetError
from documents import limits, sidecars
from documents.errors import SidecarBroken
from documents.models import DocumentSidecar, OwedSidecar, Quota
from documents.services.in_charge import require_keeping
from documents.services.receiving import STORED_AS
from statemachine import duties
from storage.backends import documents as documents_storage
from storage.backends.errors import NotFound

logger = logging.getLogger(__name__)

DUTY = "documents_sidecars"
# So many are held in memory, and written before anybody looks whether it is time to end.
AT_ONCE, NOTES_AT_ONCE = 50, 1_000
# An object store answers many at once; a disk gains little by it.
SIDE_BY_SIDE = 8
LASTS_S = 40
AGAIN_IN = timedelta(seconds=30)
# What only a person can settle.
LOOKED_AT_AGAIN_IN = timedelta(hours=6)
ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('sidecars of documents'), 0)"
# A number for each writing, before it: whoever dies in between has used it up.
NUMBERED = """
INSERT INTO documents_documentsidecar (document_id, edition)
SELECT id, 1 FROM documents_document WHERE id = ANY(%s) ORDER BY id
ON CONFLICT (document_id) DO UPDATE SET edition = documents_documentsidecar.edition + 1
RETURNING document_id, edition
"""
ANOTHERS = "Another document's sidecar lies there already. Move its folder away, or look at the list of index runs for what to do."
FROM_LATER = (
    "A later one lies there than this database has ever written, so it was restored from an old copy. "
    "Run rebuild_index with the mode sync: it brings back what is missing here."
)
PURGED = "It is gone."
FROM_NEWER = "A newer Runsheet has written the one that lies there. Upgrade this one."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of one.

    Attributes:
        why_not: only a person can settle it; empty: it was written.
        error: storage did not take it now.
    """

    why_not: str = ""
    error: RunsheetError | None = None


def ring() -> None:
    """Have what this transaction owes written once it is committed; whoever forgets to ring is made good by the duty's next time."""
    transaction.on_commit(partial(duties.ring_now, DUTY), robust=True)


@contextmanager
def alone() -> Iterator[bool]:
    """A transaction in which nobody else writes or takes away a sidecar; false if somebody else does so now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ALONE)
        yield bool(cursor.fetchone()[0])


def write_owed(*, lasts_s: float = LASTS_S) -> int:
    """Write the sidecars that are owed, for so long at most; how many.

    Raises:
        Denied, Throttled, Unavailable, FullDisk: storage does not take any now; it is tried again.
        DocumentsMove, DocumentsMoved: they are on their way to another place, where it is tried again.
    """
    until, count = monotonic() + lasts_s, 0
    while monotonic() < until:
        owed = _owed()
        if not owed:
            break
        numbers = _numbered([pk for pk in owed if pk > 0])
        with alone() as is_alone:
            if not is_alone:  # who is at it goes on until nothing is owed
                break
            require_keeping()
            outcomes = [*_documents(owed, numbers).values(), *_limits([-pk for pk in owed if pk < 0])]
        count += sum(not outcome.why_not and outcome.error is None for outcome in outcomes)
        if error := next((outcome.error for outcome in outcomes if outcome.error), None):
            raise error
        if not outcomes:  # all of it was numbered by somebody who waits for us
            break
    return count


def _owed() -> list[int]:
    """The numbers of documents, and, less than nothing, of quotas, of which something is owed; whatever has waited longest first."""
    due = OwedSidecar.objects.filter(due_at__lte=Now()).order_by("due_at")
    notes = due.values_list("document_id", "quota_id")[:NOTES_AT_ONCE]
    return list(dict.fromkeys(document or -(quota or 0) for document, quota in notes))[:AT_ONCE]


def _numbered(document_ids: Sequence[int]) -> dict[int, int]:
    if not document_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(NUMBERED, [list(document_ids)])
        return dict(cursor.fetchall())


def _documents(owed: Sequence[int], numbers: Mapping[int, int]) -> dict[int, _Outcome]:
    """Write them, in the transaction in which we are alone."""
    wanted = [pk for pk in owed if pk > 0]
    # The notes are read before the rows: whatever is noted meanwhile is written once more.
    notes: dict[int, list[int]] = {pk: [] for pk in wanted}
    for pk, document_id in OwedSidecar.objects.filter(document_id__in=wanted).values_list("pk", "document_id"):
        notes[document_id or 0].append(pk)
    said = sidecars.of(wanted)
    current = dict(DocumentSidecar.objects.filter(pk__in=wanted).values_list("pk", "edition"))
    # Somebody else has numbered it since, and writes what we would, or something newer.
    ours = {pk: each for pk, each in said.items() if current.get(pk) == numbers.get(pk)}
    outcomes = _side_by_side({pk: partial(_write, each, edition=current[pk]) for pk, each in ours.items()})
    _note_down(outcomes, notes)
    gone = set(wanted) - set(said)
    _forget(gone, notes)
    return outcomes | {pk: _Outcome(why_not=PURGED) for pk in gone}


def _limits(quota_ids: Sequence[int]) -> list[_Outcome]:
    """The same for how much room somebody has."""
    notes = list(OwedSidecar.objects.filter(quota_id__in=quota_ids).values_list("pk", flat=True))
    quotas = list(Quota.objects.filter(pk__in=quota_ids).select_related("user"))
    outcomes = list(_side_by_side({quota.pk: partial(_write_limit, quota, quota.user) for quota in quotas}).values())
    if any(each.error for each in outcomes):
        OwedSidecar.objects.filter(pk__in=notes).update(due_at=Now() + AGAIN_IN)
    else:
        OwedSidecar.objects.filter(pk__in=notes).delete()
    return outcomes if quotas else [_Outcome(why_not=PURGED)] * bool(notes)


def _write_limit(quota: Quota, person: User | None) -> _Outcome:
    try:
        if quota.limit_bytes is None:
            documents_storage().delete(limits.key_of(user_id=quota.user_id, agency=quota.agency))
        else:
            said = limits.of(quota, person)
            documents_storage().put(said.key, [sidecars.in_full(said.model_dump(mode="json"))], content_type=STORED_AS)
    except RunsheetError as error:
        return _Outcome(error=error)
    return _Outcome()


def _side_by_side(work: "Mapping[int, partial[_Outcome]]") -> dict[int, _Outcome]:
    """None of it asks the database."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(work, pool.map(lambda each: each(), work.values()), strict=True))


def _write(said: sidecars.Said, *, edition: int) -> _Outcome:
    key = sidecars.key_of(owner_id=said.document.owner_id, document_id=said.document.id)
    storage = documents_storage()
    try:
        why_not = _stands_there(said, key, edition=edition)
        if not why_not:
            storage.put(key, [sidecars.written(said, edition=edition)], content_type=STORED_AS)
    except SidecarBroken as error:  # too large
        return _Outcome(why_not=str(error))
    except RunsheetError as error:
        return _Outcome(error=error)
    return _Outcome(why_not=why_not)


def _stands_there(said: sidecars.Said, key: str, *, edition: int) -> str:
    """Why what lies there may not be replaced; empty: it may."""
    try:
        lies = sidecars.glimpse(documents_storage().read(key, end=sidecars.AT_MOST_BYTES + 1))
    except NotFound:
        return ""
    if lies is None:  # broken; the rows say what was there
        return ""
    if lies.uuid != str(said.uuid):
        return ANOTHERS
    if lies.is_newer:
        return FROM_NEWER
    return FROM_LATER if lies.is_sealed and lies.edition >= edition else ""


def _note_down(outcomes: Mapping[int, _Outcome], notes: Mapping[int, Sequence[int]]) -> None:
    """What was written is not owed any more; the rest is tried again, or waits for somebody."""
    done = [note for pk, each in outcomes.items() if not each.why_not and each.error is None for note in notes[pk]]
    OwedSidecar.objects.filter(pk__in=done).delete()
    later = [note for pk, each in outcomes.items() if each.error for note in notes[pk]]
    if later:
        OwedSidecar.objects.filter(pk__in=later).update(due_at=Now() + AGAIN_IN)
    DocumentSidecar.objects.filter(pk__in=list(outcomes)).exclude(why_not="").update(why_not="")
    for pk, each in outcomes.items():
        if each.why_not:
            logger.warning("not written: the sidecar of document %s. %s", pk, each.why_not)
            DocumentSidecar.objects.filter(pk=pk).update(why_not=each.why_not[:300])
            OwedSidecar.objects.filter(pk__in=notes[pk]).update(due_at=Now() + LOOKED_AT_AGAIN_IN)


def _forget(gone: set[int], notes: Mapping[int, Sequence[int]]) -> None:
    """Of documents that were purged nothing is written."""
    if gone:
        OwedSidecar.objects.filter(pk__in=[note for pk in gone for note in notes[pk]]).delete()
        DocumentSidecar.objects.filter(pk__in=gone).delete()

"""What is left over is taken away: uploads that have died, bytes to which no row stands, documents that are to go for good."""

import logging
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from core.base.clock import now
from documents import sidecars
from documents.models import Document, DocumentVersion, Leftover, Upload
from documents.services import quotas, writing
from documents.services.documents import used_by
from documents.services.in_charge import may_delete
from documents.services.receiving import TOUCHED_EVERY_S, drop
from documents.states import State
from storage.backends import documents as documents_storage
from storage.backends.errors import Denied, Exists

logger = logging.getLogger(__name__)

# Whoever is alive says so every minute, and waits for storage at most some minutes after the last byte.
DEAD_AFTER_S = 60 * TOUCHED_EVERY_S
# What is known of bytes of an upload that was taken for dead: whoever sends them may still be at it.
KEPT_HOURS = 24
AT_ONCE = 500


def drop_dead_uploads() -> int:
    """Give back the room of uploads that stand still; how many. Their bytes go a day later."""
    dead = Upload.objects.filter(
        touched_at__lt=now() - timedelta(seconds=DEAD_AFTER_S),
        partial__isnull=True,  # these may stand still (documents.services.finishing)
    ).order_by("touched_at")
    dropped = 0
    for upload_id, key in dead.values_list("pk", "key")[:AT_ONCE]:
        with transaction.atomic():
            if drop(upload_id):
                Leftover.objects.filter(key=key).update(due_at=now() + timedelta(hours=KEPT_HOURS))
                dropped += 1
    return dropped


def sweep() -> int:
    """Delete bytes that are left over; how many files. What storage will not let go of now is tried again next time.

    Raises:
        Denied, Exists: of some it will never; these wait for a day, and the others are gone.
        Throttled, Unavailable: it does not do so at present.
    """
    swept, never = 0, None
    for leftover in Leftover.objects.filter(due_at__lte=Now()).order_by("due_at")[:AT_ONCE]:
        try:
            if not _taken_away(leftover):
                return swept  # they are moved, or somebody writes beside them; whatever is left over waits for that
        except (Denied, Exists) as error:
            never = never or error
            Leftover.objects.filter(pk=leftover.pk).update(due_at=now() + timedelta(hours=KEPT_HOURS))
            continue
        swept += 1
    if never:
        raise never
    return swept


def _taken_away(leftover: Leftover) -> bool:
    """Delete what lies there, if nothing stands on it; false if that has to wait."""
    with writing.alone() as is_alone:  # who has read the rows before they went might write what they said only now
        if not is_alone or not may_delete():
            return False
        if not _is_stood_on(leftover.key):
            documents_storage().delete(leftover.key)
        leftover.delete()
    return True


def _is_stood_on(key: str) -> bool:
    folder = sidecars.folder_of(key)
    if folder:
        return Document.objects.filter(owner=folder[0], pk=folder[1]).exists()
    return DocumentVersion.objects.filter(key=key).exists()


def purge_due() -> int:
    """Delete the documents for good whose grace is over; how many. Their rows go first, and leave word of their bytes.

    Raises:
        DatabaseError: of one it will not have that; the others are gone.
    """
    due = Document.objects.filter(purge_at__lte=Now(), state=State.ARCHIVED).order_by("purge_at")
    purged, wrong = 0, None
    for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            purged += _purge(pk)
        except DatabaseError as error:
            wrong = wrong or error
    if wrong:
        raise wrong
    return purged


def _purge(pk: int) -> int:
    with transaction.atomic():
        due = Document.objects.select_for_update(skip_locked=True, of=("self",))
        # Somebody may have thought better of it just now.
        document = due.filter(pk=pk, purge_at__lte=Now(), state=State.ARCHIVED).first()
        if document is None:
            return 0
        every_key = list(document.versions.values_list("key", flat=True))
        keys = {*every_key, sidecars.key_of(owner_id=document.owner_id, document_id=pk)}
        size, owner_id, agency = used_by(document), document.owner_id, document.charged_agency
        Leftover.objects.bulk_create([Leftover(key=key) for key in keys], ignore_conflicts=True)
        document.delete()
        quotas.free(owner_id=owner_id, agency=agency, size=size)
        quotas.free_versions(owner_id=owner_id, count=len(every_key))
    logger.info("purged: document %s of user %s, %s files, %s bytes", pk, owner_id, len(keys) - 1, size)
    return 1

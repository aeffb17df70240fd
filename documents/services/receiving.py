"""Bytes on their way into storage: counted, bounded, hashed, and with room kept for them ahead."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core.base.preparations import preparing
from core.base.sizes import size_text
from documents.errors import BodyIncomplete, DigestMismatch, DocumentTooLarge, UploadLapsed
from documents.models import Leftover, Quota, Upload
from documents.services import quotas
from documents.services.in_charge import may_delete, require_beginning, require_keeping
from storage.backends import documents as documents_storage
from storage.backends.errors import Exists

logger = logging.getLogger(__name__)

# Where nobody has said how much will come, so much room is kept at once.
STEP_BYTES = 8 * 1024 * 1024
# So often it is said that something still comes.
TOUCHED_EVERY_S = 60
# What a browser shows is told by whoever hands it out, never by the place where it lies.
STORED_AS = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What was said of the bytes before they came.

    Attributes:
        length: None: nothing was.
        sha256: in hexadecimal digits; None: nothing was.
    """

    length: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What has come."""

    size: int
    sha256: str


@preparing()
def begin(*, key: str, owner_id: int, agency: str, length: int | None) -> Upload:
    """Keep room for what is to come.

    Raises:
        DocumentTooLarge: it would be larger than a document may be.
        QuotaExceeded, TooManyVersions: there is no room for it.
        DocumentsMove, DocumentsMoved: nothing is stored here now.
    """
    require_size(length or 0)
    with transaction.atomic():
        require_beginning()
        # Nobody sends for an hour what is refused in the end; that it still fits is seen then, under the lock.
        quotas.require_count(Quota.objects.filter(user_id=owner_id).first() or Quota())
        kept = quotas.reserve(owner_id=owner_id, agency=agency, size=length) if length else 0
        return Upload.objects.create(key=key, owner_id=owner_id, agency=agency, reserved_bytes=kept)


@preparing()
def receive(upload: Upload, chunks: Iterable[bytes], announced: Announced) -> Arrived:
    """Put the bytes where the upload says, all of them or none.

    Raises:
        DocumentTooLarge, QuotaExceeded, BodyIncomplete, DigestMismatch, UploadLapsed: nothing is to be kept.
        Exists: something else lies there, which stays.
        Denied, Throttled, Unavailable, FullDisk: storage did not take it.
    """
    incoming = Incoming(upload, chunks, length=announced.length)
    try:
        written = documents_storage().put(upload.key, incoming, exclusive=True, content_type=STORED_AS)
    except Exists:
        drop(upload.pk, left_bytes=False)  # what lies there is somebody else's, and no leftover of this
        raise
    if announced.sha256 is not None and written.sha256 != announced.sha256.lower():
        raise DigestMismatch
    return Arrived(size=written.size, sha256=written.sha256)


def settle(upload: Upload, *, used: int) -> None:
    """The bytes have their version: what was kept for them is used now, and the upload is over.

    Raises:
        UploadLapsed: a duty took it for dead, and its room was given to others.
        DocumentsMove, DocumentsMoved: where it was put nobody will look for it.
    """
    require_keeping()
    found = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    if found is None:
        raise UploadLapsed
    found.delete()
    quotas.settle(owner_id=found.owner_id, agency=found.agency, reserved=found.reserved_bytes, used=used)


@preparing()
def give_up(upload: Upload) -> None:
    """Let go of the room, and of what may lie in storage by now; what cannot be done now a duty does later.

    Nothing is touched once the upload has its version, even if nobody was told that this was committed.
    """
    try:
        if not drop(upload.pk):
            return
        with transaction.atomic():
            if may_delete():
                documents_storage().delete(upload.key)
                Leftover.objects.filter(key=upload.key).delete()
    except Exception:
        # Why it came to nothing is what the caller tells; this is about what is left of it.
        logger.exception("left for the duty: upload %s", upload.key)


def drop(upload_id: int, *, left_bytes: bool = True) -> bool:
    """Turn an upload that came to nothing into bytes that are left over; whether it was there still.

    Args:
        left_bytes: none can lie there that are its own, if not.
    """
    with transaction.atomic():
        upload = Upload.objects.select_for_update().filter(pk=upload_id).first()
        if upload is None:
            return False
        upload.delete()
        quotas.release(owner_id=upload.owner_id, agency=upload.agency, size=upload.reserved_bytes)
        if left_bytes:
            Leftover.objects.create(key=upload.key)
    return True


def require_size(size: int) -> None:
    """Go on only if a document may be so large.

    Raises:
        DocumentTooLarge: it may not.
    """
    if size > settings.DOCUMENTS_LARGEST_BYTES:
        largest = size_text(settings.DOCUMENTS_LARGEST_BYTES)
        raise DocumentTooLarge(f"A document has at most {largest}. Split the file, or ask an administrator.")


class Incoming:
    """The bytes as they come, which can be had once.

    Attributes:
        size: how many have come so far.
    """

    def __init__(self, upload: Upload, chunks: Iterable[bytes], *, length: int | None) -> None:
        self._upload = upload
        self._chunks = chunks
        self._length = length
        self._kept = upload.reserved_bytes
        self._touched = monotonic()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        """Raises:
        DocumentTooLarge, QuotaExceeded, BodyIncomplete, UploadLapsed: no more is wanted.
        """
        for chunk in self._chunks:
            self.size += len(chunk)
            require_size(self.size)
            if self._length is not None and self.size > self._length:
                raise BodyIncomplete("More bytes have come than were announced, so nothing of them was kept.")
            self._keep_room()
            yield chunk
        if self._length is not None and self.size != self._length:
            raise BodyIncomplete(
                f"Only {self.size:,} of {self._length:,} bytes have come, so nothing of them was kept. Send the file again."
            )

    def _keep_room(self) -> None:
        if self.size > self._kept:
            self._reserve(self.size - self._kept)
        elif monotonic() - self._touched > TOUCHED_EVERY_S:
            self._touch(0)

    def _reserve(self, needed: int) -> None:
        upload = self._upload
        with transaction.atomic():
            # The upload before the quotas, as everywhere.
            if not Upload.objects.select_for_update().filter(pk=upload.pk).exists():
                raise UploadLapsed
            more = quotas.reserve(owner_id=upload.owner_id, agency=upload.agency, size=needed, gladly=STEP_BYTES)
            self._touch(more)
        self._kept += more

    def _touch(self, more: int) -> None:
        mine = Upload.objects.filter(pk=self._upload.pk)
        if not mine.update(touched_at=Now(), reserved_bytes=F("reserved_bytes") + more):
            raise UploadLapsed
        self._touched = monotonic()

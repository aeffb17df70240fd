"""Bytes that come in several requests: what is told to be kept is safe, whoever is killed and whatever breaks off.

Each request that goes on with an upload takes its turn from whoever had it before: a connection that has died does not know it, and must
keep nobody from going on. Whoever has lost their turn writes nothing any more.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from core.base.clock import now
from core.base.errors import RunsheetError
from core.base.preparations import preparing
from documents.errors import (
    BodyIncomplete,
    OffsetConflict,
    PartsGone,
    TooManyPieces,
    TooManyUploads,
    UploadDone,
    UploadOver,
    UploadOvertaken,
    UploadTooLong,
    UploadUnknown,
)
from documents.hashing import resumed
from documents.models import Document, PartialPiece, PartialUpload, Stage, Upload
from documents.models.partials import UNFINISHED
from documents.names import checked_metadata
from documents.receiving import BodyTooSlow
from documents.services import quotas
from documents.services.receiving import drop, require_size
from documents.services.rights import ADD, require_change
from documents.services.uploads import Place, Said, new_place, next_place
from statemachine.rights import require
from statemachine.transitions import locked
from storage.backends import documents as documents_storage
from storage.backends.errors import NotFound
from storage.backends.stored import PIECE_BYTES, KeptPart

# So many unfinished ones a person may have: each may keep room, and each may have parts in storage.
UNFINISHED_AT_MOST = 100
# Each is an object of its own in most stores, and no store makes a file of any number of them.
PIECES_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said of the file before its bytes.

    Attributes:
        name: empty: as the document is called that gets another version.
        sha256: in hexadecimal digits; empty: it was not said.
        as_sent: all of it, in the words of whoever sends it.
    """

    name: str
    declared_type: str = ""
    why: str = ""
    lease_id: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    as_sent: str = ""


def begin(*, by: User, length: int, told: Told) -> PartialUpload:
    """Keep room for a document whose bytes come later.

    Raises:
        TransitionForbidden, TooManyUploads, InvalidName, InvalidMetadata, InvalidWhy, LeaseUnknown, DocumentTooLarge, QuotaExceeded:
            nothing was kept.
    """
    require(by, ADD)
    said = Said.checked(name=told.name, declared_type=told.declared_type, why=told.why)
    metadata = checked_metadata(told.metadata)
    require_size(length)
    place = new_place(by=by, name=said.name, lease_id=told.lease_id)
    return _begun(by=by, length=length, told=told, said=said, place=place, metadata=metadata)


def begin_version(
    *, document_id: int, by: User, length: int, told: Told, generation: int | None = None
) -> PartialUpload:
    """Keep room for another version of a document, whose bytes come later.

    Args:
        generation: what the person saw; whoever changes it until the last byte has come is not overrun.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: it may not be.
        TooManyUploads, InvalidName, InvalidWhy, DocumentTooLarge, QuotaExceeded: nothing was kept.
    """
    require_size(length)
    said, place = next_place(
        document_id=document_id,
        by=by,
        name=told.name or None,
        declared_type=told.declared_type,
        why=told.why,
        generation=generation,
    )
    return _begun(by=by, length=length, told=told, said=said, place=place, generation=generation)


def of(*, upload_id: UUID, by: User) -> PartialUpload:
    """One's own upload, however far it has come.

    Raises:
        UploadUnknown: there is none, or it is somebody else's.
        UploadOver: it has come to nothing.
    """
    found = PartialUpload.objects.filter(pk=upload_id, owner=by).first()
    if found is None:
        raise UploadUnknown
    if found.stage == Stage.OVER or (found.stage == Stage.RECEIVING and found.expires_at <= now()):
        raise UploadOver(evidence={"why": found.why_over})
    return found


def append(
    *, upload_id: UUID, by: User, offset: int, chunks: Iterable[bytes], length: int | None, is_checked: bool = False
) -> PartialUpload:
    """Go on with an upload; what has come so far is kept, also where the rest does not come.

    Args:
        chunks: what they raise is passed on.
        length: how many bytes they say they have; None: it is not known.
        is_checked: at their end it is known whether they are what was meant; nothing of them is kept before.

    Raises:
        UploadUnknown, UploadOver, TransitionForbidden, NotYourDocument, CheckedOut: it may not be gone on with.
        OffsetConflict, UploadTooLong: nothing was kept.
        UploadOvertaken: somebody else goes on with it; what was kept before is theirs.
        TooManyPieces, PartsGone: begin a new one.
        Denied, Throttled, Unavailable, FullDisk: storage does not take it; what was kept before stays.
    """
    partial = _taken(upload_id, by=by, offset=offset, length=length)
    if partial.stage == Stage.RECEIVING:
        _Writing(partial, is_checked=is_checked).write(chunks)
    return partial


def end(*, upload_id: UUID, by: User) -> None:
    """Let go of an upload and of all that was kept of it.

    Raises:
        UploadUnknown, UploadOver: there is none.
        UploadDone: it has its document, or is about to have it.
    """
    of(upload_id=upload_id, by=by)
    with transaction.atomic():
        partial = PartialUpload.objects.select_for_update().get(pk=upload_id)
        if partial.stage in {Stage.DONE, Stage.ARRIVED}:
            raise UploadDone
        over(partial, why="ended")
    clear_gladly(partial)


def give_up(partial: PartialUpload) -> None:
    """Let go of one that was begun in vain: nothing of it has come."""
    with transaction.atomic():
        mine = PartialUpload.objects.select_for_update().filter(pk=partial.pk, stage__in=UNFINISHED, received=0)
        found = mine.first()
        if found:
            over(found, why="ended")
    clear_gladly(partial)


def over(partial: PartialUpload, *, why: str) -> None:
    """It comes to nothing: its room is given back, in the transaction that is open. The row is locked."""
    if partial.upload_id is not None:
        drop(partial.upload_id, left_bytes=False)
    PartialUpload.objects.filter(pk=partial.pk).update(
        stage=Stage.OVER, why_over=why, upload=None, finishing_until=None, expires_at=remembered_until()
    )


def clear(partial: PartialUpload) -> None:
    """Take away what was kept of one that is done or over.

    Raises:
        Denied, Throttled, Unavailable: storage does not let it go now; a duty tries it again.
    """
    documents_storage().drop_parts(partial.key, of=str(partial.pk))
    with transaction.atomic():
        PartialPiece.objects.filter(partial=partial).delete()
        PartialUpload.objects.filter(pk=partial.pk).update(is_cleared=True)


def clear_gladly(partial: PartialUpload) -> None:
    """The same, if it can be done now; else a duty does it."""
    with suppress(RunsheetError):
        clear(partial)


def expires_at() -> datetime:
    """When an upload is over of which nothing comes from now on."""
    return now() + timedelta(hours=settings.DOCUMENTS_UPLOAD_HOURS)


def remembered_until() -> datetime:
    """For so long it is told what has become of an upload."""
    return now() + timedelta(hours=settings.DOCUMENTS_UPLOAD_HOURS)


def _begun(
    *,
    by: User,
    length: int,
    told: Told,
    said: Said,
    place: Place,
    metadata: dict[str, Any] | None = None,
    generation: int | None = None,
) -> PartialUpload:
    with transaction.atomic():
        quotas.held(owner_id=by.pk, agency="")  # so that nobody counts while another one is added
        if PartialUpload.objects.filter(owner=by, stage__in=UNFINISHED).count() >= UNFINISHED_AT_MOST:
            raise TooManyUploads
        kept = quotas.reserve(owner_id=place.owner_id, agency=place.agency, size=length) if length else 0
        upload = Upload.objects.create(key=place.key, owner_id=place.owner_id, agency=place.agency, reserved_bytes=kept)
        return PartialUpload.objects.create(
            owner=by,
            upload=upload,
            key=place.key,
            length=length,
            stage=Stage.RECEIVING if length else Stage.ARRIVED,
            metadata_sent=told.as_sent,
            name=said.name,
            declared_type=said.declared_type,
            why=said.why,
            metadata=metadata or {},
            lease_number=told.lease_id,
            sha256=told.sha256.lower(),
            document_number=place.document_id,
            version_number=place.number,
            revision=place.revision,
            generation=generation,
            expires_at=expires_at(),
        )


def _taken(upload_id: UUID, *, by: User, offset: int, length: int | None) -> PartialUpload:
    """The upload, whose turn is the caller's from now on."""
    of(upload_id=upload_id, by=by)
    _require_right(upload_id, by=by)
    with transaction.atomic():
        partial = PartialUpload.objects.select_for_update().get(pk=upload_id)
        if partial.stage == Stage.OVER:
            raise UploadOver
        if offset != partial.received:
            raise OffsetConflict(
                f"The upload goes on at byte {partial.received:,}, not at {offset:,}. Send from there."
            )
        if offset + (length or 0) > partial.length:
            raise UploadTooLong
        if PartialPiece.objects.filter(partial=partial).count() >= PIECES_AT_MOST:
            raise TooManyPieces
        partial.turn += 1
        PartialUpload.objects.filter(pk=partial.pk).update(turn=partial.turn)
    return partial


def _require_right(upload_id: UUID, *, by: User) -> None:
    """Whoever has lost the right since they began goes on with nothing."""
    partial = PartialUpload.objects.get(pk=upload_id)
    if partial.is_of_new_document:
        require(by, ADD)
        return
    with preparing(), locked(Document, partial.document_number) as document:
        require_change(document, by=by)


class _Writing:
    """One request's bytes, as they are kept."""

    def __init__(self, partial: PartialUpload, *, is_checked: bool) -> None:
        self._partial = partial
        self._is_checked = is_checked
        self._position = partial.received
        self._parts: list[KeptPart] = []
        self._hash = resumed(bytes(partial.hash_state))

    def write(self, chunks: Iterable[bytes]) -> None:
        """Raises: see `append`."""
        try:
            self._write(chunks)
        except BaseException:
            for each in self._parts:  # nobody was told that these are kept
                documents_storage().forget_part(each)
            raise

    def _write(self, chunks: Iterable[bytes]) -> None:
        held = bytearray()
        try:
            for chunk in chunks:
                held += chunk
                if self._position + len(held) > self._partial.length:
                    held.clear()
                    raise UploadTooLong
                while len(held) >= PIECE_BYTES:
                    self._keep(bytes(held[:PIECE_BYTES]))
                    del held[:PIECE_BYTES]
        except (BodyIncomplete, BodyTooSlow):  # what has come may be all that ever does
            if not self._is_checked and held:
                self._keep(bytes(held))
            raise
        if held:
            self._keep(bytes(held))
        if self._is_checked:
            self._fenced(lambda: None)

    def _keep(self, chunk: bytes) -> None:
        storage = documents_storage()

        def put() -> None:
            try:
                kept = storage.keep_part(self._partial.key, chunk, of=str(self._partial.pk), start=self._position)
            except NotFound as error:
                raise PartsGone from error
            self._parts.append(kept)

        if storage.PARTS_ARE_APART:
            put()
        self._hash.update(chunk)
        self._fenced(None if storage.PARTS_ARE_APART else put, size=len(chunk), is_told=not self._is_checked)
        self._position += len(chunk)

    def _fenced(self, put: Callable[[], None] | None, *, size: int = 0, is_told: bool = True) -> None:
        """Write, and say what is kept now, as long as it is this one's turn."""
        partial = self._partial
        with transaction.atomic():
            mine = PartialUpload.objects.select_for_update().filter(
                pk=partial.pk, turn=partial.turn, stage=Stage.RECEIVING
            )
            if not mine.first():
                raise UploadOvertaken
            if put:
                put()
            if is_told:
                self._tell(self._position + size)

    def _tell(self, received: int) -> None:
        partial = self._partial
        PartialPiece.objects.bulk_create(
            PartialPiece(partial=partial, name=each.name, start=each.start, size=each.size)
            for each in self._parts
            if each.name
        )
        self._parts.clear()
        partial.received = received
        partial.hash_state = self._hash.serialize()
        partial.stage = Stage.ARRIVED if received == partial.length else Stage.RECEIVING
        partial.expires_at = expires_at()
        partial.save(update_fields=["received", "hash_state", "stage", "expires_at"])
        Upload.objects.filter(partial=partial).update(touched_at=Now())

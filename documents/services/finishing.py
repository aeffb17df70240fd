"""Uploads whose bytes are all there become versions; those of which nothing comes any more are let go, and what is left of any is taken away."""

import logging
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from core.base.clock import now
from core.base.errors import Refused, RunsheetError
from core.http import transfers
from documents.errors import DigestMismatch, PartsGone
from documents.hashing import resumed
from documents.models import Document, Leftover, PartialUpload, Stage, Upload
from documents.services import uploads
from documents.services.partial import clear, clear_gladly, over, remembered_until
from documents.services.receiving import STORED_AS, Arrived
from documents.services.rights import ADD
from documents.services.uploads import Place, Said
from statemachine.rights import require
from storage.backends import documents as documents_storage
from storage.backends.errors import Exists, NotFound
from storage.backends.stored import KeptPart

logger = logging.getLogger(__name__)

# Longer than any store takes over what it does within itself. Who comes then finds what was begun, and ends it.
FINISHES_WITHIN_S = 120
AT_ONCE = 200


def finish(upload_id: UUID) -> Document | None:
    """Make the version of an upload that has arrived; None: somebody is at it, or it is no upload that has.

    Raises:
        Refused: there can be none any more, and the upload is over.
        Denied, Throttled, Unavailable, FullDisk: storage does not do it now; a duty tries it again.
    """
    partial = _claimed(upload_id)
    if partial is None:
        return None
    try:
        document = _finished(partial)
    except Refused as refused:
        _refuse(partial, refused)
        raise
    except BaseException:
        PartialUpload.objects.filter(pk=upload_id, stage=Stage.ARRIVED).update(finishing_until=None)
        raise
    clear_gladly(partial)
    return document


def finish_arrived() -> int:
    """The same for whatever nobody is at, since its process was killed or storage was away; how many.

    Raises:
        RunsheetError: of one it was not to be had now; the others were tried.
    """
    waiting = PartialUpload.objects.filter(_free(), stage=Stage.ARRIVED).order_by("created_at")
    count, wrong = 0, None
    for upload_id in list(waiting.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            count += finish(upload_id) is not None
        except Refused as refused:
            logger.info("upload %s came to nothing: %s", upload_id, refused.code)
        except RunsheetError as error:
            wrong = wrong or error
    if wrong:
        raise wrong
    return count


def expire() -> int:
    """Let go of uploads of which nothing has come for too long, and forget those that are long over; how many."""
    late = PartialUpload.objects.filter(expires_at__lte=now())
    count = 0
    for upload_id in list(late.filter(stage=Stage.RECEIVING).values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            partial = late.filter(pk=upload_id, stage=Stage.RECEIVING).select_for_update().first()
            if partial is not None:
                over(partial, why="expired")
                count += 1
    late.filter(stage__in=[Stage.DONE, Stage.OVER], is_cleared=True).delete()
    return count


def clear_all() -> int:
    """Take away what is left of parts of uploads that are done or over; how many.

    Raises:
        RunsheetError: of one storage does not let it go now; the others were tried.
    """
    left = PartialUpload.objects.filter(stage__in=[Stage.DONE, Stage.OVER], is_cleared=False).order_by("created_at")
    count, wrong = 0, None
    for partial in left[:AT_ONCE]:
        try:
            clear(partial)
            count += 1
        except RunsheetError as error:
            wrong = wrong or error
    if wrong:
        raise wrong
    return count


def _free() -> Q:
    return Q(finishing_until=None) | Q(finishing_until__lte=now())


def _claimed(upload_id: UUID) -> PartialUpload | None:
    mine = PartialUpload.objects.filter(_free(), pk=upload_id, stage=Stage.ARRIVED)
    until = now() + timedelta(seconds=FINISHES_WITHIN_S)
    return PartialUpload.objects.get(pk=upload_id) if mine.update(finishing_until=until) else None


def _finished(partial: PartialUpload) -> Document:
    by = User.objects.get(pk=partial.owner_id)  # with the rights of now
    arrived = Arrived(size=partial.length, sha256=resumed(bytes(partial.hash_state)).finalize())
    if partial.sha256 and partial.sha256 != arrived.sha256:
        raise DigestMismatch
    if partial.is_of_new_document:
        require(by, ADD)
    _join(partial, arrived)
    with transaction.atomic():
        # Before what is locked for the version, as everywhere.
        found = PartialUpload.objects.select_for_update().get(pk=partial.pk)
        if found.document is not None:  # whoever was taken for dead was not
            return found.document
        document = _made(partial, arrived, by=by)
        PartialUpload.objects.filter(pk=partial.pk).update(
            stage=Stage.DONE, document=document, upload=None, finishing_until=None, expires_at=remembered_until()
        )
    return document


def _join(partial: PartialUpload, arrived: Arrived) -> None:
    """Put all of it where it belongs. What lies there already may be of one who was killed at just this.

    Raises:
        Exists: it is something else.
        PartsGone: not all of it is there any more.
    """
    storage, of = documents_storage(), str(partial.pk)
    pieces = [KeptPart(each.name, each.start, each.size) for each in partial.pieces.order_by("start")]
    try:
        if not partial.length:
            storage.put(partial.key, [], exclusive=True, content_type=STORED_AS)
        else:
            storage.join(partial.key, pieces or [KeptPart("", 0, partial.length)], of=of, alive=transfers.moved)
    except Exists:
        if _sha256_of(partial.key) != arrived.sha256:
            raise
    except NotFound as error:
        raise PartsGone from error


def _sha256_of(key: str) -> str:
    found = sha256()
    for chunk in documents_storage().stream(key):
        transfers.moved()
        found.update(chunk)
    return found.hexdigest()


def _made(partial: PartialUpload, arrived: Arrived, *, by: User) -> Document:
    upload = Upload.objects.filter(partial=partial).first() or Upload(key=partial.key)  # settled: UploadLapsed
    said = Said(name=partial.name, declared_type=partial.declared_type, why=partial.why)
    if partial.is_of_new_document:
        return uploads.make(
            partial.document_number,
            upload,
            arrived,
            by=by,
            said=said,
            metadata=partial.metadata,
            lease_id=partial.lease_number,
        )
    place = Place(
        key=partial.key,
        document_id=partial.document_number,
        number=partial.version_number,
        owner_id=upload.owner_id,
        agency=upload.agency,
        revision=partial.revision,
    )
    return uploads.add(place, upload, arrived, by=by, said=said, generation=partial.generation).document


def _refuse(partial: PartialUpload, refused: Refused) -> None:
    """It is over; the bytes of it may lie where they were to belong by now, unless these are somebody else's."""
    with transaction.atomic():
        found = PartialUpload.objects.select_for_update().filter(pk=partial.pk, stage=Stage.ARRIVED).first()
        if found is None:
            return
        over(found, why=refused.code)
        if not isinstance(refused, Exists):
            Leftover.objects.get_or_create(key=partial.key)
    clear_gladly(partial)

"""What can go wrong with a document. What back-ends say stands in `storage.backends.errors`."""

from http import HTTPStatus
from typing import Any

from core.base.errors import RECORD, SYSTEM, Permanent, Refused, Remedy, Temporary

SEE_RECORD = Remedy(label="Look at {record}", where=RECORD, rights=("documents.view_document",))
SEE_SYSTEM = Remedy(label="See what the system lacks", where=SYSTEM, rights=("statemachine.use_queues",))


class InvalidDocument(Refused):
    """What is said of the document cannot be kept as it is."""

    code = "invalid_document"


class InvalidName(InvalidDocument):
    """A document's name has 1 to 200 characters, and none of them is a slash or a control character."""

    code = "invalid_name"
    field = "name"


class InvalidMetadata(InvalidDocument):
    """The metadata of a document is one object in JSON, like {"book": 12}, of at most 16,384 bytes and five levels."""

    code = "invalid_metadata"
    field = "metadata"


class InvalidWhy(InvalidDocument):
    """What is said as the reason holds a character that the database cannot keep. Write it in plain text."""

    code = "invalid_why"
    field = "why"


class InvalidUniqueName(InvalidDocument):
    """A unique name has 3 to 80 letters without accents, digits and hyphens, and begins and ends with a letter or digit."""

    code = "invalid_unique_name"
    field = "unique_name"


class UniqueNameTaken(Refused):
    """Another document has this unique name already; upper and lower case are the same. Take another one."""

    code = "unique_name_taken"
    status = HTTPStatus.CONFLICT
    field = "unique_name"


class LeaseUnknown(Refused):
    """There is no such lease. Give the number that stands in the address of its page, and in its “id” for programs."""

    code = "lease_unknown"
    field = "lease"


class NotYourDocument(Refused):
    """This document is somebody else's. Ask them, or an administrator."""

    code = "not_your_document"
    status = HTTPStatus.FORBIDDEN


class VersionUnknown(Refused):
    """The document has no such version. Look at the list of its versions."""

    code = "version_unknown"
    status = HTTPStatus.NOT_FOUND


class NotServed(Refused):
    """This version has not been verified yet. Wait until the document is active."""

    code = "version_not_verified"
    status = HTTPStatus.CONFLICT


class HeldBack(Refused):
    """This version is held back: the page of the document says what was found in it, and what can be done."""

    code = "version_held_back"
    status = HTTPStatus.CONFLICT


class CheckedOut(Refused):
    """Somebody has checked this document out. Wait until it is checked in."""

    code = "checked_out"
    status = HTTPStatus.CONFLICT


class NoCopy(Refused):
    """No other version has the same bytes. Put the file back from a backup, or take what lies there as a new version."""

    code = "no_copy"
    status = HTTPStatus.CONFLICT


class NotArchived(Refused):
    """Only an archived document can be purged. Archive it first."""

    code = "not_archived"
    status = HTTPStatus.CONFLICT


class DocumentTooLarge(Refused):
    """The file is larger than a document may be. Split it, or ask an administrator."""

    code = "document_too_large"
    status = HTTPStatus.CONTENT_TOO_LARGE


class QuotaExceeded(Refused):
    """The space for documents is used up. Have deleted for good what is not needed any more, or ask an administrator for more."""

    code = "quota_exceeded"
    status = HTTPStatus.INSUFFICIENT_STORAGE


class TooManyVersions(Refused):
    """You have as many versions of documents as one person may have. Have deleted for good what is not needed any more."""

    code = "too_many_versions"
    status = HTTPStatus.INSUFFICIENT_STORAGE


class BodyIncomplete(Refused):
    """The file has not arrived as it was announced, so nothing of it was kept. Send it again."""

    code = "body_incomplete"


class DigestMismatch(Refused):
    """The file has arrived with another checksum than was announced, so nothing of it was kept. Send it again."""

    code = "digest_mismatch"


class UploadLapsed(Refused):
    """The upload stood still for too long, so nothing of it was kept. Send the file again."""

    code = "upload_lapsed"
    status = HTTPStatus.CONFLICT


# --- What stands beside the files ------------------------------------------------------------------------------------


class SidecarRefused(Refused):
    """What stands beside the files of a document is not believed, so nothing was made of it."""

    code = "sidecar_refused"


class SidecarBroken(SidecarRefused):
    """What stands beside the files of a document cannot be read. Put a whole copy of it there, then look again."""

    code = "sidecar_broken"


class SidecarNewer(SidecarRefused):
    """What stands beside the files of a document was written by a newer Runsheet. Upgrade this one, then look again."""

    code = "sidecar_newer"


class SidecarElsewhere(SidecarRefused):
    """What stands beside the files speaks of another folder. Put it back where it was, then look again."""

    code = "sidecar_elsewhere"


class DocumentsMove(Temporary):
    """The documents are just being moved to another place of storage. Nothing was stored; send it again in a minute."""

    code = "documents_move"
    words = "documents are being moved"
    advice = "Run it again in some minutes"

    def __init__(self, message: str = "", **said: Any) -> None:
        super().__init__(message, **{"retry_after_s": 30, **said})


class DocumentsMoved(Temporary):
    """The documents lie in another place of storage than this server thinks. Nothing was stored; ask an administrator to restart it."""

    code = "documents_moved"
    costs_try = False
    words = "documents lie elsewhere"
    advice = "Set DOCUMENTS_STORAGE as “move_storage” has said, and restart web and workers"
    remedies = (SEE_SYSTEM,)

    def __init__(self, message: str = "", **said: Any) -> None:
        super().__init__(message, **{"retry_after_s": 120, **said})


class MoveRefused(Refused):
    """The documents cannot be moved like that."""

    code = "move_refused"


class MoveBroken(Temporary):
    """The move has stopped. Nothing is lost: run the same command again, and it goes on where it has stopped."""

    code = "move_broken"
    words = "move has stopped"
    advice = "Run move_storage again"


class CopyDiffers(Temporary):
    """What was written to the new place is not what was read there afterwards."""

    code = "copy_differs"
    words = "copy is not the same"
    advice = "Run move_storage again"


# --- What can be wrong with an upload in several requests -------------------------------------------------------------


class UploadUnknown(Refused):
    """There is no such upload, or none of yours. Begin a new one."""

    code = "upload_unknown"
    status = HTTPStatus.NOT_FOUND


class UploadOver(Refused):
    """This upload is over and came to nothing: it was ended, has expired, or its file was refused. Begin a new one."""

    code = "upload_over"
    status = HTTPStatus.GONE


class UploadDone(Refused):
    """This upload is complete, and its document is there; it can only be archived."""

    code = "upload_done"
    status = HTTPStatus.CONFLICT


class OffsetConflict(Refused):
    """The upload does not go on at that byte. Ask by HEAD where it does, and send from there."""

    code = "offset_conflict"
    status = HTTPStatus.CONFLICT


class UploadOvertaken(Refused):
    """Another request goes on with this upload. Ask by HEAD how far it has come."""

    code = "upload_overtaken"
    status = HTTPStatus.LOCKED


class UploadTooLong(Refused):
    """More bytes were sent than the upload was said to have. Nothing of what was too much was kept."""

    code = "upload_too_long"
    status = HTTPStatus.CONTENT_TOO_LARGE


class TooManyUploads(Refused):
    """You have too many unfinished uploads. Go on with some, or end them by DELETE."""

    code = "too_many_uploads"
    status = HTTPStatus.FORBIDDEN


class TooManyPieces(Refused):
    """The upload was sent in too many small pieces. Send larger ones."""

    code = "too_many_pieces"
    status = HTTPStatus.FORBIDDEN


class PartsGone(Refused):
    """What was kept of this upload is not in storage any more. Begin a new one."""

    code = "upload_parts_gone"
    status = HTTPStatus.GONE


# --- What verifying can find -----------------------------------------------------------------------------------------


class FileGone(Permanent):
    """The file of the document is not in storage. Put it back there, then verify the document again."""

    code = "file_gone"
    words = "file not in storage"
    advice = "Put the file back where it was, then verify the document again"
    remedies = (SEE_RECORD,)


class FileChanged(Permanent):
    """What lies in storage is not what was uploaded. Put the right file back, or restore an earlier version."""

    code = "file_changed"
    words = "file changed in storage"
    advice = "Put the right file back, or restore an earlier version"
    remedies = (SEE_RECORD,)


class Infected(Permanent):
    """The virus scanner has found something in the file. Upload a clean one, or restore an earlier version."""

    code = "infected"
    words = "virus found"
    became = "held back"
    advice = "Upload a clean file, or restore an earlier version"
    remedies = (SEE_RECORD,)


class TypeMismatch(Permanent):
    """The file is of another kind than was said. Upload it again as what it is, or another file."""

    code = "type_mismatch"
    words = "another kind of file than said"
    became = "held back"
    advice = "Upload it as what it is, or another file"
    remedies = (SEE_RECORD,)


class TooLargeToScan(Permanent):
    """The file is larger than the virus scanner takes, and nothing is let through unscanned. Ask an administrator."""

    code = "too_large_to_scan"
    words = "too large for the virus scanner"
    became = "held back"
    advice = "Raise DOCUMENTS_SCANNER_LARGEST_MB together with the scanner's own limit, then verify it again"
    remedies = (SEE_SYSTEM,)


class ScannerUnavailable(Temporary):
    """The virus scanner could not be reached or gave no proper answer."""

    code = "scanner_unavailable"
    words = "virus scanner out of reach"
    advice = "See whether the virus scanner is up, then verify it again"
    remedies = (SEE_SYSTEM,)
    ails = "The virus scanner cannot be reached, or gives no proper answer"

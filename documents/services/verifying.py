"""The verifying of a document's current version: its bytes, its kind, and whether a virus is in it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.conf import settings

from core.base.clock import now
from core.base.errors import RunsheetError
from documents import scanning
from documents.classify import HEAD_BYTES, Kind, kind_of
from documents.errors import FileChanged, FileGone, Infected, ScannerUnavailable, TooLargeToScan, TypeMismatch
from documents.hashing import resumed
from documents.models import Document, DocumentVersion
from documents.services import writing
from documents.services.in_charge import require_here
from statemachine.reactions import Ending, GoOn, Outcome, Run
from storage.backends import documents as documents_storage
from storage.backends.errors import NotFound

# So much is read before it is asked whether the slice is over.
SLICE_BYTES = 256 * 1024 * 1024


def verified(run: Run[Document]) -> Ending:
    """Look at the bytes, from where the last slice has left off.

    Raises:
        FileGone, FileChanged, TypeMismatch, Infected, TooLargeToScan: it is not to be handed out as it is.
        ScannerUnavailable: nobody can say, and what nobody can say is held back.
        Denied, Throttled, Unavailable: storage does not give it.
        DocumentsMoved: this worker looks in the wrong place.
    """
    version = run.record.current_version
    if version is None:  # nobody has sent any bytes, which no service makes
        raise FileGone
    try:
        if ending := _same_bytes(run, version):
            return ending
        kind = _kind(version)
        scan = _scanned(run, version)
    except NotFound as error:
        require_here()
        raise FileGone(evidence=version.as_found()) from error
    evidence = {**version.as_found(), "declared_type": version.declared_type, "mime_type": kind.mime_type, **scan}
    if kind.contradicts:
        evidence["contradicts"] = kind.contradicts
    transition = "verified_archived" if run.record.archived_at else "verified"
    return Outcome(transition=transition, record=partial(_noted, mime_type=kind.mime_type), evidence=evidence)


def hold_back(document: Document, error: RunsheetError) -> None:
    """Write beside the version what was found; called in the transaction in which the document fails."""
    if not isinstance(error, ScannerUnavailable) and error.code in HELD_BACK:
        document.versions.filter(number=document.current).update(finding=error.code)


# What is known of the bytes by it; that somebody could not look says nothing about what was known before.
HELD_BACK = frozenset(each.code for each in (FileGone, FileChanged, Infected, TypeMismatch, TooLargeToScan))


def _noted(document: Document, *, mime_type: str) -> dict[str, Any]:
    at = now()
    writing.ring()
    document.versions.filter(number=document.current).update(mime_type=mime_type, verified_at=at, finding="")
    return {"at": at, "mime_type": mime_type}


def _same_bytes(run: Run[Document], version: DocumentVersion) -> Ending | None:
    """None once all of it is what was uploaded; else the end of a slice.

    Raises:
        NotFound, FileChanged: it is not there; it is something else.
    """
    stored = documents_storage().stat(version.key)
    if stored.size != version.size:
        raise FileChanged(evidence={**version.as_found(), "size_now": stored.size})
    done = run.record.verified_bytes
    digest = resumed(bytes(run.record.verified_hash) if done else b"")
    while done < version.size:
        end = min(done + SLICE_BYTES, version.size)
        for chunk in _chunks(run, version, start=done, end=end):
            digest.update(chunk)
        done = end
        if done < version.size and run.is_time_up:
            return GoOn(record=partial(_reached, done=done, state=digest.serialize()))
    found = digest.finalize()
    if found != version.sha256:
        raise FileChanged(evidence={**version.as_found(), "sha256_now": found})
    return None


def _reached(document: Document, *, done: int, state: bytes) -> None:
    document.verified_bytes, document.verified_hash = done, state


def _chunks(run: Run[Document], version: DocumentVersion, *, start: int, end: int) -> Iterator[bytes]:
    for chunk in documents_storage().stream(version.key, start=start, end=end):
        run.keep_claim()
        yield chunk


def _kind(version: DocumentVersion) -> Kind:
    """Raises:
    TypeMismatch: it is of another kind than was said, and such files are refused.
    """
    head = documents_storage().read(version.key, end=min(HEAD_BYTES, version.size))
    kind = kind_of(head, name=version.name, declared=version.declared_type)
    if kind.contradicts and settings.DOCUMENTS_TYPE_MISMATCH == "refuse":
        raise TypeMismatch(
            f"The file was said to be {kind.contradicts} and is {kind.mime_type}. "
            "Upload it again as what it is, or another file.",
            evidence={**version.as_found(), "mime_type": kind.mime_type, "contradicts": kind.contradicts},
        )
    return kind


def _scanned(run: Run[Document], version: DocumentVersion) -> dict[str, str]:
    """What the scanner says, for the evidence.

    Raises:
        Infected: it has found something.
        ScannerUnavailable, TooLargeToScan: nobody could look, and such files are held back.
    """
    if not settings.DOCUMENTS_SCANNER:
        return {}
    try:
        found = _found(run, version)
    except (ScannerUnavailable, TooLargeToScan) as error:
        if settings.DOCUMENTS_SCANNER_FAILS == "closed":
            raise
        return {"scan": f"not scanned: {error.words}"}
    if found:
        raise Infected(
            f"The virus scanner has found {found} in the file. Upload a clean one, or restore an earlier version.",
            evidence={**version.as_found(), "scan": found},
        )
    return {"scan": "clean"}


def _found(run: Run[Document], version: DocumentVersion) -> str:
    if version.size > settings.DOCUMENTS_SCANNER_LARGEST_BYTES:
        raise TooLargeToScan(evidence=version.as_found())
    return scanning.found_in(_chunks(run, version, start=0, end=version.size))

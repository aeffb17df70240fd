"""Bytes come in: first the room for them, then they themselves, and then their rows in one short transaction.

Whoever dies in between leaves an `Upload`, and by that the duties find what is to be swept (`documents.services.sweeping`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from core.base.preparations import preparing
from documents.errors import LeaseUnknown
from documents.models import Document, DocumentVersion, Upload
from documents.names import checked_metadata, checked_name, checked_why, new_unique_name, safe_name
from documents.services import quotas, writing
from documents.services.receiving import Announced, Arrived, begin, give_up, receive, settle
from documents.services.rights import ADD, SEE_LEASES, require_change
from leases.models import Lease
from statemachine.rights import require
from statemachine.transitions import Actor, Step, advance, authorise, locked
from storage.backends import documents as documents_storage

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
UPLOADED = "uploaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of the bytes, checked."""

    name: str
    declared_type: str
    why: str

    @classmethod
    def checked(cls, *, name: str, declared_type: str, why: str) -> "Said":
        """The same, as it is kept.

        Raises:
            InvalidName, InvalidWhy: it cannot be.
        """
        return cls(name=checked_name(name), declared_type=media_type(declared_type), why=checked_why(why))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a version is to lie, and what it was seen to be a version of.

    Attributes:
        revision: of its document, by which it is known whether people have changed it since.
    """

    key: str
    document_id: int
    number: int
    owner_id: int
    agency: str
    revision: int | None = None


def store(
    *,
    by: User,
    name: str,
    chunks: Iterable[bytes],
    length: int | None,
    declared_type: str = "",
    lease_id: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    sha256: str | None = None,
    why: str = "",
) -> Document:
    """Make a document of these bytes; it is verified by itself.

    Args:
        by: whose it is to be.
        chunks: what it raises is passed on, and nothing is kept.
        length: how many bytes there will be, where that is known.
        declared_type: what whoever sends it says it is.
        sha256: in hexadecimal digits, where it is known; it is compared.
        why: of its first version, in somebody's words.

    Raises:
        TransitionForbidden, InvalidName, InvalidMetadata, InvalidWhy, LeaseUnknown, DocumentTooLarge, QuotaExceeded, TooManyVersions,
            BodyIncomplete, DigestMismatch, UploadLapsed: nothing was kept.
        Denied, Throttled, Unavailable, FullDisk: storage did not take it, and nothing was kept.
    """
    require(by, ADD)
    said = Said.checked(name=name, declared_type=declared_type, why=why)
    told = checked_metadata(metadata or {})
    place = new_place(by=by, name=said.name, lease_id=lease_id)
    upload = begin(key=place.key, owner_id=by.pk, agency=place.agency, length=length)
    try:
        arrived = receive(upload, chunks, Announced(length=length, sha256=sha256))
        return make(place.document_id, upload, arrived, by=by, said=said, metadata=told, lease_id=lease_id)
    except BaseException:
        give_up(upload)
        raise


def add_version(
    *,
    document_id: int,
    by: User,
    name: str | None = None,
    chunks: Iterable[bytes],
    length: int | None,
    declared_type: str = "",
    sha256: str | None = None,
    why: str = "",
    generation: int | None = None,
    transition: str = "add_version",
) -> DocumentVersion:
    """Give a document another version, which is shown from now on; it is verified by itself.

    Args:
        name: None: as the document is called.
        generation: what the person saw; whoever has changed it since, or does so while the bytes come in, is not overrun.
            None: whatever it has become.
        transition: by which the document comes to it.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: it may not be.
        InvalidName, InvalidWhy, DocumentTooLarge, QuotaExceeded, TooManyVersions, BodyIncomplete, DigestMismatch,
            UploadLapsed: nothing was kept.
        Denied, Throttled, Unavailable, FullDisk: storage did not take it, and nothing was kept.
    """
    said, place = next_place(
        document_id=document_id,
        by=by,
        name=name,
        declared_type=declared_type,
        why=why,
        generation=generation,
        transition=transition,
    )
    upload = begin(key=place.key, owner_id=place.owner_id, agency=place.agency, length=length)
    try:
        arrived = receive(upload, chunks, Announced(length=length, sha256=sha256))
        return add(place, upload, arrived, by=by, said=said, generation=generation, transition=transition)
    except BaseException:
        give_up(upload)
        raise


def new_place(*, by: User, name: str, lease_id: int | None) -> Place:
    """Where the first version of a document that is not there yet will lie.

    A database that was restored from an old copy gives numbers once more: what lies there is somebody's newer document.

    Raises:
        LeaseUnknown: there is no such lease.
    """
    agency = agency_of(lease_id, by=by)
    while True:
        document_id = _next_id()
        key = key_of(owner_id=by.pk, document_id=document_id, number=1, name=name)
        # Also a folder in which only its sidecar is left, or a file of another name.
        if not documents_storage().holds(folder_of(owner_id=by.pk, document_id=document_id)):
            return Place(key=key, document_id=document_id, number=1, owner_id=by.pk, agency=agency)


def next_place(
    *,
    document_id: int,
    by: User,
    name: str | None,
    declared_type: str,
    why: str,
    generation: int | None,
    transition: str = "add_version",
) -> tuple[Said, Place]:
    """Where the next version of a document will lie, and what was said of it, if the person may give it one.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: they may not.
        InvalidName, InvalidWhy: it cannot be called so.
    """
    while True:  # of an old copy of the database, see `new_place`
        with preparing(), locked(Document, document_id) as document:
            require_change(document, by=by, generation=generation)
            authorise(document, transition, Actor.person(by))
            said = Said.checked(name=name or document.name, declared_type=declared_type, why=why)
            number = _next_number(document)
        key = key_of(owner_id=document.owner_id, document_id=document_id, number=number, name=said.name)
        if not documents_storage().holds(key.rpartition("/")[0]):
            return said, Place(
                key=key,
                document_id=document_id,
                number=number,
                owner_id=document.owner_id,
                agency=document.charged_agency,
                revision=document.revision,
            )


@transaction.atomic
def make(
    document_id: int,
    upload: Upload,
    arrived: Arrived,
    *,
    by: User,
    said: Said,
    metadata: dict[str, Any],
    lease_id: int | None,
) -> Document:
    """The document whose first version has arrived.

    Raises:
        UploadLapsed, QuotaExceeded: nothing was made.
    """
    document = _made(document_id, by=by, said=said, metadata=metadata, lease_id=lease_id, agency=upload.agency)
    return _shown(document, upload, arrived, said, by=by, actor=Actor.person(by))


def add(
    place: Place,
    upload: Upload,
    arrived: Arrived,
    *,
    by: User,
    said: Said,
    generation: int | None,
    transition: str = "add_version",
) -> DocumentVersion:
    """The version that has arrived, if the person may still give the document one.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale, UploadLapsed, QuotaExceeded: nothing was added.
    """
    actor = Actor.person(by)
    with locked(Document, place.document_id) as document:
        # The verifying may have moved it on meanwhile; only what people did counts.
        is_same = generation is None or document.revision == place.revision
        require_change(document, by=by, generation=document.generation if is_same else generation)
        authorise(document, transition, actor)
        _shown(document, upload, arrived, said, by=by, actor=actor, number=place.number, transition=transition)
        return document.versions.get(number=place.number)


def media_type(said: str) -> str:
    """What somebody says that a file is, without what stands behind it; empty if that is no media type."""
    found = said.partition(";")[0].strip().lower()
    return found if _TYPE.fullmatch(found) else ""


def key_of(*, owner_id: int, document_id: int, number: int, name: str) -> str:
    """Where a version lies in storage; beside the folders of the versions is room for what is said of the document."""
    return f"{folder_of(owner_id=owner_id, document_id=document_id)}/{number}/{safe_name(name)}"


def folder_of(*, owner_id: int, document_id: int) -> str:
    """Where all of a document lies."""
    return f"{owner_id}/documents/{document_id}"


def agency_of(lease_id: int | None, *, by: User) -> str:
    """The agency against whose quota a document of that lease counts; empty: none.

    Raises:
        TransitionForbidden: who may not see leases is not told either whether there is such a one.
        LeaseUnknown: there is no such lease.
    """
    if lease_id is None:
        return ""
    require(by, SEE_LEASES)
    agency = Lease.objects.filter(pk=lease_id).values_list("agency", flat=True).first()
    if agency is None:
        raise LeaseUnknown
    return agency


def _next_id() -> int:
    """The number of the document to be: its bytes lie under it before it has a row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('documents_document', 'id'))")
        return int(cursor.fetchone()[0])


def _next_number(document: Document) -> int:
    """The number of the next version, which nobody is given again."""
    document.last_number += 1
    Document.objects.filter(pk=document.pk).update(last_number=document.last_number)
    return document.last_number


def _made(
    document_id: int, *, by: User, said: Said, metadata: dict[str, Any], lease_id: int | None, agency: str
) -> Document:
    Document.objects.bulk_create(
        [
            Document(
                pk=document_id,
                owner_id=by.pk,
                name=said.name,
                unique_name=new_unique_name(said.name),
                metadata=metadata,
                # The lease may be gone by now; the quota was asked, and stays as it was.
                lease=Lease.objects.filter(pk=lease_id).first() if lease_id else None,
                charged_agency=agency,
                last_number=1,
                due_at=None,
                initiated_by_id=by.pk,
                updated_by_id=by.pk,
            )
        ]
    )
    with locked(Document, document_id) as document:
        return document


def _shown(
    document: Document,
    upload: Upload,
    arrived: Arrived,
    said: Said,
    *,
    by: User,
    actor: Actor,
    number: int = 1,
    transition: str = "add_version",
) -> Document:
    """The document with its new version, in the transaction that is open."""
    version = DocumentVersion.objects.create(
        document=document,
        number=number,
        key=upload.key,
        name=said.name,
        size=arrived.size,
        sha256=arrived.sha256,
        declared_type=said.declared_type,
        why=said.why,
        created_by_id=by.pk,
        mime_type=said.declared_type,
    )
    settle(upload, used=arrived.size)
    quotas.add_version(owner_id=document.owner_id)
    # The document may have gone to another agency meanwhile; what is counted where it is not is missing there in the end.
    quotas.move(size=arrived.size, agency=upload.agency, to=document.charged_agency)
    document.updated_by_id = by.pk
    document.revision += 1
    # Who sends a file waits for it.
    step = Step(transition=transition, arguments={"version": version}, reason=said.why or UPLOADED, background=False)
    advance(document, step, actor)
    writing.ring()
    return document

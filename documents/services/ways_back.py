"""A file that was changed from outside is taken as another version, or replaced by a copy of what it was."""

from collections.abc import Iterator
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import transaction

from documents.errors import FileChanged, NoCopy
from documents.models import Document, DocumentVersion
from documents.names import checked_name
from documents.services import uploads, writing
from documents.services.in_charge import require_keeping
from documents.services.receiving import STORED_AS
from documents.services.rechecking import is_itself
from documents.services.rights import require_change
from statemachine.transitions import Actor, Step, advance, authorise, locked
from storage.backends import documents as documents_storage
from storage.backends.errors import NotFound

TAKEN = "what somebody has laid in the place of the file in storage"
BACK = "brought back from a copy"


def take_changed(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Keep what lies in the place of the current version's file as a version of its own, which is verified by itself.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
        DocumentTooLarge, QuotaExceeded, UploadLapsed: there is no room for it.
        NoCopy: nothing lies there.
        Denied, Throttled, Unavailable, FullDisk: storage does not give it, or take it.
    """
    version = _current(document_id, by=by, generation=generation, transition="take_changed")
    try:
        lies = documents_storage().stat(version.key)
        uploads.add_version(
            document_id=document_id,
            by=by,
            name=checked_name(version.name),
            chunks=documents_storage().stream(version.key),
            length=lies.size,
            why=TAKEN,
            generation=generation,
            transition="take_changed",
        )
    except NotFound as error:
        raise NoCopy(
            "Nothing lies in its place any more. Put the file back, then verify the document again."
        ) from error
    return Document.objects.get(pk=document_id)


def bring_back(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Put the bytes of the current version back in their place, from another version that has the same; they are verified again.

    What lies there now is gone afterwards. Where somebody has put them back already, they are verified again.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
        NoCopy: no other version has the same bytes.
        Denied, Throttled, Unavailable, FullDisk: storage does not give them, or take them.
    """
    version = _current(document_id, by=by, generation=generation, transition="bring_back")
    if not is_itself(version) and not any(_is_put_back(version, key) for key in _copies(version)):
        raise NoCopy
    with locked(Document, document_id) as document:
        require_change(document, by=by, generation=generation)
        actor = Actor.person(by)
        authorise(document, "bring_back", actor)
        document.updated_by_id = by.pk
        document.revision += 1
        advance(document, Step(transition="bring_back", reason=BACK), actor)
        writing.ring()
    return document


def _current(document_id: int, *, by: User, generation: int | None, transition: str) -> DocumentVersion:
    """The version whose file is another's, if the person may see to that."""
    with locked(Document, document_id) as document:
        require_change(document, by=by, generation=generation)
        authorise(document, transition, Actor.person(by))
        return document.versions.get(number=document.current)


def _copies(version: DocumentVersion) -> list[str]:
    """Where the same bytes should lie; whoever lost them may have them from whichever document."""
    same = DocumentVersion.objects.filter(
        sha256=version.sha256, size=version.size, verified_at__isnull=False, finding=""
    )
    return list(dict.fromkeys(same.exclude(key=version.key).order_by("pk").values_list("key", flat=True)))


def _is_put_back(version: DocumentVersion, key: str) -> bool:
    """Whether all of it is there now; a copy that is none itself is not put anywhere."""
    try:
        with transaction.atomic():
            require_keeping()
            documents_storage().put(version.key, _same(version, key), content_type=STORED_AS)
    except (NotFound, FileChanged):
        return False
    return True


def _same(version: DocumentVersion, key: str) -> Iterator[bytes]:
    """Raises:
    FileChanged: these are not the bytes of the version.
    """
    digest = sha256()
    for chunk in documents_storage().stream(key):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != version.sha256:
        raise FileChanged

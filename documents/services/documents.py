"""What people do with documents beside sending their bytes (`documents.services.uploads`)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Sum

from core.base.clock import now
from core.base.database import broken_constraint
from documents.errors import NotArchived, UniqueNameTaken, VersionUnknown
from documents.models import Document, DocumentVersion
from documents.names import checked_metadata, checked_name, checked_unique_name, checked_why
from documents.services import edits, quotas, writing
from documents.services.rights import MANAGE, PURGE, require_change
from documents.services.uploads import agency_of
from documents.states import State
from statemachine.rights import require
from statemachine.slices import owe_next_slice
from statemachine.transitions import Actor, Step, advance, authorise, locked

CHECKED_OUT_H, CHECKED_OUT_AT_MOST_H = 8, 24 * 30
UNIQUE_NAME_ONCE = "documents_document_unique_name"


class As(Enum):
    """For what is not said, where None means something."""

    BEFORE = "before"


AS_BEFORE: Final = As.BEFORE


def change(
    *,
    document_id: int,
    by: User,
    generation: int | None = None,
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    is_public: bool | None = None,
    lease_id: int | As | None = AS_BEFORE,
    unique_name: str | None = None,
) -> Document:
    """Say something else of a document; what is not given stays as it was. Nothing happens if nothing differs.

    Args:
        generation: what the person saw; None: whatever it has become since.
        metadata: the whole object.
        lease_id: None: it belongs to none.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, Stale: it may not be changed.
        InvalidName, InvalidMetadata, InvalidUniqueName, UniqueNameTaken, LeaseUnknown, QuotaExceeded: not to that.
    """
    wanted = _checked(name=name, metadata=metadata, is_public=is_public, unique_name=unique_name, lease_id=lease_id)
    with _changing(document_id, by=by, generation=generation) as document:
        if all(getattr(document, field) == value for field, value in wanted.items()):
            return document
        if "lease_id" in wanted:
            _charge(document, agency_of(wanted["lease_id"], by=by) or document.charged_agency)
        told = edits.told_of(document, wanted)
        for field, value in wanted.items():
            setattr(document, field, value)
        _save(document, "change", by=by, told=told)
    return document


def archive(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Take a document out of sight; nothing of it is deleted.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
    """
    return _take(Step(transition="archive"), document_id=document_id, by=by, generation=generation)


def restore(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Bring an archived document back, and do not purge it. What was never verified is verified first.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
    """
    with _changing(document_id, by=by, generation=generation) as document:
        if document.state == State.ARCHIVED and document.verified_at is None:
            document.archived_at = document.purge_at = None
            _advance(document, Step(transition="verify", reason="restored"), by=by)
        else:
            _advance(document, Step(transition="restore"), by=by)
    return document


def verify(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Owe another look at what lies in storage.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
    """
    return _take(
        Step(transition="verify", reason="verified again"), document_id=document_id, by=by, generation=generation
    )


def cancel(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Stop the verifying.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
    """
    return _take(Step(transition="cancel"), document_id=document_id, by=by, generation=generation)


def restore_version(
    *, document_id: int, number: int, by: User, generation: int | None = None, why: str = ""
) -> DocumentVersion:
    """Let an earlier version be the current one again, as a new version with the same bytes; it is verified once more.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, TransitionRefused, Stale: nothing was changed.
        VersionUnknown, HeldBack, InvalidWhy: there is none of that number, something was found in it, or in what is said.
        TooManyVersions: there are as many as one person may have.
    """
    with _changing(document_id, by=by, generation=generation) as document:
        authorise(document, "add_version", Actor.person(by))
        version = _another(document, version_of(document, number), by=by, why=why)
        reason = version.why or f"version {number} restored"
        _advance(document, Step(transition="add_version", arguments={"version": version}, reason=reason), by=by)
    return version


def check_out(*, document_id: int, by: User, hours: int = CHECKED_OUT_H, generation: int | None = None) -> Document:
    """Have a document to oneself for so long; whoever has it already may prolong that.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, Stale: nothing was changed.
    """
    with _changing(document_id, by=by, generation=generation) as document:
        document.checked_out_by_id = by.pk
        until = now() + timedelta(hours=max(1, min(hours, CHECKED_OUT_AT_MOST_H)))
        document.checked_out_until = until
        _save(document, "check_out", by=by, told=f"until {until:%Y-%m-%d %H:%M} UTC")
    return document


def check_in(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Let others change the document again. Whoever looks after everybody's documents may do that for somebody else.

    Nothing happens if nobody has it.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, Stale: nothing was changed.
    """
    with locked(Document, document_id) as document:
        had = document.checked_out_by
        if had != by and by.has_perm(MANAGE):
            document.checked_out_by_id = document.checked_out_until = None
        require_change(document, by=by, generation=generation)
        if had is None:
            return document
        document.checked_out_by_id = document.checked_out_until = None
        _save(document, "check_in", by=by, told="" if had == by else f"{had} had checked it out")
        writing.ring()
    return document


def purge(*, document_id: int, by: User, generation: int | None = None) -> Document:
    """Let an archived document be deleted for good once its grace is over; until then `restore` takes it back.

    Raises:
        RecordGone, TransitionForbidden, NotYourDocument, CheckedOut, Stale: nothing was changed.
        NotArchived: it is none.
    """
    require(by, PURGE)
    with _changing(document_id, by=by, generation=generation) as document:
        if document.state != State.ARCHIVED:
            raise NotArchived
        at = now() + timedelta(days=settings.DOCUMENTS_PURGE_GRACE_DAYS)
        _advance(document, Step(transition="purge", arguments={"at": at}), by=by)
    return document


def version_of(document: Document, number: int) -> DocumentVersion:
    """The version with that number.

    Raises:
        VersionUnknown: there is none.
    """
    found = document.versions.filter(number=number).first()
    if found is None:
        raise VersionUnknown
    return found


def _take(step: Step, *, document_id: int, by: User, generation: int | None) -> Document:
    with _changing(document_id, by=by, generation=generation) as document:
        _advance(document, step, by=by)
    return document


@contextmanager
def _changing(document_id: int, *, by: User, generation: int | None) -> Iterator[Document]:
    """The document, locked, if the person may change it."""
    with locked(Document, document_id) as document:
        require_change(document, by=by, generation=generation)
        yield document
        writing.ring()


def _advance(document: Document, step: Step, *, by: User) -> None:
    """Take a step as this person."""
    actor = Actor.person(by)
    authorise(document, step.transition, actor)
    document.updated_by_id = by.pk
    document.revision += 1
    advance(document, step, actor)


def _save(document: Document, edit: str, *, by: User, told: str) -> None:
    """Write and log what a person has changed without taking it anywhere.

    It is another document now to whoever saw it before, and to whoever verifies it.
    """
    document.updated_by_id = by.pk
    document.revision += 1
    try:
        with transaction.atomic():
            if document.is_working and document.is_owed:
                owe_next_slice(document)  # its new generation overtakes the worker, so another one begins anew
            else:
                document.generation += 1
                document.save()
    except IntegrityError as error:
        if broken_constraint(error) == UNIQUE_NAME_ONCE:
            raise UniqueNameTaken from error
        raise
    edits.log(document, edit, by=by, told=told)


def _checked(
    *,
    name: str | None,
    metadata: Mapping[str, Any] | None,
    is_public: bool | None,
    unique_name: str | None,
    lease_id: int | As | None,
) -> dict[str, Any]:
    """What is to be written, of what was given."""
    given: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "name": (name, checked_name),
        "metadata": (metadata, checked_metadata),
        "is_public": (is_public, bool),
        "unique_name": (unique_name, checked_unique_name),
    }
    wanted = {field: check(value) for field, (value, check) in given.items() if value is not None}
    return wanted if lease_id is AS_BEFORE else {**wanted, "lease_id": lease_id}


def _charge(document: Document, agency: str) -> None:
    """Let what it takes count against that agency's quota from now on."""
    quotas.move(size=used_by(document), agency=document.charged_agency, to=agency)
    document.charged_agency = agency


def used_by(document: Document) -> int:
    """The bytes of all its versions; one that was made of an earlier one has none of its own."""
    own = document.versions.filter(restored_from__isnull=True)
    return int(own.aggregate(bytes=Sum("size"))["bytes"] or 0)


def _another(document: Document, of: DocumentVersion, *, by: User, why: str) -> DocumentVersion:
    of.require_served()
    quotas.add_version(owner_id=document.owner_id)
    document.last_number += 1
    return DocumentVersion.objects.create(
        document=document,
        number=document.last_number,
        key=of.key,
        name=of.name,
        size=of.size,
        sha256=of.sha256,
        declared_type=of.declared_type,
        restored_from=of.number,
        why=checked_why(why),
        created_by_id=by.pk,
        mime_type=of.mime_type,
    )

"""Rows are made of what stands beside the files, where there are none; see `documents.sidecars` for what is believed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Max
from django.db.models.functions import Greatest, Now

from documents.errors import FileChanged, SidecarRefused
from documents.models import Document, DocumentSidecar, DocumentVersion, OwedSidecar, ShareLink
from documents.names import checked_metadata, checked_name, checked_unique_name, new_unique_name
from documents.services import quotas, writing
from documents.services.people import People
from documents.sidecars import SaidLease, SaidVersion, Sidecar
from documents.states import State
from leases.models import Lease
from statemachine.models import TransitionLog
from storage.backends.stored import nanoseconds

UNSEALED = (
    "It has no seal of ours: somebody has changed it, or SECRET_KEY was another one (SECRET_KEY_FALLBACKS may name that). So its "
    "file is verified anew, it is not public, and has neither links nor a lease."
)
TWICE = "Another document has its number by now. Nothing was made of it, and it stays as it is."
COPY = "Another document says the same of itself, so this is a copy of its folder. Nothing was made of it."
BEHIND = """
SELECT setval(pg_get_serial_sequence(%(table)s, 'id'), GREATEST(
    %(largest)s, nextval(pg_get_serial_sequence(%(table)s, 'id')) - 1, 1))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A document that has its rows again.

    Attributes:
        remarks: what is not as it was, each in a sentence.
    """

    document_id: int
    versions: int
    links: int
    remarks: list[str] = field(default_factory=list)


class Lying(NamedTuple):
    """A file, as the index has seen it."""

    size: int
    modified_ns: int


def bring_back(sidecar: Sidecar, *, lying: Mapping[str, Lying]) -> Brought:
    """Make the rows of a document that has none, in a savepoint of the transaction that is open.

    Args:
        lying: what lies in its folder, by key.

    Raises:
        SidecarRefused: nothing was made of it.
    """
    try:
        with transaction.atomic():
            return _Bringing(sidecar, lying).done()
    except (IntegrityError, DataError) as error:
        raise SidecarRefused(f"The database does not take what it says: {str(error).partition('\n')[0]}.") from error


class _Bringing:
    """One document on its way back."""

    def __init__(self, sidecar: Sidecar, lying: Mapping[str, Lying]) -> None:
        self.said, self.is_sealed, self.lying = sidecar.said, sidecar.is_sealed, lying
        self.people = People(sidecar.said.people, may_make=sidecar.is_sealed)
        self.remarks: list[str] = [] if sidecar.is_sealed else [UNSEALED]
        self.is_later = False

    def done(self) -> Brought:
        said = self.said.document
        if Document.objects.filter(pk=said.id).exists():
            raise SidecarRefused(TWICE)
        if Document.objects.filter(uuid=self.said.uuid).exists():
            raise SidecarRefused(COPY)
        owner_id = self.people.known(said.owner_id)
        if owner_id is None:
            raise SidecarRefused(" ".join(self.people.remarks) or f"Its owner, person {said.owner_id}, is not there.")
        altered = self._altered()
        self._document(owner_id, is_altered=said.current in altered)
        self._versions(altered)
        links = self._links() if self.is_sealed else 0
        self._count(owner_id)
        return Brought(
            document_id=said.id,
            versions=len(self.said.versions),
            links=links,
            remarks=[*self.remarks, *self.people.remarks],
        )

    def _altered(self) -> set[int]:
        """The versions whose files have another size by now; where there is none, that is said, too."""
        altered = set()
        for version in self.said.versions:
            lies = self.lying.get(version.key)
            if lies is None:
                self.remarks.append(f"The file of version {version.number} is not there.")
            elif lies.size != version.size:
                altered.add(version.number)
                self.remarks.append(
                    f"The file of version {version.number} has {lies.size:,} bytes, and had {version.size:,}."
                )
            elif version.verified_at and lies.modified_ns > nanoseconds(version.verified_at):
                self._note_later(version)
        return altered

    def _note_later(self, version: SaidVersion) -> None:
        """Written anew behind the back of everybody, or moved or copied: that is not known before somebody has looked."""
        if version.number == self.said.document.current:
            self.is_later = True
            self.remarks.append(
                f"The file of version {version.number} is newer than its verifying, so it is verified again."
            )
        else:
            self.remarks.append(
                f"The file of version {version.number} is newer than its verifying. Compare its SHA-256."
            )

    def _document(self, owner_id: int, *, is_altered: bool) -> None:
        said = self.said.document
        values = said.model_dump(exclude={"owner_id", "checked_out_by_id", "updated_by_id", "entered_at"})
        values |= {
            "uuid": self.said.uuid,
            "owner_id": owner_id,
            "name": checked_name(said.name),
            "metadata": checked_metadata(said.metadata),
            "unique_name": self._unique_name(),
            "lease": _lease(self.said.lease) if self.is_sealed else None,
            "checked_out_by_id": self.people.known(said.checked_out_by_id),
            "updated_by_id": self.people.known(said.updated_by_id),
            "generation": max(said.generation, _logged(said.id)),
            "entered_at": said.entered_at,
        }
        if self.said.lease and self.is_sealed and values["lease"] is None:
            self.remarks.append(f"Its lease, {self.said.lease.agency} {self.said.lease.lease_number}, is not there.")
        if not self.is_sealed:
            values |= {"charged_agency": "", "is_public": False, "checked_out_by_id": None, "purge_at": None}
        if is_altered or self.is_later or not self.is_sealed:
            values |= {"verified_at": None, "failure_code": "", "failure_message": ""}
            values["state"] = _to_be_verified(said.current, is_archived=said.archived_at is not None)
        document = Document(due_at=Now() if values["state"] == State.PENDING else None, **values)
        Document.objects.bulk_create([document])
        # Whatever Django would say of the moment in which it saves.
        Document.objects.filter(pk=said.id).update(updated_at=said.updated_at, created_at=said.created_at)
        # What was known of it may have outlived the row, which no constraint forbids.
        DocumentSidecar.objects.update_or_create(
            document_id=said.id, defaults={"edition": self.said.edition, "why_not": ""}
        )

    def _unique_name(self) -> str:
        said = self.said.document
        checked_unique_name(said.unique_name)
        if not Document.objects.filter(unique_name__iexact=said.unique_name).exists():
            return said.unique_name
        other = new_unique_name(said.name)
        self.remarks.append(f"Another document has the unique name “{said.unique_name}” by now, so it has “{other}”.")
        return other

    def _versions(self, altered: set[int]) -> None:
        made = [_version(self.said.document.id, each, self.people) for each in self.said.versions]
        for version in made:
            if version.number in altered:
                version.verified_at, version.finding = None, FileChanged.code
            elif not self.is_sealed or (self.is_later and version.number == self.said.document.current):
                version.verified_at = None
        _insert(DocumentVersion, made)

    def _links(self) -> int:
        taken = _taken(ShareLink, "token_sha256", [each.token_sha256 for each in self.said.links])
        made = [
            ShareLink(
                document_id=self.said.document.id,
                created_by_id=self.people.known(each.created_by_id),
                revoked_by_id=self.people.known(each.revoked_by_id),
                **each.model_dump(exclude={"created_by_id", "revoked_by_id"}),
            )
            for each in self.said.links
            if each.token_sha256 not in taken
        ]
        if taken:
            self.remarks.append(f"{len(taken)} of its links are another document's by now.")
        _insert(ShareLink, made)
        return len(made)

    def _count(self, owner_id: int) -> None:
        """What it takes counts, be it more than there is room for. Nothing is written anew of what is as it was."""
        agency = self.said.document.charged_agency if self.is_sealed else ""
        quotas.settle(owner_id=owner_id, agency=agency, reserved=0, used=_bytes(self.said.versions))
        quotas.free_versions(owner_id=owner_id, count=-len(self.said.versions))
        if self.is_sealed:
            OwedSidecar.objects.filter(document_id=self.said.document.id).delete()
        else:
            writing.ring()


def catch_up(sidecar: Sidecar) -> int:
    """Add the versions that a document has lost, as its database was restored from an old copy; how many. All else stays as it is."""
    said = sidecar.said
    with transaction.atomic():
        document = Document.objects.select_for_update(of=("self",)).get(pk=said.document.id)
        known = set(document.versions.values_list("number", flat=True))
        lost = [each for each in said.versions if each.number not in known]
        people = People(said.people, may_make=False)
        _insert(DocumentVersion, [_version(document.pk, each, people) for each in lost])
        last = max([said.document.last_number, *(each.number for each in lost)])
        Document.objects.filter(pk=document.pk).update(last_number=Greatest("last_number", last))
        DocumentSidecar.objects.update_or_create(document=document, defaults={"edition": said.edition, "why_not": ""})
        OwedSidecar.objects.filter(document_id=document.pk).update(due_at=Now())
        owe(document.pk)
        quotas.settle(owner_id=document.owner_id, agency=document.charged_agency, reserved=0, used=_bytes(lost))
        quotas.free_versions(owner_id=document.owner_id, count=-len(lost))
    return len(lost)


def owe(document_id: int) -> None:
    """Have its sidecar written anew."""
    OwedSidecar.objects.create(document_id=document_id)
    writing.ring()


def give_numbers_behind_the_highest() -> None:
    """So that nobody is given the number of what was brought back."""
    for model in (Document, DocumentVersion, ShareLink, Document._meta.get_field("owner").related_model):
        assert not isinstance(model, str)
        assert model is not None
        largest = model._default_manager.aggregate(largest=Max("pk"))["largest"] or 1
        with connection.cursor() as cursor:
            cursor.execute(BEHIND, {"table": model._meta.db_table, "largest": largest})


def _version(document_id: int, said: SaidVersion, people: People) -> DocumentVersion:
    values = said.model_dump(exclude={"created_by_id"})
    return DocumentVersion(document_id=document_id, created_by_id=people.known(said.created_by_id), **values)


def _insert(model: Any, rows: Sequence[Any]) -> None:
    """With their numbers, but where others have been given those since."""
    taken = _taken(model, "pk", [row.pk for row in rows])
    for row in rows:
        if row.pk in taken:
            row.pk = None
    model._default_manager.bulk_create([row for row in rows if row.pk is not None])
    model._default_manager.bulk_create([row for row in rows if row.pk is None])


def _taken(model: Any, name: str, values: Iterable[Any]) -> set[Any]:
    return set(model._default_manager.filter(**{f"{name}__in": list(values)}).values_list(name, flat=True))


def _lease(said: SaidLease | None) -> Lease | None:
    """The lease of that number; the one that it was, if there still is that one."""
    if said is None:
        return None
    found = Lease.objects.filter(agency=said.agency, lease_number=said.lease_number)
    return found.filter(pk=said.id).first() or found.first()


def _logged(document_id: int) -> int:
    """The history of what it was before stays when its row goes."""
    log = TransitionLog.objects.filter(record_type=Document._meta.label_lower, record_id=document_id)
    return int(log.aggregate(last=Max("generation"))["last"] or 0)


def _to_be_verified(current: int, *, is_archived: bool) -> State:
    if not current:
        return State.RECEIVED
    return State.ARCHIVED if is_archived else State.PENDING


def _bytes(versions: Iterable[SaidVersion]) -> int:
    """One key has its bytes once, however many versions were made of it."""
    return sum(each.size for each in versions if each.restored_from is None)

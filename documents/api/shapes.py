"""What a program is told of documents, and what it may say of them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from api.shapes import Person
from documents.models import Document, DocumentVersion
from documents.services.usage import Usage

LARGEST_NUMBER = 2**31 - 1
# The states as they are shown; a test holds them against those of the machine.
type Status = Literal["received", "pending", "active", "archived", "error"]


class DocumentAnswer(BaseModel):
    """A document, with its current version.

    Attributes:
        name: of its current version.
        unique_name: nobody else has it, in upper or lower case.
        storage_url: where its current version lies, as storage has it; to read it, ask for `content`.
        mime_type: what it is, by what it holds; until it is verified, what was said.
        sha256: of its current version, in hexadecimal digits.
        version: the number of the current one.
        lease: the number of the lease that it belongs to.
        purge_at: from then on it is deleted for good; null: it is not.
        checked_out_by: who has it to themselves, until `checked_out_until`.
        failure_code, failure_message: what was found, where its status is “error”.
        content: the address of its bytes.
    """

    id: int
    name: str
    unique_name: str
    status: Status
    storage_url: str
    mime_type: str
    size_bytes: int
    sha256: str
    version: int
    is_public: bool
    metadata: dict[str, Any]
    owner: Person
    lease: int | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    purge_at: datetime | None
    checked_out_by: Person | None
    checked_out_until: datetime | None
    failure_code: str
    failure_message: str
    content: str

    @classmethod
    def of(cls, document: Document, *, content: str) -> "DocumentAnswer":
        """The answer of a document as `documents.api.asking.shown` has found it."""
        found: Any = document  # the annotations have no types
        owner = Person.of(document.owner)
        assert owner
        return cls(
            id=document.pk,
            name=document.name,
            unique_name=document.unique_name,
            status=document.state,
            storage_url=f"documents:{found.current_key}" if found.current_key else "",
            mime_type=document.mime_type,
            size_bytes=document.size_bytes,
            sha256=found.current_sha256 or "",
            version=document.current,
            is_public=document.is_public,
            metadata=document.metadata,
            owner=owner,
            lease=document.lease_id,
            created_at=document.created_at,
            updated_at=document.updated_at,
            archived_at=document.archived_at,
            purge_at=document.purge_at,
            checked_out_by=Person.of(document.checked_out_by),
            checked_out_until=document.checked_out_until,
            failure_code=document.failure_code,
            failure_message=document.failure_message,
            content=content,
        )


class VersionAnswer(BaseModel):
    """One of the versions of a document; its bytes never change.

    Attributes:
        declared_type: what whoever sent it said that it is.
        verified_at: null: nobody has looked yet.
        finding: the code of what was found in it; such a version is not handed out.
        restored_from: the number of the version that it was made of.
        why: in somebody's words.
    """

    number: int
    name: str
    size_bytes: int
    sha256: str
    mime_type: str
    declared_type: str
    created_by: Person | None
    created_at: datetime
    verified_at: datetime | None
    finding: str
    restored_from: int | None
    why: str
    is_current: bool
    content: str

    @classmethod
    def of(cls, version: DocumentVersion, *, current: int, content: str) -> "VersionAnswer":
        return cls(
            number=version.number,
            name=version.name,
            size_bytes=version.size,
            sha256=version.sha256,
            mime_type=version.mime_type,
            declared_type=version.declared_type,
            created_by=Person.of(version.created_by),
            created_at=version.created_at,
            verified_at=version.verified_at,
            finding=version.finding,
            restored_from=version.restored_from,
            why=version.why,
            is_current=version.number == current,
            content=content,
        )


class UsageAnswer(BaseModel):
    """How much room somebody's documents take, with all their versions.

    Attributes:
        reserved_bytes: kept for uploads that are under way.
        limit_bytes: null: there is none.
    """

    used_bytes: int
    reserved_bytes: int
    limit_bytes: int | None

    @classmethod
    def of(cls, found: Usage) -> "UsageAnswer":
        return cls(used_bytes=found.used, reserved_bytes=found.reserved, limit_bytes=found.limit)

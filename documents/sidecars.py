"""What stands beside the files of a document, in `document.json`: all that its rows say, readable without Runsheet.

It is written with each change (`documents.services.writing`), and believed where the rows are gone (`documents.services.rebuilding`).
Whoever has the disk can write one. So it carries a seal, made with SECRET_KEY, which does not lie there: without a right
one, nothing of it is taken that would open anything to anybody.
"""

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from core.base.clock import now
from documents.errors import SidecarBroken, SidecarElsewhere, SidecarNewer
from documents.models import Document, DocumentVersion, ShareLink
from documents.models.shares import LABEL_AT_MOST
from documents.names import NAME_AT_MOST, UNIQUE_NAME, UNIQUE_NAME_AT_MOST, WHY_AT_MOST
from storage.backends.errors import BadKey
from storage.backends.keys import check_key

FORMAT = 1
NAME = "document.json"
# Some 40,000 versions; nobody reads more than that into memory because it lies there.
AT_MOST_BYTES = 32 * 1024 * 1024
# A number beyond these was given by nobody, and would use up those that are left.
KEY = re.compile(r"([1-9][0-9]{0,8})/documents/([1-9][0-9]{0,11})/document\.json", re.ASCII)
SALT = "documents.sidecars"
SAID_AT_MOST = 200


def _kept(text: str) -> str:
    """Raises:
    ValueError: PostgreSQL does not keep it.
    """
    if "\0" in text:
        raise ValueError("it has a null character")
    return text


Text = Annotated[str, AfterValidator(_kept)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
Large = Annotated[int, Field(ge=0, le=2**53)]
Key = Annotated[int, Field(ge=1, le=2**53)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Shape(BaseModel):
    """Whatever is read has just this form, and nothing beside."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, from_attributes=True)


class SaidDocument(Shape):
    """As the columns of the row are called."""

    id: Key
    unique_name: Annotated[str, Field(pattern=UNIQUE_NAME, max_length=UNIQUE_NAME_AT_MOST)]
    owner_id: Number
    charged_agency: Annotated[Text, Field(max_length=20)]
    name: Annotated[Text, Field(min_length=1, max_length=NAME_AT_MOST)]
    metadata: dict[str, Any]
    is_public: bool
    state: Literal["received", "pending", "active", "archived", "error"]
    current: Number
    last_number: Number
    revision: Number
    generation: Number
    size_bytes: Large
    mime_type: Annotated[Text, Field(max_length=255)]
    verified_at: AwareDatetime | None
    checked_out_by_id: Number | None
    checked_out_until: AwareDatetime | None
    archived_at: AwareDatetime | None
    purge_at: AwareDatetime | None
    failure_code: Annotated[Text, Field(max_length=50)]
    failure_message: Annotated[Text, Field(max_length=100_000)]
    entered_at: AwareDatetime
    created_at: AwareDatetime
    updated_at: AwareDatetime
    updated_by_id: Number | None


class SaidVersion(Shape):
    """As the columns of the row are called."""

    id: Key
    number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    key: str
    name: Annotated[Text, Field(min_length=1, max_length=NAME_AT_MOST)]
    size: Large
    sha256: Digest
    declared_type: Annotated[Text, Field(max_length=255)]
    restored_from: Number | None
    why: Annotated[Text, Field(max_length=WHY_AT_MOST)]
    created_by_id: Number | None
    created_at: AwareDatetime
    mime_type: Annotated[Text, Field(max_length=255)]
    verified_at: AwareDatetime | None
    finding: Annotated[Text, Field(max_length=50)]


class SaidLink(Shape):
    """As the columns of the row are called. What opens it stands there only as it does in the database: as a digest."""

    id: Key
    token_sha256: Digest
    hint: Annotated[Text, Field(max_length=4)]
    label: Annotated[Text, Field(max_length=LABEL_AT_MOST)]
    password: Annotated[Text, Field(max_length=128)]
    expires_at: AwareDatetime
    downloads_at_most: Number | None
    downloads: Number
    last_used_at: AwareDatetime | None
    created_by_id: Number | None
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None
    revoked_by_id: Number | None
    suspended_at: AwareDatetime | None
    suspended_why: Annotated[Text, Field(max_length=20)]


class SaidLease(Shape):
    """By which a lease is found again."""

    id: Key
    agency: Text
    lease_number: Text


class SaidPerson(Shape):
    """By which somebody is known again: numbers are given anew where all people are gone."""

    username: Annotated[Text, Field(min_length=1, max_length=150)]
    date_joined: AwareDatetime


class Said(Shape):
    """All of it.

    Attributes:
        edition: one more with each writing.
        people: by their numbers, whoever is named anywhere.
    """

    format: Literal[1]
    uuid: Annotated[UUID, Field(strict=False)]
    edition: Number
    written_at: AwareDatetime
    document: SaidDocument
    lease: SaidLease | None
    versions: list[SaidVersion]
    links: list[SaidLink]
    people: dict[Annotated[str, Field(pattern="^[0-9]{1,10}$")], SaidPerson]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """One that was read.

    Attributes:
        is_sealed: it is word for word what was written here, or wherever SECRET_KEY is the same.
    """

    said: Said
    is_sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """Which document a sidecar is of, whatever else it says. See `Said`."""

    uuid: str
    edition: int
    is_newer: bool
    is_sealed: bool


def key_of(*, owner_id: int, document_id: int) -> str:
    """Where the sidecar of a document lies."""
    return f"{owner_id}/documents/{document_id}/{NAME}"


def of(document_ids: Iterable[int]) -> dict[int, Said]:
    """What is to be said of each of the documents; what is not there any more is left out. Statements as for one."""
    documents = list(Document.objects.filter(pk__in=list(document_ids)).select_related("lease"))
    versions: dict[int, list[DocumentVersion]] = {document.pk: [] for document in documents}
    for version in DocumentVersion.objects.filter(document__in=list(versions)).order_by("number"):
        versions[version.document_id].append(version)
    links: dict[int, list[ShareLink]] = {document.pk: [] for document in documents}
    for link in ShareLink.objects.filter(document__in=list(links)).order_by("pk"):
        links[link.document_id].append(link)
    parts = {document.pk: _Parts(document, versions[document.pk], links[document.pk]) for document in documents}
    people = User.objects.in_bulk({person for some in parts.values() for person in some.named})
    return {pk: some.said(people) for pk, some in parts.items()}


def written(said: Said, *, edition: int) -> bytes:
    """As it lies in storage, with its seal.

    Raises:
        SidecarBroken: it is larger than is ever read.
    """
    payload = said.model_copy(update={"edition": edition, "written_at": now()}).model_dump(mode="json")
    return in_full(payload)


def in_full(payload: Mapping[str, Any]) -> bytes:
    """Anything that is said beside files, with its seal.

    Raises:
        SidecarBroken: it is larger than is ever read.
    """
    sealed = {**payload, "seal": _seal(plain(payload), settings.SECRET_KEY)}
    content = json.dumps(sealed, ensure_ascii=False, indent=1).encode()
    if len(content) > AT_MOST_BYTES:
        raise SidecarBroken(f"What is to be said of it has {len(content):,} bytes; {AT_MOST_BYTES:,} are the most.")
    return content


def read(key: str, content: bytes) -> Sidecar:
    """What stands there, if it is a sidecar of the document whose folder it lies in.

    Raises:
        SidecarBroken: it is none.
        SidecarNewer: it says more than is understood here.
        SidecarElsewhere: it speaks of what lies in another folder.
    """
    payload, is_sealed = unsealed(content)
    try:
        # Word for word what the seal is of, and not what another reader would make of the same bytes.
        said = Said.model_validate_json(plain(payload))
    except ValidationError as error:
        raise SidecarBroken(why_invalid(error)) from error
    _check(said, key)
    return Sidecar(said=said, is_sealed=is_sealed)


def why_invalid(error: ValidationError) -> str:
    """The first thing that is wrong with what is said, in a sentence; what stands there is not repeated."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:SAID_AT_MOST]
    return f"What stands there cannot be used: {place}: {first['msg'][:SAID_AT_MOST]}."


def glimpse(content: bytes) -> Glimpse | None:
    """Of which document it is; None if nobody can say."""
    try:
        payload, is_sealed = unsealed(content, knows=False)
    except SidecarBroken:
        return None
    uuid, edition = payload.get("uuid"), payload.get("edition")
    if not isinstance(uuid, str) or not isinstance(edition, int):
        return None
    return Glimpse(uuid=uuid, edition=edition, is_newer=payload["format"] > FORMAT, is_sealed=is_sealed)


def unsealed(content: bytes, *, knows: bool = True) -> tuple[dict[str, Any], bool]:
    """What is said, without its seal, and whether that is right.

    Args:
        knows: what is of a newer format is of no use.

    Raises:
        SidecarBroken: nothing is.
        SidecarNewer: see `knows`.
    """
    if len(content) > AT_MOST_BYTES:
        raise SidecarBroken(f"What stands beside the files has more than {AT_MOST_BYTES:,} bytes.")
    try:
        payload = json.loads(content)
        is_about = plain({name: value for name, value in payload.items() if name != "seal"})
    except (ValueError, RecursionError, AttributeError) as error:
        raise SidecarBroken(
            "What stands beside the files is no object in JSON. Perhaps it was only half written."
        ) from error
    version = payload.get("format")
    if not isinstance(version, int) or version < 1:
        raise SidecarBroken("What stands beside the files does not say of which format it is.")
    if version > FORMAT and knows:
        raise SidecarNewer(
            f"What stands beside the files is of format {version}; {FORMAT} is known here. Upgrade Runsheet, then look again."
        )
    seal = payload.pop("seal", None)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    is_sealed = isinstance(seal, str) and any(
        hmac.compare_digest(_seal(is_about, key).encode(), seal.encode("utf-8", "replace")) for key in keys
    )
    return payload, is_sealed


def folder_of(key: str) -> tuple[int, int] | None:
    """The owner and the document whose sidecar would have that key; None if none would."""
    found = KEY.fullmatch(key)
    return (int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class _Parts:
    """The rows of a document."""

    document: Document
    versions: list[DocumentVersion]
    links: list[ShareLink]

    @property
    def named(self) -> list[int]:
        """Whoever is named in them, each once."""
        document = self.document
        found = [document.owner_id, document.checked_out_by_id, document.updated_by_id]
        found += [version.created_by_id for version in self.versions]
        found += [person for link in self.links for person in (link.created_by_id, link.revoked_by_id)]
        return [pk for pk in dict.fromkeys(found) if pk is not None]

    def said(self, people: Mapping[int, User]) -> Said:
        document = self.document
        return Said(
            format=1,
            uuid=document.uuid,
            edition=0,
            written_at=document.updated_at,
            document=SaidDocument.model_validate(document),
            lease=SaidLease.model_validate(document.lease) if document.lease else None,
            versions=[SaidVersion.model_validate(version) for version in self.versions],
            links=[SaidLink.model_validate(link) for link in self.links],
            people={str(pk): SaidPerson.model_validate(people[pk]) for pk in self.named if pk in people},
        )


def _check(said: Said, key: str) -> None:
    """See that it speaks of its own folder, and says nothing that contradicts itself.

    Raises:
        SidecarElsewhere, SidecarBroken: it does not.
    """
    document, numbers = said.document, [version.number for version in said.versions]
    if folder_of(key) != (document.owner_id, document.id):
        raise SidecarElsewhere(
            f"It speaks of document {document.id} of person {document.owner_id}, and lies in another folder. "
            "Put it back where it was, then look again."
        )
    folder = key.removesuffix(NAME)
    for version in said.versions:
        if not _is_inside(folder, version.key):
            raise SidecarElsewhere(f"Version {version.number} is said to lie outside of the folder of the document.")
    known = set(numbers)
    is_odd = {
        "a version twice": len(known) < len(numbers),
        "a version that is not there": document.current not in {0, *known},
        "a version with a number that was never given": bool(known) and max(known) > document.last_number,
        "a state that needs a version": document.state == "active" and document.current == 0,
        "a person who is not named": str(document.owner_id) not in said.people,
    }
    if what := next((words for words, applies in is_odd.items() if applies), ""):
        raise SidecarBroken(f"What stands beside the files contradicts itself: it names {what}.")


def _is_inside(folder: str, key: str) -> bool:
    """Whether a version may lie there: in a folder of its number, in that of the document."""
    number, slash, name = key.removeprefix(folder).partition("/")
    try:
        check_key(key)
    except BadKey:
        return False
    return (
        key.startswith(folder)
        and bool(slash)
        and "/" not in name
        and re.fullmatch("[1-9][0-9]{0,9}", number) is not None
    )


def plain(payload: Mapping[str, Any]) -> bytes:
    """The one way to write what is sealed.

    Raises:
        ValueError: JSON cannot say it, or UTF-8.
    """
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _seal(plain: bytes, secret: str | bytes) -> str:
    return salted_hmac(SALT, plain, secret=secret, algorithm="sha256").hexdigest()

"""Documents one by one, for programs: found, read, and said something else of."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from ninja import Body, Query
from pydantic import ConfigDict, Field

from api import etags
from api.paging import Page, Paged, page
from api.shapes import Key, Moment, Said, Text
from core.base.clock import in_utc
from core.http.lists import of_list
from documents.api.asking import answer_of, as_seen, asking, here, saved, shown, there, told, version_of
from documents.api.router import router
from documents.api.shapes import DocumentAnswer, Status, UsageAnswer, VersionAnswer
from documents.models import Document, DocumentVersion
from documents.services import documents, usage

# By columns that have an index.
ORDERS: Mapping[str, str] = {"id": "pk", "name": "name", "created_at": "created_at", "updated_at": "updated_at"}
type DocumentOrder = Literal["id", "-id", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"]


class Listed(Paged):
    """Which documents, and in which order; all of it has to hold.

    Attributes:
        owner: the number of a person.
        lease: the number of a lease.
        name: a part of its name, in any case.
        type: a media type, or the first part of one, such as “image/”.
        changed_since: it was changed then, or later.
    """

    owner: Key | None = None
    lease: Key | None = None
    status: Status | None = None
    name: Annotated[Text, Field(max_length=200)] = ""
    unique_name: Annotated[Text, Field(max_length=200)] | None = None
    type: Annotated[Text, Field(max_length=200)] = ""
    is_public: bool | None = None
    changed_since: Moment | None = None
    order: DocumentOrder = "-id"

    @property
    def by(self) -> str:
        """As the table calls it."""
        return f"{'-' if self.order.startswith('-') else ''}{ORDERS[self.order.removeprefix('-')]}"

    def among(self, found: QuerySet[Document]) -> QuerySet[Document]:
        """Those to which all of it applies."""
        said: dict[str, Any] = {
            "owner": self.owner,
            "lease": self.lease,
            "state": self.status,
            "name__icontains": self.name or None,
            "plain_name": self.unique_name and self.unique_name.lower(),
            "mime_type__startswith": self.type or None,
            "is_public": self.is_public,
            "updated_at__gte": self.changed_since and in_utc(self.changed_since),
        }
        narrowed = {field: value for field, value in said.items() if value is not None}
        return found.alias(plain_name=Lower("unique_name")).filter(**narrowed)


class ChangedDocument(Said):
    """What of it is to be otherwise; what is left out stays.

    Attributes:
        lease: null: it belongs to none.
        metadata: the whole object.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Deed of 1907.pdf", "metadata": {"book": 12}}]})

    name: Text = ""
    unique_name: Text = ""
    is_public: bool = False
    metadata: dict[str, Any] = {}
    lease: Key | None = None

    def given(self) -> dict[str, Any]:
        """As the service takes it."""
        said = self.model_dump(exclude_unset=True)
        return {("lease_id" if field == "lease" else field): value for field, value in said.items()}


@router.get("/", response=Page[DocumentAnswer], url_name="documents")
@of_list
def found_documents(
    request: HttpRequest, response: HttpResponse, wanted: Annotated[Listed, Query()]
) -> Page[DocumentAnswer]:
    """Documents that all of the parameters apply to, some at a time: everybody's, or for who may not see these, their own.

    Raises:
        PermissionDenied, CursorUnknown: nothing was looked for.
    """
    found = wanted.among(shown(asking(request)))
    some = page(found, order=[wanted.by], cursor=wanted.cursor, limit=wanted.limit, total=wanted.total)
    return some.shown(lambda document: answer_of(request, document)).told(request, response)


@router.get("/usage/", response=UsageAnswer, url_name="documents_usage")
def room(request: HttpRequest) -> UsageAnswer:
    """How much room one's own documents take, and may take.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
    """
    return UsageAnswer.of(usage.usage(owner_id=asking(request).pk))


@router.get("/{int:document_id}/", response=DocumentAnswer, url_name="document")
def document(request: HttpRequest, response: HttpResponse, document_id: int) -> DocumentAnswer:
    """A document as it stands.

    Raises:
        PermissionDenied, RecordGone: there is nothing to see.
        NotModified: who asks has it already.
    """
    return told(request, response, there(asking(request), document_id))


@router.patch("/{int:document_id}/", response=DocumentAnswer, url_name="document")
def change_document(
    request: HttpRequest, response: HttpResponse, document_id: int, wish: Annotated[ChangedDocument, Body()]
) -> DocumentAnswer:
    """Say something else of a document.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.change`.
    """
    with as_seen(request, document_id) as user:
        documents.change(document_id=document_id, by=user, **wish.given())
    return saved(request, response, user, document_id)


@router.delete("/{int:document_id}/", response=DocumentAnswer, url_name="document")
def archive_document(request: HttpRequest, response: HttpResponse, document_id: int) -> DocumentAnswer:
    """Take a document out of sight; nothing of it is deleted, and it can be restored.

    Raises:
        PermissionDenied, RecordGone, PreconditionMissing, PreconditionFailed: nothing was changed.
        Refused: see `documents.services.documents.archive`.
    """
    with as_seen(request, document_id) as user:
        documents.archive(document_id=document_id, by=user)
    return saved(request, response, user, document_id)


@router.get("/{int:document_id}/versions/", response=Page[VersionAnswer], url_name="document_versions")
def versions(
    request: HttpRequest, response: HttpResponse, document_id: int, wanted: Annotated[Paged, Query()]
) -> Page[VersionAnswer]:
    """The versions of a document, the last one first. The ETag is the document's.

    Raises:
        PermissionDenied, RecordGone, CursorUnknown: there is nothing to see.
    """
    of = there(asking(request), document_id)
    found = DocumentVersion.objects.filter(document=of).select_related("created_by")
    some = page(
        found,
        order=["-number"],
        cursor=wanted.cursor,
        limit=wanted.limit,
        total=wanted.total,
        of=f"versions of {document_id}",
    )
    response["ETag"] = version_of(of)
    return some.shown(lambda each: _version(request, of, each)).told(request, response)


@router.get("/{int:document_id}/versions/{int:number}/", response=VersionAnswer, url_name="document_version")
def version(request: HttpRequest, response: HttpResponse, document_id: int, number: int) -> VersionAnswer:
    """One of the versions.

    Raises:
        PermissionDenied, RecordGone, VersionUnknown: there is nothing to see.
        NotModified: who asks has it already.
    """
    of = there(asking(request), document_id)
    found = documents.version_of(of, number)
    who = found.created_by.get_username() if found.created_by else ""
    etags.told(request, response, etags.etag_of(found, who, of.current))
    return _version(request, of, found)


def _version(request: HttpRequest, of: Document, found: DocumentVersion) -> VersionAnswer:
    content = here(request, "document_version_content", of.pk, found.number)
    return VersionAnswer.of(found, current=of.current, content=content)

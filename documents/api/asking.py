"""Who asks, which documents they may see, and at which version of one they have looked."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from api import etags
from documents.api.shapes import DocumentAnswer
from documents.models import Document, DocumentVersion
from documents.queries import visible_to
from documents.services.rights import ADD, VIEW
from statemachine.errors import RecordGone
from statemachine.transitions import locked


def asking(request: HttpRequest) -> User:
    """Who asks, if they have to do with documents at all: with everybody's, or with their own.

    Raises:
        PermissionDenied: they have not.
    """
    user = request.auth  # type: ignore[attr-defined]  # set by whoever has found out who asks
    assert isinstance(user, User)
    if not user.has_perm(VIEW) and not user.has_perm(ADD):
        raise PermissionDenied("You do not have the permission to see documents. Ask an administrator.")
    return user


def here(request: HttpRequest, name: str, *args: int | str) -> str:
    """The address of another operation of the same interface."""
    space = request.resolver_match.namespace if request.resolver_match else ""
    return reverse(f"{space}:{name}", args=args)


def shown(user: User) -> QuerySet[Document]:
    """The documents that the person may see, each with all that is told of it, in one statement."""
    current = DocumentVersion.objects.filter(document=OuterRef("pk"), number=OuterRef("current"))
    return (
        visible_to(user)
        .select_related("owner", "checked_out_by")
        .annotate(current_key=Subquery(current.values("key")), current_sha256=Subquery(current.values("sha256")))
    )


def there(user: User, document_id: int) -> Document:
    """One of them.

    Raises:
        RecordGone: there is none, or none for this person.
    """
    found = shown(user).filter(pk=document_id).first()
    if found is None:
        raise RecordGone
    return found


def version_of(document: Document) -> str:
    """The ETag of what is answered of a document; its versions never change."""
    return etags.etag_of(document, *beside(document))


@contextmanager
def as_seen(request: HttpRequest, document_id: int) -> Iterator[User]:
    """The document as who asks has seen it, with which something is done in the body; nobody comes between.

    Raises:
        PermissionDenied, RecordGone: there is nothing to see.
        PreconditionMissing, PreconditionFailed: nothing was done.
    """
    user = asking(request)
    there(user, document_id)
    with locked(Document, document_id) as document:
        etags.require_match(request, document, *beside(document))
        yield user


def as_seen_before(request: HttpRequest, document_id: int) -> tuple[User, int]:
    """Who asks, and the generation in which they have seen the document; for what takes long, so that nothing is held meanwhile.

    Raises:
        PermissionDenied, RecordGone: there is nothing to see.
        PreconditionMissing, PreconditionFailed: nothing was done.
    """
    with as_seen(request, document_id) as user, locked(Document, document_id) as document:
        return user, document.generation


def told(request: HttpRequest, response: HttpResponse, document: Document) -> DocumentAnswer:
    """The answer of a document, with its ETag.

    Raises:
        NotModified: who asks has it already.
    """
    etags.told(request, response, version_of(document))
    return answer_of(request, document)


def saved(request: HttpRequest, response: HttpResponse, user: User, document_id: int) -> DocumentAnswer:
    """The answer of a document that was just changed, with its ETag."""
    document = there(user, document_id)
    response["ETag"] = version_of(document)
    return answer_of(request, document)


def answer_of(request: HttpRequest, document: Document) -> DocumentAnswer:
    """The answer of one that `shown` has found."""
    return DocumentAnswer.of(document, content=here(request, "document_content", document.pk))


def beside(document: Document) -> tuple[str, ...]:
    """What the answer holds that may change by itself: what people are called."""
    people = (document.owner, document.checked_out_by)
    return tuple(each.get_username() if each else "" for each in people)

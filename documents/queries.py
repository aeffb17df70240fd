"""Reads that more than one place needs."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from documents.models import Document, DocumentVersion, ShareLink
from documents.models.shares import ShareLinkQuerySet
from storage.models import FileState, StoredFile

VIEW = "documents.view_document"
SHARE, MANAGE = "documents.share_document", "documents.manage_documents"


def visible_to(user: User) -> QuerySet[Document]:
    """The documents that the person may see: everybody's, or their own."""
    documents = Document.objects.all()
    return documents if user.has_perm(VIEW) else documents.filter(owner_id=user.pk)


def links_visible_to(user: User) -> ShareLinkQuerySet:
    """The links that the person may see: to everybody's documents, or to their own; those that they made always."""
    links = ShareLink.objects.all()
    if user.has_perm(SHARE) and user.has_perm(MANAGE):
        return links
    mine = Q(created_by_id=user.pk)
    return links.filter(mine | Q(document__owner_id=user.pk) if user.has_perm(SHARE) else mine)


def roots_of_documents() -> list[str]:
    """The names of the roots of the index that are the place for documents."""
    declared = settings.STORAGE_ROOTS.items()
    return [name for name, said in declared if said.get("kind") == "storage" and said.get("storage") == "documents"]


def missing_keys(keys: Iterable[str]) -> set[str]:
    """Those of the keys at which the index knows that nothing lies any more."""
    rows = StoredFile.objects.filter(root__name__in=roots_of_documents(), key__in=list(keys))
    return set(rows.exclude(state=FileState.PRESENT).values_list("key", flat=True))


def is_missing(version: DocumentVersion | None) -> bool:
    """Whether the index knows that the file of a version is not in storage. The document goes on when it is back."""
    return version is not None and bool(missing_keys([version.key]))


def stood_on(file_ids: Sequence[int]) -> dict[int, str]:
    """Those of the index's rows on which a version of a document stands, and which."""
    rows = StoredFile.objects.filter(pk__in=file_ids, root__name__in=roots_of_documents(), is_directory=False)
    ids = {key: pk for pk, key in rows.values_list("pk", "key")}
    versions = DocumentVersion.objects.filter(key__in=ids).order_by("number")
    return {ids[each.key]: f"It is version {each.number} of document {each.document_id}." for each in versions}

"""Addresses of documents beyond their pages in the console."""

from django.urls import reverse

from documents.models import Document, DocumentVersion


def download_url(version: DocumentVersion) -> str:
    """Where a version is downloaded; whoever is logged in to the console is known there, too."""
    return reverse("api:document_version_content", args=[version.document_id, version.number])


def restore_url(version: DocumentVersion) -> str:
    """Where it is asked that a version be the current one again."""
    return reverse("admin:documents_document_restore_version", args=[version.document_id, version.number])


def share_url(document: Document) -> str:
    """Where somebody gives it to people outside."""
    return reverse("admin:documents_sharelink_of", args=[document.pk])


def public_url(document: Document) -> str:
    """Where everybody finds it, once it is for everybody."""
    return reverse("public_document", args=[document.unique_name])

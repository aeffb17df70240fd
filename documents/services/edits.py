"""What somebody has changed of a document without taking it anywhere, in words for who reads its history."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User

from documents.models import Document
from statemachine.transitions import Actor, log_edit

KEYS_SHOWN = 10


def log(document: Document, edit: str, *, by: User, told: str) -> None:
    """Have it in the history of a locked document, which is written.

    Args:
        edit: one of `Document.edits`.
        told: what was changed.
    """
    log_edit(document, edit, Actor.person(by), reason=told)


def told_of(document: Document, wanted: Mapping[str, Any]) -> str:
    """What differs in what is wanted of the document as it still is.

    Of a lease no number: not all who read histories may see leases.
    """
    return "; ".join(_told(document, wanted))


def _told(document: Document, wanted: Mapping[str, Any]) -> Iterator[str]:
    for field, said in (("name", "name"), ("unique_name", "unique name")):
        was, now = getattr(document, field), wanted.get(field, getattr(document, field))
        if was != now:
            yield f"{said} “{was}”, now “{now}”"
    if wanted.get("is_public", document.is_public) != document.is_public:
        yield "no longer public" if document.is_public else "public from now on"
    if (lease := wanted.get("lease_id", document.lease_id)) != document.lease_id:
        moved = "moved to another lease" if document.lease_id else "put to a lease"
        yield moved if lease else "taken from its lease"
    if keys := _changed_keys(document.metadata, wanted.get("metadata", document.metadata)):
        yield f"metadata: {', '.join(keys[:KEYS_SHOWN])}{' and others' if len(keys) > KEYS_SHOWN else ''}"


def _changed_keys(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    missing = object()
    return [key for key in sorted({*was, *now}) if was.get(key, missing) != now.get(key, missing)]

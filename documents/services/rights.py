"""Whose documents a person may change; asked in every service, since not every way to one has a button."""

from django.contrib.auth.models import User

from core.base.clock import now
from documents.errors import CheckedOut, NotYourDocument
from documents.models import Document
from statemachine.errors import Stale
from statemachine.rights import require

ADD, CHANGE, VIEW = "documents.add_document", "documents.change_document", "documents.view_document"
MANAGE, PURGE = "documents.manage_documents", "documents.purge_document"
# To say of which one a document is, and to be told.
SEE_LEASES = "leases.view_lease"
SHARE = "documents.share_document"


def require_change(document: Document, *, by: User, generation: int | None = None) -> None:
    """Go on only if the person may change this document now.

    Args:
        document: locked.
        generation: what the person saw; None: whatever it has become since.

    Raises:
        TransitionForbidden, NotYourDocument: they may not.
        Stale: somebody has changed it since.
        CheckedOut: somebody else has it to themselves.
    """
    require_own(document, by=by)
    if generation is not None and document.generation != generation:
        raise Stale(_overtaken(document, by=by))
    if document.is_checked_out_at(now()) and document.checked_out_by_id != by.pk:
        until = document.checked_out_until
        raise CheckedOut(
            f"{document.checked_out_by} has checked this document out until {until:%Y-%m-%d %H:%M} UTC. "
            "Wait until it is checked in."
        )


def require_own(document: Document, *, by: User) -> None:
    """Go on only if the person may change such a document at all.

    Raises:
        TransitionForbidden, NotYourDocument: they may not.
    """
    require(by, CHANGE)
    if document.owner_id != by.pk and not by.has_perm(MANAGE):
        raise NotYourDocument


def require_share(document: Document, *, by: User) -> None:
    """Go on only if the person may give this document to people outside.

    Raises:
        TransitionForbidden, NotYourDocument: they may not.
    """
    require(by, SHARE)
    if document.owner_id != by.pk and not by.has_perm(MANAGE):
        raise NotYourDocument


def may_share(document: Document, *, by: User | None) -> bool:
    """Whether the person may; nobody may in the name of who is gone or switched off."""
    return by is not None and by.has_perm(SHARE) and (document.owner_id == by.pk or by.has_perm(MANAGE))


def _overtaken(document: Document, *, by: User) -> str:
    """Who was faster, where that is known."""
    who = document.updated_by
    if who is None or who == by:
        return Stale.sentence()
    return (
        f"{who} has changed this document since it was looked at (at {document.updated_at:%Y-%m-%d %H:%M:%S} UTC); "
        "nothing was changed. Reload to see its present state."
    )

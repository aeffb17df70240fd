"""The buttons of a document."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from console.machine.buttons import Button, Question, Service
from core.base.clock import now
from documents.admin.forms import CheckOutForm
from documents.errors import CheckedOut, NotYourDocument
from documents.models import Document
from documents.services import documents, ways_back
from documents.services.rights import CHANGE, MANAGE, require_change
from documents.states import State
from statemachine.transitions import Step

REPLACED = (
    "The bytes of this version are put back from another version that has the same. What lies in their place is gone then. "
    "Bring them back?"
)


def _as_button(service: Callable[..., Document]) -> Service:
    """A service as a button calls it."""

    def press(*, record_id: int, user: User, generation: int | None, **answers: Any) -> Document:
        return service(document_id=record_id, by=user, generation=generation, **answers)

    return press


def _hindered(document: Document, user: User) -> str:
    """It is somebody else's, or somebody has it to themselves."""
    try:
        require_change(document, by=user)
    except (NotYourDocument, CheckedOut) as refusal:
        return str(refusal)
    return ""


def _not_theirs(document: Document, user: User) -> str:
    """Who looks after everybody's checks in for others, too."""
    is_others = document.checked_out_by_id != user.pk and not user.has_perm(MANAGE)
    return _hindered(document, user) if is_others else ""


def _how_long(_document: Document) -> Question:
    return Question(
        words="Nobody else can change it until you check it in, or that time is over.",
        form=CheckOutForm,
        is_grave=False,
    )


def _not_checked_out(document: Document) -> str:
    return "" if document.is_checked_out_at(now()) else "Nobody has checked it out."


def _asked_before_purging(_document: Document) -> Question:
    days = settings.DOCUMENTS_PURGE_GRACE_DAYS
    if days:
        kept = f"Everything is kept for {days} day{'s' if days != 1 else ''}, in which it can be restored; then all its"
    else:
        kept = "Nothing is kept: within the next minutes all its"
    return Question(
        words=f"{kept} versions and its share links are deleted for good. What was done with it stays in the transition log."
        " Delete it for good?"
    )


def _not_archived(_document: Document) -> str:
    return "Only an archived document can be deleted for good. Archive it first."


def _never_verified(document: Document) -> str:
    return "It was never verified. Verify it, and it is restored." if document.archived_at else ""


BUTTONS = (
    Button(
        name="archive",
        label="Archive",
        step=Step(transition="archive"),
        service=_as_button(documents.archive),
        hindered=_hindered,
    ),
    Button(
        name="restore",
        label="Restore",
        step=Step(transition="restore"),
        service=_as_button(documents.restore),
        hindered=_hindered,
        first_in={State.ARCHIVED},
        missing=_never_verified,
    ),
    Button(
        name="take-changed",
        label="Take it as a new version",
        step=Step(transition="take_changed"),
        service=_as_button(ways_back.take_changed),
        hindered=_hindered,
        first_in={State.ERROR},
    ),
    Button(
        name="verify",
        label="Verify again",
        step=Step(transition="verify"),
        service=_as_button(documents.verify),
        hindered=_hindered,
        first_in={State.RECEIVED, State.ERROR},
    ),
    Button(
        name="check-out",
        label="Check out",
        step=None,
        permission=CHANGE,
        service=_as_button(documents.check_out),
        question=_how_long,
        hindered=_hindered,
    ),
    Button(
        name="check-in",
        label="Check in",
        step=None,
        permission=CHANGE,
        service=_as_button(documents.check_in),
        missing=_not_checked_out,
        hindered=_not_theirs,
    ),
    Button(
        name="bring-back",
        label="Bring back the old one",
        step=Step(transition="bring_back"),
        service=_as_button(ways_back.bring_back),
        question=lambda _document: Question(words=REPLACED),
        hindered=_hindered,
    ),
    Button(
        name="purge",
        label="Delete for good",
        step=Step(transition="purge"),
        service=_as_button(documents.purge),
        question=_asked_before_purging,
        missing=_not_archived,
        hindered=_hindered,
    ),
    Button(
        name="stop",
        label="Stop",
        step=Step(transition="cancel"),
        service=_as_button(documents.cancel),
        hindered=_hindered,
        ends=True,
        asks="The verifying stops, and nobody gets the file until it was verified.",
    ),
)

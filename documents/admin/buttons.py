"""The buttons of a document."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User

from console.machine.buttons import Button, Question, Service
from documents.errors import NotYourDocument
from documents.models import Document
from documents.services import documents, ways_back
from documents.services.rights import MANAGE
from documents.states import State
from statemachine.transitions import Step

REPLACED = (
    "The bytes of this version are put back from another version that has the same. What lies in their place is gone then. "
    "Bring them back?"
)


def _as_button(service: Callable[..., Document]) -> Service:
    """A service as a button calls it."""

    def press(*, record_id: int, user: User, generation: int | None) -> Document:
        return service(document_id=record_id, by=user, generation=generation)

    return press


def _of_another(document: Document, user: User) -> str:
    is_theirs = document.owner_id == user.pk or user.has_perm(MANAGE)
    return "" if is_theirs else NotYourDocument.sentence()


def _asked_before_purging(_document: Document) -> Question:
    days = settings.DOCUMENTS_PURGE_GRACE_DAYS
    when = f"in {days} days" if days else "within the next minutes"
    return Question(
        words=f"All its versions are deleted for good {when}. Until then it can be restored. Delete it for good?"
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
        hindered=_of_another,
    ),
    Button(
        name="restore",
        label="Restore",
        step=Step(transition="restore"),
        service=_as_button(documents.restore),
        hindered=_of_another,
        missing=_never_verified,
    ),
    Button(
        name="verify",
        label="Verify again",
        step=Step(transition="verify"),
        service=_as_button(documents.verify),
        hindered=_of_another,
    ),
    Button(
        name="take-changed",
        label="Take it as a new version",
        step=Step(transition="take_changed"),
        service=_as_button(ways_back.take_changed),
        hindered=_of_another,
        first_in={State.ERROR},
    ),
    Button(
        name="bring-back",
        label="Bring back the old one",
        step=Step(transition="bring_back"),
        service=_as_button(ways_back.bring_back),
        question=lambda _document: Question(words=REPLACED),
        hindered=_of_another,
    ),
    Button(
        name="purge",
        label="Delete for good",
        step=Step(transition="purge"),
        service=_as_button(documents.purge),
        question=_asked_before_purging,
        missing=_not_archived,
        hindered=_of_another,
    ),
    Button(
        name="stop",
        label="Stop",
        step=Step(transition="cancel"),
        service=_as_button(documents.cancel),
        hindered=_of_another,
        ends=True,
        asks="The verifying stops, and nobody gets the file until it was verified.",
    ),
)

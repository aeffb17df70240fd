"""What a document owes while it is pending: a look at what lies in storage, in slices."""

from django.conf import settings

from core.base.errors import RunsheetError
from documents.models import Document
from documents.states import State
from statemachine.reactions import Backoff, Ending, Limits, Run, reaction

# A virus scanner takes its time over a large file.
LIMITS = Limits(soft_s=300, hard_s=360)


def retry_rules() -> Backoff:
    return Backoff(tries=5, base_s=2, cap_s=120)


def _hold_back(document: Document, error: RunsheetError) -> None:
    from documents.services.verifying import hold_back  # noqa: PLC0415 - see below

    hold_back(document, error)


@reaction(
    Document,
    State.PENDING,
    retry=retry_rules,
    queue=settings.STORAGE_QUEUE,
    limits=LIMITS,
    gave_up=_hold_back,
)
def verify(run: Run[Document]) -> Ending:
    """See that the current version is what was uploaded, what kind of file it is, and that no virus is in it."""
    from documents.services.verifying import verified  # noqa: PLC0415 - every worker knows what is owed, and does without the rest

    return verified(run)

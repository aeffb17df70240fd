"""The same for many documents: what cannot be done with one does not keep it from being done with the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from core.base.errors import Refused
from documents.errors import NotYourDocument
from documents.models import Document
from documents.services import documents
from documents.services.rights import MANAGE
from statemachine.batches import run_many
from statemachine.models import Batch

AT_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What became of one document.

    Attributes:
        code, message: why nothing was done with it; empty where it was.
    """

    document_id: int
    code: str = ""
    message: str = ""

    @property
    def is_done(self) -> bool:
        return not self.code


ACTIONS: Final[Mapping[str, Callable[..., Document]]] = {
    "archive": documents.archive,
    "restore": documents.restore,
    "verify": documents.verify,
    "check_in": documents.check_in,
    "purge": documents.purge,
    "change": documents.change,
}


def bulk(*, action: str, document_ids: Sequence[int], by: User, **given: Any) -> tuple[ItemResult, ...]:
    """Do the same with many documents, each in a transaction of its own; what became of each, in their order.

    Args:
        action: one of `ACTIONS`.
        document_ids: at most `AT_MOST`; what is named twice is done once.
        given: what the action wants beside, such as `metadata` or `lease_id` for a change.

    Raises:
        KeyError, ValueError: there is no such action; there are too many.
    """
    act = ACTIONS[action]
    if len(document_ids) > AT_MOST:
        raise ValueError(f"At most {AT_MOST:,} documents at once.")
    return tuple(_one(act, document_id, by, given) for document_id in dict.fromkeys(document_ids))


def _one(act: Callable[..., Document], document_id: int, by: User, given: Mapping[str, Any]) -> ItemResult:
    try:
        act(document_id=document_id, by=by, **given)
    except Refused as error:
        return ItemResult(document_id=document_id, code=error.code, message=str(error))
    return ItemResult(document_id=document_id)


def verify_many(records: QuerySet[Document], user: User, /, *, which: str) -> Batch:
    """Owe each of the documents another look at what lies in storage, as one batch.

    Raises:
        NotYourDocument: some are somebody else's. Nothing was saved.
        TransitionForbidden, ChoiceChanged, NothingToStart, DatabaseTooBusy: nothing was saved.
    """
    others = 0 if user.has_perm(MANAGE) else records.exclude(owner_id=user.pk).count()
    if others:
        raise NotYourDocument(
            f"{Document.counted(others)} of those that you have chosen {'is' if others == 1 else 'are'} somebody else's, "
            "so nothing was done. Narrow the list to your own, or ask an administrator."
        )
    return run_many(records, user, which=which)

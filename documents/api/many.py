"""The same for many documents, for programs: what cannot be done with one does not keep it from being done with the others."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Body
from pydantic import BaseModel, ConfigDict, Field

from api.shapes import Key, Said
from documents.api.asking import asking
from documents.api.router import router
from documents.api.routes import ChangedDocument
from documents.queries import visible_to
from documents.services.bulk import AT_MOST, ItemResult, bulk
from statemachine.errors import RecordGone

type Action = Literal["archive", "restore", "verify", "check_in", "purge", "change"]


class Many(Said):
    """What is done, and with which documents.

    Attributes:
        ids: their numbers; what is named twice is done once.
        change: what of them is to be otherwise, where the action is “change”; a unique name can be of one only.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"action": "archive", "ids": [17, 18]}]})

    action: Action
    ids: Annotated[list[Key], Field(min_length=1, max_length=AT_MOST)]
    change: ChangedDocument = ChangedDocument()


class BecameOfOne(BaseModel):
    """What became of one.

    Attributes:
        code, detail: why nothing was done with it; empty where it was.
    """

    id: int
    is_done: bool
    code: str
    detail: str

    @classmethod
    def of(cls, result: ItemResult) -> "BecameOfOne":
        return cls(id=result.document_id, is_done=result.is_done, code=result.code, detail=result.message)


class BecameOfMany(BaseModel):
    """What became of all of them, in their order."""

    done: int
    refused: int
    items: list[BecameOfOne]


@router.post("/bulk/", response=BecameOfMany, url_name="documents_bulk")
def many(request: HttpRequest, wish: Annotated[Many, Body()]) -> BecameOfMany:
    """Do the same with many documents, each by itself.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
    """
    user = asking(request)
    given: dict[str, Any] = wish.change.given() if wish.action == "change" else {}
    ids = list(dict.fromkeys(wish.ids))
    seen = set(visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    done = {
        each.document_id: each
        for each in bulk(action=wish.action, document_ids=[each for each in ids if each in seen], by=user, **given)
    }
    results = [done.get(each) or _gone(each) for each in ids]
    return BecameOfMany(
        done=sum(each.is_done for each in results),
        refused=sum(not each.is_done for each in results),
        items=[BecameOfOne.of(each) for each in results],
    )


def _gone(document_id: int) -> ItemResult:
    """Of others nobody is told that there is one."""
    return ItemResult(document_id=document_id, code=RecordGone.code, message=RecordGone.sentence())

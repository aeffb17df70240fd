"""Many leases are deleted at once, for programs: never without having been counted before."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Body, Router
from pydantic import BaseModel

from leases.api.asking import SEE, asking
from leases.api.filters import Chosen
from leases.deleting import delete_leases, plan_of
from leases.errors import NotAskedBefore

router = Router()


class ManyDeleted(Chosen):
    """Which leases are deleted.

    Attributes:
        dry_run: delete nothing, and say what it would come to.
        which: what a dry run has told: these leases only, as they were then.
    """

    dry_run: bool = False
    which: str = ""


class DeletionAnswer(BaseModel):
    """What was deleted, or would be.

    Attributes:
        chosen: how many there are.
        owed: of how many a run is under way or waits; null where they are deleted.
        which: what is sent to delete them, so that it is these leases only, as they are now; empty where they are deleted.
        deleted: how many are; a dry run deletes none.
    """

    chosen: int
    owed: int | None
    which: str
    deleted: int


@router.post("/delete/", response=DeletionAnswer, url_name="delete_many_leases")
def delete_many(request: HttpRequest, wish: Annotated[ManyDeleted, Body()]) -> DeletionAnswer:
    """Delete many leases, after a dry run has told which they are. What lies in Dropbox stays.

    Raises:
        TransitionForbidden, NotAskedBefore, ChoiceUnclear, ChoiceChanged, TooManySearched, DatabaseTooBusy: nothing was deleted.
    """
    user = asking(request, SEE)
    if wish.dry_run == bool(wish.which):
        raise NotAskedBefore
    if wish.dry_run:
        plan = plan_of(wish.leases(), user=user)
        return DeletionAnswer(chosen=plan.chosen, owed=plan.owed, which=plan.which, deleted=0)
    count = delete_leases(leases=wish.leases(), which=wish.which, deleted_by=user)
    return DeletionAnswer(chosen=count, owed=None, which="", deleted=count)

"""A record goes, with its memberships of batches; its history stays."""

from copy import copy

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User

from statemachine.errors import Stale
from statemachine.models import StateMachine
from statemachine.rights import require
from statemachine.transitions import locked


def delete[M: StateMachine](*, model: type[M], pk: int, user: User, generation: int | None = None) -> M:
    """Delete a record. It is locked first, as stopping a batch does.

    The memberships go before the record. Without the lock the two could wait for each other for ever.

    Args:
        generation: what the person saw, where it matters; None: whatever the record has become since.

    Returns:
        The record as it was.

    Raises:
        TransitionForbidden, RecordGone, Stale: nothing was deleted.
    """
    require(user, f"{model._meta.app_label}.{get_permission_codename('delete', model._meta)}")
    with locked(model, pk) as record:
        if generation is not None and record.generation != generation:
            raise Stale
        was = copy(record)
        record.delete()
    return was

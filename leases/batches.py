"""Many leases at once, made by an import; everything else about batches is the engine's."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from leases.models import Batch, Lease
from statemachine.batches import AT_ONCE, make_many
from statemachine.rights import require


def import_leases(
    *, leases: Iterable[tuple[str, str]], user: User, title: str, left_out: int = 0, batch_size: int = AT_ONCE
) -> Batch:
    """Make leases that have been checked, and owe each its first run, which lets go first what is started by hand.

    Args:
        leases: agency and number, the number normalised.
        title: what the history calls it: the file's name.
        left_out: how many rows of the file are not among them.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        IntegrityError: one of them exists by now. Nothing was saved.
    """
    require(user, "leases.add_lease")
    given = {"created_by_id": user.pk, "updated_by_id": user.pk}
    new = (Lease(agency=agency, lease_number=number, **given) for agency, number in leases)
    batch = make_many(machine=Lease, records=new, user=user, title=title, left_out=left_out, batch_size=batch_size)
    assert isinstance(batch, Batch)
    return batch

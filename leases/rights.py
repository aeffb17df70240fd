"""What a person may do with leases; asked in every service, since not every way to one has a button."""

from collections.abc import Mapping

from django.contrib.auth.models import User

from statemachine.errors import TransitionForbidden

MEANINGS: Mapping[str, str] = {
    "leases.add_lease": "create leases",
    "leases.change_lease": "change leases",
    "leases.run_discovery": "start and stop discovery",
}


def require(user: User, *permissions: str) -> None:
    """Go on only if the person may do all of it; who is switched off may do nothing.

    Raises:
        TransitionForbidden: naming what is lacking.
    """
    for permission in permissions:
        if not user.has_perm(permission):
            raise TransitionForbidden(
                f"You do not have the permission to {MEANINGS[permission]}. Ask an administrator."
            )

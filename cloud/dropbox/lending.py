"""Whose Dropbox may be used at all: nobody's stands in for another's, and who may not run discovery lends theirs to nothing."""

from django.contrib.auth.models import User

from cloud.errors import NoInitiatingUser

INACTIVE = "The person who started this may no longer log in, so their Dropbox is not used. Start it again yourself."
FORBIDDEN = "{} may not run discovery (any more), so their Dropbox is not used. Start it again yourself."


def confirm_lends(user: User | None) -> User:
    """The person, if there is one whose Dropbox may be used.

    Asked whenever it is: what was started may wait for days, and what goes on by itself was started long ago.

    Raises:
        NoInitiatingUser: there is none, or no more, or the person may not run discovery.
    """
    if user is None:
        raise NoInitiatingUser
    if not user.is_active:
        raise NoInitiatingUser(INACTIVE)
    if not user.has_perm("leases.run_discovery"):
        raise NoInitiatingUser(FORBIDDEN.format(user.get_username()))
    return user

"""Whose Dropbox may be used at all: nobody's stands in for another's, and who needs none lends theirs to nothing."""

from django.contrib.auth.models import User

from cloud.dependants import needs_dropbox, works
from cloud.errors import NoInitiatingUser

INACTIVE = "The person who started this may no longer log in, so their Dropbox is not used. Start it again yourself."
FORBIDDEN = "{who} may not run {works} (any more), so their Dropbox is not used. Start it again yourself."


def confirm_lends(user: User | None) -> User:
    """The person, if there is one whose Dropbox may be used.

    Asked whenever it is: what was started may wait for days, and what goes on by itself was started long ago.

    Raises:
        NoInitiatingUser: there is none, or no more, or the person may run nothing that uses one.
    """
    if user is None:
        raise NoInitiatingUser
    if not user.is_active:
        raise NoInitiatingUser(INACTIVE)
    if not needs_dropbox(user):
        raise NoInitiatingUser(FORBIDDEN.format(who=user.get_username(), works=works()))
    return user

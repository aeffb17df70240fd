"""People: who is deleted is disconnected from Dropbox first. Afterwards nobody could end that person's connection any more."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest

from cloud.errors import DropboxNotConnected
from cloud.fields import sealed
from cloud.models import DropboxAccount
from cloud.services.accounts import disconnect_account
from console.shell.people import Farewell


def disconnect(request: HttpRequest, person: User) -> None:
    """End the connection at Dropbox, if there is one.

    Raises:
        AccountBusy: a worker renews it at this moment.
    """
    try:
        ended = disconnect_account(user=person)
    except DropboxNotConnected:
        return
    if not ended.revoked:
        messages.warning(
            request,
            f"Dropbox could not be told that {person} is gone. Nothing of the connection is stored any more; to be sure, "
            "let its owner remove Runsheet at Dropbox itself, under Settings, Connected apps.",
        )


# The account goes with its person, although nobody may delete it by itself and no key may open its tokens.
FAREWELL = Farewell(before=disconnect, goes_along=(DropboxAccount,), reading=sealed)

"""What the console shows of Dropbox: read like a table, and said once the apps are there."""

from django.contrib import admin

from cloud.admin import own_dropbox
from cloud.admin.accounts import DropboxAccountAdmin
from cloud.admin.farewell import FAREWELL
from cloud.admin.locations import CloudLocationAdmin
from cloud.admin.sent import TELLINGS
from cloud.models import CloudLocation, DropboxAccount
from console.records import sent
from console.shell import navigation, people
from console.shell.navigation import Frame, Place

LISTS = {
    DropboxAccount: DropboxAccountAdmin,
    CloudLocation: CloudLocationAdmin,
}

FRAME = Frame(
    places=(
        Place(
            order=40,
            label="Archives",
            address="admin:cloud_cloudlocation_changelist",
            right="cloud.view_cloudlocation",
        ),
    ),
    belongs={"admin:auth_user_changelist": ("cloud/dropboxaccount/",)},
    own={20: own_dropbox.link},
    banners=(own_dropbox.banner,),
)


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    navigation.put("cloud", FRAME)
    people.put_beside("Dropbox accounts", "admin:cloud_dropboxaccount_changelist", "cloud.view_dropboxaccount")
    people.say_farewell(FAREWELL)
    sent.tell(TELLINGS)

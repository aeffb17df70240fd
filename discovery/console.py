"""What the console shows of Dropbox: read like a table, and said once the apps are there."""

from django.contrib import admin

from console.records import sent
from console.shell import navigation, people
from console.shell.navigation import Frame
from discovery.admin import own_dropbox
from discovery.admin.accounts import DropboxAccountAdmin
from discovery.admin.configurations import ConfigurationAdmin
from discovery.admin.farewell import FAREWELL
from discovery.admin.sent import TELLINGS
from discovery.models import DropboxAccount
from leases.models import AgencyStorageConfig

LISTS = {
    DropboxAccount: DropboxAccountAdmin,
    AgencyStorageConfig: ConfigurationAdmin,
}

FRAME = Frame(
    belongs={"admin:auth_user_changelist": ("discovery/dropboxaccount/",)},
    corner={20: own_dropbox.link},
    banners=(own_dropbox.banner,),
)


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    navigation.put("discovery", FRAME)
    people.put_beside("Dropbox accounts", "admin:discovery_dropboxaccount_changelist", "discovery.view_dropboxaccount")
    people.say_farewell(FAREWELL)
    sent.tell(TELLINGS)

"""What the console shows of Dropbox: read like a table, and said once the apps are there."""

from django.contrib import admin

from console.records import sent
from discovery.admin import people  # noqa: F401 - TODO
from discovery.admin.accounts import DropboxAccountAdmin
from discovery.admin.configurations import ConfigurationAdmin
from discovery.admin.sent import TELLINGS
from discovery.models import DropboxAccount
from leases.models import AgencyStorageConfig

LISTS = {
    DropboxAccount: DropboxAccountAdmin,
    AgencyStorageConfig: ConfigurationAdmin,
}


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    sent.tell(TELLINGS)

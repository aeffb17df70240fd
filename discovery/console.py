"""What the console shows of the process: read like a table, and said once the apps are there."""

from django.contrib import admin

from discovery.admin.configurations import ConfigurationAdmin
from discovery.admin.stored import elsewhere as stored_elsewhere
from discovery.admin.stored import read_by_several
from discovery.admin.watching import watched_by, watched_for
from discovery.services.archive_wants import KIND
from discovery.services.estimates import answered_from_index
from leases import watching
from leases.admin import estimates
from leases.models import AgencyStorageConfig
from storage import searching
from storage.admin import elsewhere

LISTS = {
    AgencyStorageConfig: ConfigurationAdmin,
}


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    watching.told_by(of_lease=watched_for, of_person=watched_by)
    estimates.told_by(answered_from_index)
    elsewhere.told_by(KIND, stored_elsewhere)
    searching.told_by(read_by_several)

from typing import TYPE_CHECKING

from django.apps import AppConfig

from console.shell import declared

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from discovery.services.archive_lister import ArchiveLister
    from leases.contents import Contents
    from leases.models import Lease
    from storage.models import StorageRoot


class DiscoveryConfig(AppConfig):
    name = "discovery"

    def ready(self) -> None:
        from cloud import dependants  # noqa: PLC0415 - once the apps are there
        from discovery.dependants import Leases  # noqa: PLC0415 - the same
        from discovery.neighbours import IndexedArchives  # noqa: PLC0415 - the same
        from discovery.services.archive_watches import tell_at_once  # noqa: PLC0415 - the same
        from leases import contents, neighbours  # noqa: PLC0415 - the same
        from storage.index import listers  # noqa: PLC0415 - the same

        dependants.declare(Leases())
        neighbours.declare(IndexedArchives())
        contents.read_by(_contents_of)
        listers.register("dropbox", _lister, changed=tell_at_once)
        declared.at_first_page(_declare)


def _lister(root: "StorageRoot") -> "ArchiveLister":
    """Loaded by the first run that reads one: every process knows the kind, and does without the rest."""
    from discovery.services.archive_lister import lister_of_archives  # noqa: PLC0415 - see above

    return lister_of_archives(root)


def _contents_of(lease: "Lease", user: "User", *, at_most: int) -> "Contents | None":
    """The same."""
    from discovery.services.archive_contents import contents_of  # noqa: PLC0415 - see above

    return contents_of(lease, user, at_most=at_most)


def _declare() -> None:
    from core.http import metrics  # noqa: PLC0415 - once the apps are there
    from discovery import console  # noqa: PLC0415 - once the apps are there
    from discovery.metrics import ArchiveCollector  # noqa: PLC0415 - once the apps are there

    console.declare()
    metrics.tell_too("archives", ArchiveCollector)

"""Where a stored file or folder of a watched folder is at Dropbox, and which leases have its number."""

from collections.abc import Iterable, Mapping, Sequence

from django.contrib.auth.models import User

from cloud.addresses import address_of, address_of_file
from cloud.models import Folded
from console.records.links import page_of, right_to_see
from core.base.folding import fold_case
from discovery.models import ArchiveWatch
from discovery.services.archive_wants import held_in
from leases.models import AgencyStorageConfig, Lease
from storage.admin.elsewhere import Elsewhere, Link
from storage.models import FileState, StoredFile

OPEN = "Open in Dropbox"


def elsewhere(files: Sequence[StoredFile], user: User) -> dict[int, Elsewhere]:
    """Three statements, however many there are; of whatever lies in an archive, the leases are those of the archive.

    Whoever opens it sees it only if they are logged in at Dropbox, and see it there.
    """
    watches = {each.root_id: each for each in ArchiveWatch.objects.filter(root__in={file.root_id for file in files})}
    known = [file for file in files if file.root_id in watches]
    leases = _leases(known, watches) if known and user.has_perm(right_to_see(Lease)) else {}
    return {
        file.pk: Elsewhere(
            opened=_opened(file, watches[file.root_id]),
            records=tuple(leases.get((file.root_id, _number(file)), ())),
        )
        for file in known
    }


def read_by_several() -> dict[int, int]:
    """By root: the first one that has read the same folder, with another account that sees the same place."""
    first: dict[tuple[str, str], int] = {}
    same: dict[int, int] = {}
    for root, path_root, base_path in ArchiveWatch.objects.order_by("root").values_list(
        "root", "path_root", "base_path"
    ):
        before = first.setdefault((path_root, fold_case(base_path)), root)
        if before != root:
            same[root] = before
    return same


def _opened(file: StoredFile, watch: ArchiveWatch) -> Link | None:
    """Not what is missing. Dropbox takes the folders above it in any case."""
    if file.state != FileState.PRESENT:
        return None
    above, slash, _ = file.key.rstrip("/").rpartition("/")
    path = f"{watch.base_path}/{above}{slash}{file.name}"
    return Link(label=OPEN, url=address_of(path) if file.is_directory else address_of_file(path))


def _number(file: StoredFile) -> str:
    """Of the archive, as the index finds it by."""
    return file.key.partition("/")[0]


def _leases(files: Iterable[StoredFile], watches: Mapping[int, ArchiveWatch]) -> dict[tuple[int, str], list[Link]]:
    """By root and number: the leases of those agencies of which something is looked for there."""
    configured = list(AgencyStorageConfig.objects.all())
    agencies = {
        root_id: {each.agency for each in configured if held_in(watch.base_path, each)}
        for root_id, watch in watches.items()
    }
    numbers = {_number(file) for file in files}
    numbered = Lease.objects.alias(folded=Folded("lease_number")).filter(folded__in=numbers).order_by("agency", "pk")
    found: dict[tuple[int, str], list[Link]] = {}
    for lease in numbered.annotate(folded_number=Folded("lease_number")).only("agency", "lease_number"):
        link = Link(label=str(lease), url=page_of(lease))
        for root_id in (root_id for root_id, some in agencies.items() if lease.agency in some):
            found.setdefault((root_id, lease.folded_number), []).append(link)
    return found

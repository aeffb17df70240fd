"""What lies in the archive of a lease, as the account that found it has read it: nobody asks Dropbox for that."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from cloud.addresses import address_of, address_of_file
from discovery.services.archive_index import folded, watch_of
from discovery.services.report_names import is_report_name
from leases.contents import Contents, Lying
from leases.models import Lease
from storage.index.folders import children
from storage.models import FileState, StoredFile

# An archive has some dozen files; nobody counts further.
COUNTED_AT_MOST = 1_000


def contents_of(lease: Lease, user: User, *, at_most: int) -> Contents | None:
    """What lies directly in it, the reports first, then the other files, then the folders; three queries.

    Returns:
        None for who may not see what lies in storage; where nobody reads that folder as a whole with the account that found the
        archive; where the archive is not in what was read.
    """
    directory = lease.runsheet_directory
    if directory is None or not lease.known_account or not user.has_perm("storage.view_storedfile"):
        return None
    base_path, _, name = directory.path.rpartition("/")
    watch = watch_of(account_id=lease.known_account, path_root=lease.known_root, base_path=base_path)
    if watch is None:
        return None
    folder = f"{folded(name)}/"
    ids = [each.file_id for each in children(root_id=watch.root_id, folder=folder, limit=COUNTED_AT_MOST)]
    files = list(StoredFile.objects.filter(pk__in=[pk for pk in ids if pk], state=FileState.PRESENT))
    if not files:
        return None
    lying = _in_order(_lying(directory.path, file) for file in files)
    return Contents(
        lying=lying[:at_most],
        more=max(len(lying) - at_most, 0),
        folder=f"{watch.root.name}/{folder}",
        read_at=watch.root.read_at,
    )


def _lying(path: str, file: StoredFile) -> Lying:
    is_directory = file.is_directory
    return Lying(
        name=file.name,
        is_directory=is_directory,
        size_bytes=None if is_directory else file.size,
        changed_at=None if is_directory else file.modified_at,
        url=(address_of if is_directory else address_of_file)(f"{path}/{file.name}"),
        is_report=not is_directory and is_report_name(file.name),
    )


def _in_order(lying: Iterable[Lying]) -> list[Lying]:
    return sorted(lying, key=lambda each: (not each.is_report, each.is_directory, each.name.casefold()))

"""What lies beside the archives: the document archive and the miscellaneous index of a lease, in folders of their own.

Looked for in the same run, after the archive itself was answered; from the index where that folder is watched, else at
Dropbox, but only for what somebody has started by hand. Whatever goes wrong here is kept as its reason, and never changes what
is said of the archive. The same rules hold as there: nothing is “not found” that this account could not have seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.exceptions import ValidationError

from cloud.dropbox import Gateway
from cloud.dropbox.connection import done_within
from cloud.errors import NotFound
from cloud.services.locations import forget_link, record_location
from core.base.clock import now
from core.base.errors import RunsheetError
from discovery.services.archive_index import ArchiveIndex, IndexedArchive, index_of
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import namespace_of
from leases.models import NOBODY, AgencyStorageConfig, Beside, Lease, Origin, Seen
from leases.validation import archive_path

# The answer of the archive is there already, and is not to wait for longer than this.
LONGEST_S = 15.0
A_FILE = "A file has the name of the lease there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at one place came to, not yet recorded.

    Attributes:
        origin: whom the answer came from.
        why: why it told nothing; empty if it did.
    """

    which: Beside
    path: str
    seen: Seen
    at: datetime
    origin: Origin = NOBODY
    why: str = ""


def look_beside(
    *, leases: Sequence[Lease], gateway: Gateway, configuration: AgencyStorageConfig
) -> dict[int, tuple[Look, ...]]:
    """Look for what lies beside the archives of these leases of one agency; by the key of the lease.

    Two statements for each folder that is watched, however many leases there are; else one call for each lease that was
    started by hand, two where nothing is there. What is in neither is not looked at, and keeps what was known of it.

    Args:
        leases: all of the agency that the configuration is of.
    """
    found: dict[int, list[Look]] = {}
    with done_within(LONGEST_S):
        for which, base_path in configuration.beside.items():
            for lease, look in _looks(which, base_path, leases, gateway, configuration):
                found.setdefault(lease.pk, []).append(look)
    return {pk: tuple(looks) for pk, looks in found.items()}


def record_beside(looks: Sequence[Look], lease: Lease) -> None:
    """Write what was seen into a locked lease, which is yet to be saved, and remember the places that were found."""
    for look in looks:
        known = lease.directory_id_beside(look.which, path=look.path)
        directory_id = None
        if look.seen == Seen.FOUND:
            directory_id = known or record_location(path=look.path, link=None).pk
        elif look.seen == Seen.NOT_FOUND and known:
            forget_link(path=look.path)
        lease.remember_beside(
            look.which,
            path=look.path,
            seen=look.seen,
            at=look.at,
            directory_id=directory_id,
            origin={name: value for name, value in asdict(look.origin).items() if value},
            why=look.why,
        )


def _looks(
    which: Beside, base_path: str, leases: Sequence[Lease], gateway: Gateway, configuration: AgencyStorageConfig
) -> Iterator[tuple[Lease, Look]]:
    """Of one folder."""
    index = _fresh_index(base_path, gateway, configuration)
    known = index.archives([lease.lease_number for lease in leases]) if index else {}
    for lease in leases:
        try:
            path = archive_path(base_path=base_path, lease_number=lease.lease_number)
        except ValidationError as error:
            yield lease, _nothing_told(which, f"{base_path}/{lease.lease_number}", error.messages[0])
            continue
        look = None
        if index and lease.lease_number in known:
            look = _of_index(which, path, lease, index, known[lease.lease_number])
        if look is None and not lease.background:
            look = _of_dropbox(which, path, lease, gateway)
        if look is not None:
            yield lease, look


def _fresh_index(base_path: str, gateway: Gateway, configuration: AgencyStorageConfig) -> ArchiveIndex | None:
    if not configuration.watched:
        return None
    index = index_of(account=gateway.account, base_path=base_path, poll_minutes=configuration.poll_minutes)
    return index if index and index.is_fresh else None


def _of_index(
    which: Beside, path: str, lease: Lease, index: ArchiveIndex, archive: IndexedArchive | None
) -> Look | None:
    """None where the index may not say it: a file of that name, a part only, or what somebody has seen there."""
    at = index.read_at or now()
    if archive is None:
        if lease.origin_beside(which, path=path) is not None:
            return None
        origin = _origin(path, index.watch.account_id, index.watch.path_root, index.watch.namespace)
        return Look(which=which, path=path, seen=Seen.NOT_FOUND, at=at, origin=origin)
    if not archive.is_directory or archive.is_partial:
        return None
    origin = _origin(path, index.watch.account_id, index.watch.path_root, archive.namespace, archive.folder_id)
    return Look(which=which, path=path, seen=Seen.FOUND, at=at, origin=origin)


def _of_dropbox(which: Beside, path: str, lease: Lease, gateway: Gateway) -> Look:
    account = gateway.account
    try:
        folder = gateway.metadata(path=path)
    except NotFound as answer:
        return _absent(which, path, lease, gateway, answer)
    except RunsheetError as error:
        return _nothing_told(which, path, str(error))
    if not folder.is_directory:
        return _nothing_told(which, path, A_FILE)
    namespace = namespace_of(folder, account=account)
    origin = _origin(path, account.account_id, account.root_namespace_id, namespace, folder.file_id)
    return Look(which=which, path=path, seen=Seen.FOUND, at=now(), origin=origin)


def _absent(which: Beside, path: str, lease: Lease, gateway: Gateway, answer: NotFound) -> Look:
    """Not found, if this account may say so."""
    known = lease.origin_beside(which, path=path)
    try:
        origin = confirm_not_found(gateway=gateway, path=path, answer=answer, known=known)
    except RunsheetError as error:
        return _nothing_told(which, path, str(error))
    return Look(which=which, path=path, seen=Seen.NOT_FOUND, at=now(), origin=origin)


def _nothing_told(which: Beside, path: str, why: str) -> Look:
    return Look(which=which, path=path, seen=Seen.UNSEEN, at=now(), why=why)


def _origin(path: str, account: str, path_root: str, namespace: str, folder_id: str = "") -> Origin:
    return Origin(
        base_path=path.rpartition("/")[0],
        account=account,
        path_root=path_root,
        namespace=namespace,
        folder_id=folder_id,
    )

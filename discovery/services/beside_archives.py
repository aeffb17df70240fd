"""What lies beside the archives: the document archive and the miscellaneous index of a lease, in folders of their own.

Looked for in the same run, after the archive itself was answered; from the index where that folder is watched, else at
Dropbox, but only for what somebody has started by hand. Whatever goes wrong here is kept as its reason, and never changes what
is said of the archive. The same rules hold as there: nothing is “not found” that this account could not have seen.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from django.core.exceptions import ValidationError

from cloud.dropbox import Gateway
from cloud.dropbox.connection import done_within
from cloud.errors import NotFound
from cloud.models import DropboxAccount
from cloud.services.locations import Seen as Place
from cloud.services.locations import forget_links, record_seen
from core.base.clock import now
from core.base.errors import RunsheetError
from discovery.services.archive_index import ArchiveIndex, IndexedArchive, index_of, read_undisturbed
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import namespace_of
from leases.models import NOBODY, AgencyStorageConfig, Beside, Lease, Origin, Seen
from leases.validation import archive_path

# The answer of the archive is there already, and is not to wait for longer than this.
LONGEST_S = 15.0
NOT_READ = "It was not there when its folder was last read, and Dropbox could not be asked about it."
A_FILE = "A file has the name of the lease there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at one place came to, not yet recorded.

    Attributes:
        origin: whom the answer came from.
        why: why it told nothing; empty if it did.
        is_doubtful: what is known to lie there is not in the index any more, which only Dropbox itself may say.
    """

    which: Beside
    path: str
    seen: Seen
    at: datetime
    origin: Origin = NOBODY
    why: str = ""
    is_doubtful: bool = False


type Looks = dict[int, tuple[Look, ...]]


def look_beside(
    *,
    leases: Sequence[Lease],
    account: DropboxAccount,
    configuration: AgencyStorageConfig,
    gateway: Gateway | None = None,
) -> Looks:
    """Look for what lies beside the archives of these leases of one agency; by the primary keys of the leases.

    Three statements for each folder that is watched, however many leases there are; else one call for each lease that was
    started by hand, two where nothing is there, and for each of which the index lacks what is known. What is in neither is
    not looked at, and keeps what was known of it.

    Args:
        leases: all of the agency that the configuration is of.
        account: whose index it may be.
        gateway: to that account's Dropbox; None: only the index is asked.
    """
    found: dict[int, list[Look]] = {}
    with done_within(LONGEST_S):
        for which, base_path in configuration.beside.items():
            told = _of_index_all(which, base_path, leases, account, configuration)
            for lease in leases:
                look = told.get(lease.pk)
                if gateway and (look.is_doubtful if look else not lease.background):
                    look = _of_dropbox(which, base_path, lease, gateway)
                if look is not None:
                    found.setdefault(lease.pk, []).append(look)
    return {pk: tuple(looks) for pk, looks in found.items()}


def record_beside(looks: Looks, leases: Sequence[Lease]) -> None:
    """Write what was seen into locked leases, which are yet to be saved, and remember the places that were found.

    Two statements at most for all that is there, and three more for what is gone; none for what is known already.
    """
    told = [(lease, look) for lease in leases for look in looks.get(lease.pk, ())]
    known = {(lease.pk, look.which): lease.directory_id_beside(look.which, path=look.path) for lease, look in told}
    is_new = [look for lease, look in told if look.seen == Seen.FOUND and not known[lease.pk, look.which]]
    places = record_seen([_place(look) for look in {look.path: look for look in is_new}.values()]) if is_new else {}
    gone = [look.path for lease, look in told if look.seen == Seen.NOT_FOUND and known[lease.pk, look.which]]
    if gone:
        forget_links(gone)
    for lease, look in told:
        directory_id = known[lease.pk, look.which] or places.get(look.path) if look.seen == Seen.FOUND else None
        lease.remember_beside(
            look.which,
            path=look.path,
            seen=look.seen,
            at=look.at,
            directory_id=directory_id,
            origin={name: value for name, value in asdict(look.origin).items() if value},
            why=look.why,
        )


def _place(look: Look) -> Place:
    return Place(look.path, look.path.rpartition("/")[2], look.origin.folder_id)


def _of_index_all(
    which: Beside,
    base_path: str,
    leases: Sequence[Lease],
    account: DropboxAccount,
    configuration: AgencyStorageConfig,
) -> dict[int, Look]:
    """What the index says of those leases for which it may speak, by their primary keys."""
    fresh = partial(_fresh_index, base_path, account, configuration)
    numbers = [lease.lease_number for lease in leases]
    found = read_undisturbed(fresh(), lambda index: index.archives(numbers), again=fresh)
    if found is None:
        return {}
    index, known = found
    looks = {
        lease.pk: _of_index(which, f"{base_path}/{lease.lease_number}", lease, index, known[lease.lease_number])
        for lease in leases
        if lease.lease_number in known
    }
    return {pk: look for pk, look in looks.items() if look is not None}


def _fresh_index(base_path: str, account: DropboxAccount, configuration: AgencyStorageConfig) -> ArchiveIndex | None:
    if not configuration.watched:
        return None
    index = index_of(account=account, base_path=base_path, poll_minutes=configuration.poll_minutes)
    return index if index and index.is_fresh else None


def _of_index(
    which: Beside, path: str, lease: Lease, index: ArchiveIndex, archive: IndexedArchive | None
) -> Look | None:
    """None where the index may not say it: a file of that name, or a part only. What somebody has seen there is doubtful."""
    at = index.read_at or now()
    if archive is None:
        if lease.origin_beside(which, path=path) is not None:
            return Look(which=which, path=path, seen=Seen.UNSEEN, at=at, why=NOT_READ, is_doubtful=True)
        origin = _origin(path, index.watch.account_id, index.watch.path_root, index.watch.namespace)
        return Look(which=which, path=path, seen=Seen.NOT_FOUND, at=at, origin=origin)
    if not archive.is_directory or archive.is_partial:
        return None
    origin = _origin(path, index.watch.account_id, index.watch.path_root, archive.namespace, archive.folder_id)
    return Look(which=which, path=path, seen=Seen.FOUND, at=at, origin=origin)


def _of_dropbox(which: Beside, base_path: str, lease: Lease, gateway: Gateway) -> Look:
    account = gateway.account
    try:
        path = archive_path(base_path=base_path, lease_number=lease.lease_number)
    except ValidationError as error:
        return _nothing_told(which, f"{base_path}/{lease.lease_number}", error.messages[0])
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

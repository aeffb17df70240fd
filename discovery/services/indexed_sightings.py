"""What the index answers about many leases at once, by a few statements for all of them; about the others Dropbox is asked.

A positive answer is worth as much as one of Dropbox's own. A negative one stands only where nothing was ever known to lie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.dropbox.lending import confirm_lends
from cloud.errors import NoInitiatingUser
from cloud.models import DropboxAccount
from cloud.queries import locations_at_all
from core.base.errors import RunsheetError
from discovery.services.archive_index import ArchiveIndex, IndexedArchive, index_of, read_undisturbed, remembered
from discovery.services.judging import known_at_all, may_judge
from discovery.services.lease_directory_search import place_of
from discovery.services.near_index import nearest_in, told_of
from leases.models import AgencyStorageConfig, Lease, Origin
from leases.neighbours import Near


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSighting:
    """What the index says of a lease's archive, not yet recorded.

    Attributes:
        archive: None when nothing lies there.
        origin: whose index it is, and of which folder it speaks.
    """

    path: str
    archive: IndexedArchive | None
    origin: Origin
    evidence: dict[str, Any]


def is_watched(*, account: DropboxAccount | None, configuration: AgencyStorageConfig | None) -> bool:
    """Whether runs of this account may be answered from an index of the folder.

    Who may not use a Dropbox, or whose connection is lost, hears so from Dropbox's own way.
    """
    if account is None or configuration is None or not (configuration.enabled and configuration.watched):
        return False
    return not account.needs_reconnect_reason and _lends(account)


def _lends(account: DropboxAccount) -> bool:
    try:
        confirm_lends(account.user)
    except NoInitiatingUser:
        return False
    return True


def sightings_in_index(
    leases: Sequence[Lease], *, index: ArchiveIndex | None, account: DropboxAccount, configuration: AgencyStorageConfig
) -> dict[int, IndexedSighting]:
    """By the primary keys of the leases: what the index says of those for which it may speak; it is asked while it is fresh.

    Args:
        leases: of the agency that is configured so.
        index: of the account (`index_for`).
    """
    paths = _paths(leases, configuration)
    base_path = configuration.runsheet_archive_base_path

    def read(index: ArchiveIndex) -> dict[int, IndexedSighting]:
        told = _told(leases, paths, index=index, account=account, base_path=base_path)
        near = nearest_in(index, [_name(paths[pk]) for pk, archive in told.items() if archive is None])
        return {
            pk: _sighting(index, paths[pk], archive, near=near.get(_name(paths[pk]), ()), account=account)
            for pk, archive in told.items()
        }

    def again() -> ArchiveIndex | None:
        return index_of(account=account, base_path=base_path, poll_minutes=configuration.poll_minutes)

    found = read_undisturbed(index, read, again=again)
    return found[1] if found else {}


def answered_in_index(
    leases: Sequence[Lease], *, index: ArchiveIndex | None, account: DropboxAccount, configuration: AgencyStorageConfig
) -> int:
    """Of how many of these leases it says anything now; what comes near is not looked for.

    Args:
        leases: as for `sightings_in_index`; each with a primary key, be it in the database or not.
    """
    if index is None or not index.is_fresh:
        return 0
    base_path = configuration.runsheet_archive_base_path
    return len(_told(leases, _paths(leases, configuration), index=index, account=account, base_path=base_path))


def _told(
    leases: Sequence[Lease], paths: Mapping[int, str], *, index: ArchiveIndex, account: DropboxAccount, base_path: str
) -> dict[int, IndexedArchive | None]:
    """Their archives, of which it may speak."""
    found = index.archives([_name(path) for path in paths.values()])
    locations = locations_at_all(paths.values())
    known = known_at_all([(lease, paths[lease.pk]) for lease in leases if lease.pk in paths], locations=locations)
    told = {
        pk: found[_name(path)]
        for pk, path in paths.items()
        if _name(path) in found and _may_say(found[_name(path)], known[pk], account=account)
    }
    return _without_remembered(told, paths, account=account, base_path=base_path)


def _paths(leases: Sequence[Lease], configuration: AgencyStorageConfig) -> dict[int, str]:
    """Where their archives lie; those that have no place are left out, and hear why when they are asked for alone."""
    paths = {}
    for lease in leases:
        try:
            paths[lease.pk] = place_of(lease, configuration)
        except RunsheetError:
            continue
    return paths


def _without_remembered(
    told: Mapping[int, IndexedArchive | None], paths: Mapping[int, str], *, account: DropboxAccount, base_path: str
) -> dict[int, IndexedArchive | None]:
    """Without those of which an index knows that an archive lay there: whether it was deleted only Dropbox itself can say."""
    absent = {_name(paths[pk]) for pk, archive in told.items() if archive is None}
    known = remembered(absent, base_path=base_path, account_id=account.account_id) if absent else {}
    return {pk: archive for pk, archive in told.items() if archive is not None or _name(paths[pk]) not in known}


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _may_say(archive: IndexedArchive | None, known: Origin | None, *, account: DropboxAccount) -> bool:
    """Whether this account may say so beside what is known; else Dropbox is asked, and says who may."""
    if archive is None:
        return known is None
    if not archive.is_directory or archive.is_partial or not archive.folder_id:
        return False
    if known is None or known.folder_id == archive.folder_id or known.account == account.account_id:
        return True
    return may_judge(known, account=account, namespace=_namespace(archive.namespace, account))


def _sighting(
    index: ArchiveIndex, path: str, archive: IndexedArchive | None, *, near: Sequence[Near], account: DropboxAccount
) -> IndexedSighting:
    namespace = _namespace(archive.namespace if archive else index.watch.namespace, account)
    folder_id = archive.folder_id if archive else ""
    origin = Origin(
        base_path=path.rpartition("/")[0],
        account=account.account_id,
        path_root=account.root_namespace_id,
        namespace=namespace,
        folder_id=folder_id,
    )
    told = {name: value for name, value in {"namespace": namespace, "folder_id": folder_id}.items() if value}
    seen = {"files": len(archive.files)} if archive else told_of(near)
    return IndexedSighting(path=path, archive=archive, origin=origin, evidence=index.evidence(path=path) | seen | told)


def _namespace(found: str, account: DropboxAccount) -> str:
    """The shared folder; the account's own root is none."""
    return "" if found == account.root_namespace_id else found

"""Who may say that something is not there, or no longer what it was.

What one account has seen, an account that cannot judge must not negate (docs/decisions/0012-who-may-say-not-found.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloud.dropbox import Gateway
from cloud.files import CloudFile, DirectoryListing
from cloud.models import CloudLocation, DropboxAccount
from core.base.folding import is_same_path
from discovery.errors import AnotherFolder, ArchiveOutOfSight
from discovery.services.archive_index import remembered
from leases.models import NOBODY, Lease, Origin
from leases.queries import last_told, origins_of_locations


def known_at(path: str, lease: Lease, *, location: CloudLocation | None) -> Origin | None:
    """Whom it is known from that a directory lies at the path; None if no directory is known there.

    The lease may have been asked elsewhere meanwhile, under another base path or number: its history remembers. So may
    another lease whose archive lies at the same path.

    Args:
        location: what is known of the path (`location_at`).
    """
    return known_at_all([(lease, path)], locations={path: location} if location else {})[lease.pk]


def known_at_all(
    places: Sequence[tuple[Lease, str]], *, locations: Mapping[str, CloudLocation]
) -> dict[int, Origin | None]:
    """The same of many leases, by their primary keys; three queries at most.

    Args:
        places: leases, each with the path of its archive.
        locations: what is known of the paths, by the paths.
    """
    _read_directories([lease for lease, _ in places], locations.values())
    found: dict[int, Origin | None] = {}
    elsewhere: dict[int, str] = {}
    for lease, path in places:
        if _is_here(lease, path) and lease.origin != NOBODY:
            found[lease.pk] = lease.origin
        else:
            elsewhere[lease.pk] = path
    told = last_told(elsewhere)
    untold = [locations[path].pk for pk, path in elsewhere.items() if pk not in told and path in locations]
    of_others = origins_of_locations(untold)
    for lease, path in places:
        if lease.pk in elsewhere:
            another = of_others.get(locations[path].pk) if path in locations else None
            found[lease.pk] = told.get(lease.pk) or another or (NOBODY if _is_here(lease, path) else None)
    return found


def remembered_at(path: str, *, account: DropboxAccount) -> Origin | None:
    """Whom it is known from that a directory lay at the path though no lease has told of it: whoever has read the folder as a whole.

    Args:
        account: who asks.
    """
    base_path, _, name = path.rpartition("/")
    return remembered([name], base_path=base_path, account_id=account.account_id).get(name)


def _read_directories(leases: Sequence[Lease], locations: Iterable[CloudLocation]) -> None:
    """Those of the leases that lie at one of these places are not read once more; one query for the others."""
    known = {location.pk: location for location in locations}
    directory = Lease._meta.get_field("runsheet_directory")
    unread = [lease for lease in leases if lease.runsheet_directory_id and not directory.is_cached(lease)]
    others = {lease.runsheet_directory_id for lease in unread} - {None, *known}
    if others:
        known |= CloudLocation.objects.in_bulk(others)
    for lease in unread:
        lease.runsheet_directory = known.get(lease.runsheet_directory_id or 0)


def _is_here(lease: Lease, path: str) -> bool:
    return lease.runsheet_directory is not None and is_same_path(lease.runsheet_directory.path, path)


def may_judge(known: Origin, *, account: DropboxAccount, namespace: str) -> bool:
    """Whether the account sees the place where something was seen then; where nobody knows who saw it, everybody may.

    Args:
        namespace: the shared folder in which the account sees the place; empty where it is in none.
    """
    if known == NOBODY:
        return True
    if known.namespace:
        return known.namespace == namespace
    return account.account_id == known.account or account.root_namespace_id == known.path_root


def confirm_same_archive(
    known: Origin, *, gateway: Gateway, path: str, seen: CloudFile, evidence: dict[str, Any]
) -> None:
    """Make sure that what lies at the path is no other folder than the one that was found there.

    One's own account may have made the folder anew, and so may whoever sees the same root or the same shared folder.

    Raises:
        AnotherFolder: it is another account's, of which this one cannot tell anything.
    """
    is_own = gateway.account.account_id == known.account
    is_same = bool(seen.file_id) and seen.file_id == known.folder_id
    if (
        is_own
        or is_same
        or may_judge(known, account=gateway.account, namespace=namespace_of(seen, account=gateway.account))
    ):
        return
    raise AnotherFolder(
        f"The folder “{path}” in this Dropbox ({gateway.account}) is another one than was found with the Dropbox of "
        f"{name_of(known.account)}. What was found there stays. Let somebody run it who sees that folder, or connect such an "
        "account.",
        evidence=evidence | seen_by(known.account),
    )


def confirm_may_negate(known: Origin, *, gateway: Gateway, path: str, namespace: str, evidence: dict[str, Any]) -> None:
    """Make sure that whoever does not see the directory would see it if it were there.

    It must see that it was deleted, since it may have been kept from that folder alone, be it the account that found it.

    Raises:
        ArchiveOutOfSight: the account cannot tell.
        Temporary, Permanent: as the gateway says.
    """
    if may_judge(known, account=gateway.account, namespace=namespace) and gateway.is_deleted(path=path):
        return
    raise ArchiveOutOfSight(
        f"“{path}” was found with the Dropbox of {name_of(known.account)}. This one ({gateway.account}) does not see it, and does not "
        "see either that it was deleted, so it may only have been kept from it. What was found stays. Let somebody run it "
        "who sees that folder, or connect such an account.",
        evidence=evidence | ({} if known.account == gateway.account.account_id else seen_by(known.account)),
    )


def confirm_full_sight(folder: CloudFile, *, gateway: Gateway, path: str, evidence: dict[str, Any]) -> None:
    """Make sure that the account sees all that lies in a folder.

    Raises:
        ArchiveOutOfSight: it sees only a part, or nothing, of it.
    """
    if folder.is_partial:
        raise ArchiveOutOfSight(
            f"This Dropbox ({gateway.account}) sees only a part of “{path}”, so it cannot tell what is not there. What was "
            "found before stays. Ask the folder's owner for access, or let somebody run it who has it.",
            evidence=evidence,
        )


def shows_full_sight(listing: DirectoryListing) -> bool:
    """Whether the listing alone proves that the account sees the whole folder.

    Who may only pass through a folder sees no file in it, and of its folders those alone that are shared by themselves.
    """
    return any(not entry.is_directory or not (entry.shared_folder_id or entry.is_partial) for entry in listing.entries)


def namespace_of(folder: CloudFile, *, account: DropboxAccount) -> str:
    """The shared folder in which what lies in the folder lies; empty where that is none, or the account's own root."""
    found = folder.shared_folder_id or folder.parent_shared_folder_id
    return "" if found == account.root_namespace_id else found


def origin_of(gateway: Gateway, *, path: str, listing: DirectoryListing, folder: CloudFile | None = None) -> Origin:
    """Whom a listing came from; what lies in a folder names the shared folder that it all lies in.

    Args:
        folder: the description of what was listed, if it is known.
    """
    account = gateway.account
    shared = (entry.parent_shared_folder_id for entry in listing.entries)
    inside = CloudFile(path=path, name="", is_directory=True, parent_shared_folder_id=next(filter(None, shared), ""))
    return Origin(
        base_path=path.rpartition("/")[0],
        account=account.account_id,
        path_root=account.root_namespace_id,
        namespace=namespace_of(inside, account=account) or (namespace_of(folder, account=account) if folder else ""),
        folder_id=folder.file_id if folder else "",
    )


def known_from(origin: Origin, *, asked: DropboxAccount) -> dict[str, str]:
    """For the evidence, from which a lease's history is read: whom it stays known from, where whoever was asked is no witness."""
    if origin.account == asked.account_id:
        return {}
    return {"known_account": origin.account, "known_root": origin.path_root}


def seen_by(account_id: str) -> dict[str, str]:
    """For the evidence: who could be asked to run it."""
    return {"seen_by": name_of(account_id)} if account_id else {}


def name_of(account_id: str) -> str:
    """What an account is called that has seen something; an empty one is somebody's."""
    account = DropboxAccount.objects.filter(account_id=account_id).defer("refresh_token", "access_token").first()
    return str(account) if account else f"another account ({account_id})" if account_id else "somebody"

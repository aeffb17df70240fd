"""Rows that many tests begin with, without the way on which they come about."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from discovery.models import ArchiveWatch
from discovery.services.archive_index import folded
from discovery.services.entry_marks import Mark
from leases.models import AgencyStorageConfig, Lease
from storage.models import StorageRoot, StoredFile

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
NUMBER = "NMNM 0501759"
ARCHIVE = f"{BLM}/{NUMBER}"


def give_dropbox(user: User, dropbox: "Standin", account: str = "olivia") -> DropboxAccount:
    """What connecting leaves, for who does not test that: a good access token, and not a call to Dropbox.

    Args:
        user: who has not connected anything before.
        dropbox: a stand-in as it is after a reset.
        account: the stand-in's name of it.
    """
    it = dropbox.account(account)
    return DropboxAccount.objects.create(
        user=user,
        account_id=it.account_id,
        display_name=it.display_name,
        email=it.email,
        root_namespace_id=it.root_namespace_id,
        home_namespace_id=it.home_namespace_id,
        refresh_token=f"standin-refresh-{account}",
        access_token=f"standin-access-{account}",
        access_token_expires_at=now() + timedelta(hours=4),
        scopes=sorted(it.scopes),
        connected_at=now(),
    )


def configured(agency: str = "BLM", base: str = BLM, **values: Any) -> AgencyStorageConfig:
    """Where an agency's archives are; it has nothing beside them."""
    beside = {"documents_base_path": base, "misc_index_base_path": base}
    return AgencyStorageConfig.objects.create(
        **{"agency": agency, "runsheet_archive_base_path": base, **beside, **values}
    )


def settled(user: User | None, **values: Any) -> Lease:
    """A lease that nothing is owed for."""
    lease = Lease(**{"agency": "BLM", "lease_number": "NMNM 1", "due_at": None, "created_by": user, **values})
    lease.save()
    return lease


def known_directory() -> CloudLocation:
    """The archive of the lease that `settled` makes, without a link."""
    return CloudLocation.objects.create(path="/a/NMNM 1", name="NMNM 1")


def location(**values: Any) -> CloudLocation:
    """The same with a link, unless Dropbox refused one."""
    url = {"share_url": "https://www.dropbox.com/scl/fo/1?rlkey=2&dl=0"} if "share_refusal" not in values else {}
    return CloudLocation.objects.create(**{"path": "/a/NMNM 1", "name": "NMNM 1", **url, **values})


def account(**values: object) -> DropboxAccount:
    """One that is not saved, whose tokens are good for nothing."""
    return DropboxAccount(
        **{
            "account_id": "dbid:1",
            "display_name": "Olivia",
            "refresh_token": "secret-refresh",
            "access_token": "secret-access",
            "root_namespace_id": "1",
            "home_namespace_id": "1",
            "connected_at": datetime(2026, 7, 1, 12, tzinfo=UTC),
            **values,
        }
    )


def watched(account: DropboxAccount, base: str = BLM, **root: Any) -> ArchiveWatch:
    """A folder of archives that an account reads as a whole, read just now; nothing lies there yet (`indexed`)."""
    named = sha256(f"{account.account_id} {account.root_namespace_id} {base}".encode()).hexdigest()[:12]
    declaration = {"kind": "dropbox", "owned": False, "title": f"{base} ({account})"}
    given = {"name": f"dropbox-{named}", "declaration": declaration, "cursor": "c-1", "read_at": now(), **root}
    return ArchiveWatch.objects.create(
        root=StorageRoot.objects.create(**given),
        account_id=account.account_id,
        path_root=account.root_namespace_id,
        base_path=base,
    )


def indexed(watch: ArchiveWatch, archives: dict[str, list[str]], *, partial: bool = False) -> None:
    """Lay archives into the index of a watch, by their names, each with what lies in it: “Runsheets/” is a folder.

    The id of “NMNM 1” is “id:NMNM_1”, and that of “a.pdf” in it “id:NMNM_1/a.pdf”.
    """
    for archive, names in archives.items():
        file_id = f"id:{archive.replace(' ', '_')}"
        _entry(watch, f"{archive}/", file_id, is_partial=partial)
        for name in names:
            _entry(watch, f"{archive}/{name}", f"{file_id}/{name.replace(' ', '_')}")


def _entry(watch: ArchiveWatch, path: str, file_id: str, *, is_partial: bool = False) -> None:
    is_directory = path.endswith("/")
    StoredFile.objects.create(
        root=watch.root,
        key=folded(path),
        name=path.rstrip("/").rpartition("/")[2],
        is_directory=is_directory,
        size=0 if is_directory else 1_234,
        modified_ns=0 if is_directory else 1_700_000_000_000_000_000,
        etag=Mark(file_id=file_id, revision="" if is_directory else "0123456789", is_partial=is_partial).etag,
    )

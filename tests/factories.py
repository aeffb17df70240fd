"""Rows that many tests begin with, without the way on which they come about."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from leases.models import AgencyStorageConfig, Lease

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

"""Rows that many tests begin with, without the way on which they come about."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from core.base.clock import now
from leases.models import AgencyStorageConfig

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"


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


def configured(agency: str = "BLM", base: str = BLM) -> AgencyStorageConfig:
    """Where an agency's archives are."""
    return AgencyStorageConfig.objects.create(
        agency=agency, runsheet_archive_base_path=base, documents_base_path="/d", misc_index_base_path="/m"
    )

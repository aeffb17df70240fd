"""The plain console for the records."""

from leases.admin.batches import BatchAdmin
from leases.admin.configurations import AgencyStorageConfigAdmin
from leases.admin.leases import LeaseAdmin
from leases.admin.locations import CloudLocationAdmin
from leases.admin.notices import FailureNoticeAdmin

__all__ = ["AgencyStorageConfigAdmin", "BatchAdmin", "CloudLocationAdmin", "FailureNoticeAdmin", "LeaseAdmin"]

"""The plain console for the records."""

import leases.admin.sent  # noqa: F401 - what was sent to its pages is told in words
from leases.admin.batches import BatchAdmin
from leases.admin.configurations import AgencyStorageConfigAdmin
from leases.admin.leases import LeaseAdmin
from leases.admin.locations import CloudLocationAdmin
from leases.admin.notices import FailureNoticeAdmin

__all__ = ["AgencyStorageConfigAdmin", "BatchAdmin", "CloudLocationAdmin", "FailureNoticeAdmin", "LeaseAdmin"]

"""The plain console for the records."""

from leases.admin.configurations import AgencyStorageConfigAdmin
from leases.admin.leases import LeaseAdmin
from leases.admin.locations import CloudLocationAdmin

__all__ = ["AgencyStorageConfigAdmin", "CloudLocationAdmin", "LeaseAdmin"]

"""The tables of the records."""

from leases.models.agency_words import AgencyWord
from leases.models.batches import Batch, BatchLease, Upload
from leases.models.origins import NOBODY, Origin
from leases.models.places import Agency, AgencyStorageConfig, BasePathField
from leases.models.records import IsNormalized, Lease

__all__ = [
    "NOBODY",
    "Agency",
    "AgencyStorageConfig",
    "AgencyWord",
    "BasePathField",
    "Batch",
    "BatchLease",
    "IsNormalized",
    "Lease",
    "Origin",
    "Upload",
]

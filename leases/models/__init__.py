"""The tables of the records."""

from leases.models.agency_words import AgencyWord
from leases.models.batches import Batch, BatchLease, Upload
from leases.models.notices import FailureNotice
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
    "FailureNotice",
    "IsNormalized",
    "Lease",
    "Origin",
    "Upload",
]

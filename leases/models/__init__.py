"""The tables of the records."""

from leases.models.agency_words import AgencyWord
from leases.models.batches import Batch, BatchLease, Upload
from leases.models.beside import KnownBeside, Seen
from leases.models.origins import NOBODY, Origin
from leases.models.places import SUBFOLDERS, Agency, AgencyStorageConfig, BasePathField, Beside
from leases.models.records import IsNormalized, Lease

__all__ = [
    "NOBODY",
    "SUBFOLDERS",
    "Agency",
    "AgencyStorageConfig",
    "AgencyWord",
    "BasePathField",
    "Batch",
    "BatchLease",
    "Beside",
    "IsNormalized",
    "KnownBeside",
    "Lease",
    "Origin",
    "Seen",
    "Upload",
]

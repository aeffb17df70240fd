"""Documents, their versions, the links to them, what stands beside their files, and how much room they may take."""

from documents.models.batches import Batch, BatchPart
from documents.models.moves import Move, MovedFile
from documents.models.partials import PartialPiece, PartialUpload, Stage
from documents.models.quotas import Leftover, Quota, Upload
from documents.models.records import Document
from documents.models.shares import ShareLink
from documents.models.sidecars import DocumentSidecar, OwedSidecar
from documents.models.versions import DocumentVersion

__all__ = [
    "Batch",
    "BatchPart",
    "Document",
    "DocumentSidecar",
    "DocumentVersion",
    "Leftover",
    "Move",
    "MovedFile",
    "OwedSidecar",
    "PartialPiece",
    "PartialUpload",
    "Quota",
    "ShareLink",
    "Stage",
    "Upload",
]

"""Documents, their versions, the links to them, and how much room they may take."""

from documents.models.batches import Batch, BatchPart
from documents.models.moves import Move, MovedFile
from documents.models.partials import PartialPiece, PartialUpload, Stage
from documents.models.quotas import Leftover, Quota, Upload
from documents.models.records import Document
from documents.models.shares import ShareLink
from documents.models.versions import DocumentVersion

__all__ = [
    "Batch",
    "BatchPart",
    "Document",
    "DocumentVersion",
    "Leftover",
    "Move",
    "MovedFile",
    "PartialPiece",
    "PartialUpload",
    "Quota",
    "ShareLink",
    "Stage",
    "Upload",
]

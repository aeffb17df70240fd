"""Documents, their versions, and how much room they may take."""

from documents.models.batches import Batch, BatchPart
from documents.models.moves import Move, MovedFile
from documents.models.quotas import Leftover, Quota, Upload
from documents.models.records import Document
from documents.models.versions import DocumentVersion

__all__ = ["Batch", "BatchPart", "Document", "DocumentVersion", "Leftover", "Move", "MovedFile", "Quota", "Upload"]

"""What lies in storage, as rows, and the runs that bring those rows up to date."""

from storage.models.changes import Action, IndexChange
from storage.models.files import FileState, StoredFile
from storage.models.listed import ListedEntry, Word
from storage.models.roots import StorageRoot
from storage.models.runs import ACTIVE, WORKING, IndexRun, Mode, Occasion, RunState

__all__ = [
    "ACTIVE",
    "WORKING",
    "Action",
    "FileState",
    "IndexChange",
    "IndexRun",
    "ListedEntry",
    "Mode",
    "Occasion",
    "RunState",
    "StorageRoot",
    "StoredFile",
    "Word",
]

"""Documents, and a worker's look at them, without a queue."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from documents.models import Document
from documents.services import uploads
from statemachine import jobs
from statemachine.claims import message_of
from statemachine.models import TransitionLog

PDF = b"%PDF-1.7\nA deed.\n%%EOF\n"
DEED = "Deed of 1907.pdf"


class Files:
    """What lies on the disk."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __getitem__(self, key: str) -> Path:
        return self.directory / key

    def all(self) -> dict[str, bytes]:
        """Each file by its key; what is only on its way, too."""
        found = (each for each in self.directory.rglob("*") if each.is_file())
        return {str(each.relative_to(self.directory)): each.read_bytes() for each in found}


def stored(by: User, content: bytes = PDF, *, name: str = DEED, **said: Any) -> Document:
    """A document that is still to be verified."""
    return uploads.store(by=by, name=name, chunks=[content], length=len(content), **said)


def verified(by: User, content: bytes = PDF, **said: Any) -> Document:
    """A document that a worker has looked at."""
    return worked(stored(by, content, **said))


def worked(document: Document) -> Document:
    """The document once a worker has done what it owes; slice by slice."""
    document = Document.objects.get(pk=document.pk)
    while document.is_working and document.is_owed:
        look(document)
        document = Document.objects.get(pk=document.pk)
    return document


def look(document: Document) -> Any:
    """A worker's one try at what it owes, as the caller has read it."""
    message = message_of(document)
    return jobs.run(message.label, message.pk, message.state, message.generation)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def evidence_of(document: Document) -> dict[str, Any]:
    """Of its last transition."""
    log = TransitionLog.objects.filter(record_type="documents.document", record_id=document.pk)
    return dict(log.latest("pk").evidence)

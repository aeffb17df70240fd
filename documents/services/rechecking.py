"""A file that was changed, moved or brought back from outside is looked at again, before anybody gets it."""

from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

from documents.errors import FileChanged
from documents.models import Document, DocumentVersion
from documents.services import writing
from documents.states import State
from statemachine.transitions import RECONCILER, Step, advance, locked
from storage.backends import documents as documents_storage
from storage.backends.errors import NotFound
from storage.models import IndexRun

AT_ONCE = 100
CHANGED = "its file was changed in storage"
# Of what was renamed, the key that it had.
TOUCHED = """
SELECT change.number, version.id FROM storage_indexchange change
JOIN documents_documentversion version ON version.restored_from IS NULL
    AND version.key = CASE WHEN change.action = 'rename' THEN change.before ->> 'key' ELSE change.key END
WHERE change.run_id = %(run)s AND change.number > %(after)s AND change.action IN ('update', 'rename', 'revive')
    AND NOT change.is_directory AND NOT change.passed_over
ORDER BY change.number LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """What a piece has come to.

    Attributes:
        after: the number of the change behind which the next piece begins; None: there is none.
        findings: keys, and what is to be said of them.
    """

    after: int | None
    findings: list[tuple[str, str]]


def recheck(run: IndexRun, *, after: int) -> Rechecked:
    """See to the versions whose files a run has found changed.

    Raises:
        Denied, Throttled, Unavailable: storage does not give what lies there.
    """
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED, {"run": run.pk, "after": after, "limit": AT_ONCE})
        touched = cursor.fetchall()
    versions = DocumentVersion.objects.in_bulk([pk for _, pk in touched])
    findings = [found for _, pk in touched for found in _of_one(versions[pk])]
    return Rechecked(after=touched[-1][0] if len(touched) == AT_ONCE else None, findings=findings)


def _of_one(version: DocumentVersion) -> list[tuple[str, str]]:
    """All versions that have these bytes, in whichever order they were made."""
    with locked(Document, version.document_id) as document:
        same = document.versions.filter(key=version.key)
        if same.filter(number=document.current).exists():
            return _owed(document, version)
    if not same.filter(finding="").exists() or is_itself(version):
        return []
    same.update(finding=FileChanged.code, verified_at=None)
    return [(version.key, f"It is not what was sent as {version}; nobody gets it any more.")]


def _owed(document: Document, version: DocumentVersion) -> list[tuple[str, str]]:
    """Whoever looks finds out what it is, and until then nobody gets it."""
    writing.ring()
    document.versions.filter(key=version.key).update(verified_at=None)
    if document.state in {State.ACTIVE, State.ARCHIVED, State.ERROR}:
        advance(document, Step(transition="verify", reason=CHANGED), RECONCILER)
    return [(version.key, f"It was changed from outside, so {version} of document {document.pk} is verified again.")]


def is_itself(version: DocumentVersion) -> bool:
    """Whether its bytes are those that were sent; what is not there is told by the index."""
    digest = sha256()
    try:
        for chunk in documents_storage().stream(version.key):
            digest.update(chunk)
    except NotFound:
        return False
    return digest.hexdigest() == version.sha256

"""What a run of the index says about documents: sidecars without rows, files that were changed or came back, limits of quotas."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from core.base.clock import now
from core.base.errors import RunsheetError
from documents import limits, sidecars
from documents.errors import InvalidDocument, SidecarRefused
from documents.models import Document, DocumentSidecar, Quota
from documents.queries import roots_of_documents
from documents.services import quotas, rechecking, shares
from documents.services.people import People
from documents.services.rebuilding import Lying, bring_back, catch_up, give_numbers_behind_the_highest, owe
from documents.services.writing import SIDE_BY_SIDE
from storage.backends import documents as documents_storage
from storage.index.following import Finding, Followed
from storage.models import IndexRun, Mode

AT_ONCE = 100
FOLDER_OF = "^[1-9][0-9]{0,8}/documents/([1-9][0-9]{0,11})/document[.]json$"
# What the run has seen to be new, changed or back; in one that looks at everything, whatever has no rows as well.
SIDECARS = """
WITH seen AS (
    SELECT key FROM storage_indexchange WHERE run_id = %(run)s AND action IN ('create', 'update', 'rename', 'revive')
        AND key > %(after)s AND key LIKE '%%/documents/%%/document.json'
), there AS (
    SELECT key, true AS is_news FROM seen
    UNION ALL
    SELECT key, false FROM storage_storedfile WHERE %(all)s AND root_id = %(root)s AND state = 'present'
        AND key > %(after)s AND starts_with(key, %(prefix)s) AND key LIKE '%%/documents/%%/document.json'
)
SELECT DISTINCT there.key COLLATE "C" FROM there
WHERE is_news OR NOT EXISTS (
    SELECT FROM documents_document WHERE id = substring(there.key from %(folder)s)::bigint)
ORDER BY 1 LIMIT %(limit)s
"""
LYING = """
SELECT key, size, modified_ns FROM storage_storedfile WHERE root_id = %(root)s AND state = 'present' AND key = ANY(%(keys)s)
UNION
SELECT key, size, modified_ns FROM storage_indexchange
WHERE run_id = %(run)s AND action IN ('create', 'update', 'rename', 'revive') AND key = ANY(%(keys)s)
"""


def follow(run: IndexRun, *, place: Mapping[str, Any], is_dry: bool) -> Followed:
    """The next piece of what follows from a run; see `storage.index.following`.

    Raises:
        Denied, Throttled, Unavailable: storage does not give what lies there.
    """
    if run.mode == Mode.CLEAN or run.root.name not in roots_of_documents():
        return Followed(place=None, findings=[])
    stage = place.get("stage", "sidecars")
    return _STAGES[stage](run, place, is_dry)


def _sidecars(run: IndexRun, place: Mapping[str, Any], is_dry: bool) -> Followed:  # noqa: FBT001 - as all stages
    keys = _keys(run, after=place.get("after", ""))
    contents = _contents(keys)
    findings = [found for key in keys for found in _of_one(run, key, contents[key])]
    if not is_dry and any(found.is_brought for found in findings):
        give_numbers_behind_the_highest()
    if len(keys) == AT_ONCE:
        return Followed(place={"stage": "sidecars", "after": keys[-1]}, findings=findings)
    return Followed(place={"stage": "limits"}, findings=findings)


def _keys(run: IndexRun, *, after: str) -> list[str]:
    given: dict[str, Any] = {
        "run": run.pk,
        "root": run.root_id,
        "after": after,
        "prefix": run.prefix,
        "folder": FOLDER_OF,
        "all": not run.incremental,
        "limit": AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(SIDECARS, given)
        return [key for (key,) in cursor.fetchall()]


def _contents(keys: Sequence[str]) -> dict[str, bytes | RunsheetError]:
    """What lies there, or why it cannot be had."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(keys, pool.map(_content, keys), strict=True))


def _content(key: str) -> bytes | RunsheetError:
    try:
        return documents_storage().read(key, end=sidecars.AT_MOST_BYTES + 1)
    except RunsheetError as error:
        return error


def _of_one(run: IndexRun, key: str, content: bytes | RunsheetError) -> list[Finding]:
    folder = sidecars.folder_of(key)
    if folder is None:
        return [Finding(key, False, "Nobody has ever given such a number, so nothing was made of it.")]
    if isinstance(content, RunsheetError):
        return [Finding(key, False, str(content))]
    row = Document.objects.filter(pk=folder[1], owner=folder[0]).first()
    try:
        return [*_compared(row, key, content)] if row else _made(run, key, content)
    except (SidecarRefused, InvalidDocument) as error:
        return [Finding(key, False, str(error))]


def _made(run: IndexRun, key: str, content: bytes) -> list[Finding]:
    sidecar = sidecars.read(key, content)
    with connection.cursor() as cursor:
        wanted = [version.key for version in sidecar.said.versions]
        cursor.execute(LYING, {"run": run.pk, "root": run.root_id, "keys": wanted})
        lying = {key: Lying(*known) for key, *known in cursor.fetchall()}
    brought = bring_back(sidecar, lying=lying)
    said = f"Document {brought.document_id}: versions {brought.versions}, links {brought.links}."
    return [Finding(key, True, said), *(Finding(key, False, remark) for remark in brought.remarks)]


def _compared(row: Document, key: str, content: bytes) -> Iterable[Finding]:
    """While there is a row, it holds; what lies there is written anew, unless that would lose something."""
    lies = sidecars.glimpse(content)
    edition = DocumentSidecar.objects.filter(pk=row.pk).values_list("edition", flat=True).first() or 0
    if lies is not None and lies.uuid != str(row.uuid):
        yield Finding(
            key,
            False,
            "It is another document's, whose number was given once more. It stays as it is, and so does the row.",
        )
    elif lies is not None and lies.is_newer:
        sidecars.read(key, content)  # says so
    elif lies is None or not lies.is_sealed:
        owe(row.pk)
        yield Finding(key, False, "Somebody has changed it. What the database says holds, and is written there anew.")
    elif lies.edition > edition:
        yield _newer(row, key, content)
    elif lies.edition < edition:
        owe(row.pk)


def _newer(row: Document, key: str, content: bytes) -> Finding:
    """The database was restored from an old copy."""
    count = catch_up(sidecars.read(key, content))
    return Finding(
        key,
        False,
        f"The database is older than it. Of document {row.pk}, {count} versions that were missing are back; "
        "what else was changed since the copy is not: see whether it has to be done again.",
    )


def _limits(run: IndexRun, _place: Mapping[str, Any], _is_dry: bool) -> Followed:  # noqa: FBT001 - as all stages
    """How much room people and agencies have; small files, and few."""
    findings: list[Finding] = []
    if not run.incremental and not run.prefix:
        for stored in documents_storage().listing(prefix=limits.FOLDER):
            findings += _limit(stored.key)
    return Followed(place={"stage": "files"}, findings=findings)


def _limit(key: str) -> list[Finding]:
    content = _content(key)
    if isinstance(content, RunsheetError):
        return [Finding(key, False, str(content))]
    try:
        said = limits.read(key, content)
    except SidecarRefused as error:
        return [Finding(key, False, str(error))]
    people = People({str(said.user_id): said.person} if said.person else {}, may_make=True)
    user_id = people.known(said.user_id)
    if said.user_id is not None and user_id is None:
        remark = " ".join(people.remarks) or f"Person {said.user_id} is not there."
        return [Finding(key, False, remark)]
    if _has_limit(user_id, said.agency):
        return []
    quotas.limit(owner_id=user_id, agency=said.agency, limit_bytes=said.limit_bytes)
    whose = f"person {user_id}" if user_id else said.agency
    return [
        Finding(key, True, f"The room of {whose}: {said.limit_bytes:,} bytes."),
        *(Finding(key, False, remark) for remark in people.remarks),
    ]


def _has_limit(user_id: int | None, agency: str) -> bool:
    theirs = Quota.objects.filter(user=user_id) if user_id else Quota.objects.filter(agency=agency)
    return theirs.filter(limit_bytes__isnull=False).exists()


def _files(run: IndexRun, place: Mapping[str, Any], is_dry: bool) -> Followed:  # noqa: FBT001 - as all stages
    """Files of versions that were changed, moved or came back; then the links to what is missing, or is there again."""
    piece = rechecking.recheck(run, after=place.get("after", 0))
    findings = [Finding(key, False, detail) for key, detail in piece.findings]
    if piece.after is not None:
        return Followed(place={"stage": "files", "after": piece.after}, findings=findings)
    if not is_dry:
        shares.settle(at=now())
    return Followed(place=None, findings=findings)


type _Stage = Callable[[IndexRun, Mapping[str, Any], bool], Followed]
_STAGES: Mapping[str, _Stage] = {"sidecars": _sidecars, "limits": _limits, "files": _files}

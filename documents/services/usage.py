"""How much room documents take."""

import logging
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from documents.models import Quota

logger = logging.getLogger(__name__)

# One key has its bytes once, however many versions were made of it. What is reserved is what uploads say.
COUNTED = """
WITH used AS (
    SELECT d.owner_id, d.charged_agency AS agency, sum(v.size)::bigint AS bytes
    FROM documents_documentversion v JOIN documents_document d ON d.id = v.document_id
    WHERE v.restored_from IS NULL GROUP BY 1, 2
), counted AS (
    SELECT d.owner_id, count(*) AS versions
    FROM documents_documentversion v JOIN documents_document d ON d.id = v.document_id GROUP BY 1
), kept AS (
    SELECT owner_id, agency, sum(reserved_bytes)::bigint AS bytes FROM documents_upload GROUP BY 1, 2
), wanted AS (
    SELECT q.id, COALESCE((SELECT versions FROM counted c WHERE q.user_id = c.owner_id), 0) AS versions,
        COALESCE((SELECT sum(bytes) FROM used u
            WHERE (q.user_id = u.owner_id AND q.agency = '') OR (q.agency <> '' AND q.agency = u.agency)), 0) AS used,
        COALESCE((SELECT sum(bytes) FROM kept k
            WHERE (q.user_id = k.owner_id AND q.agency = '') OR (q.agency <> '' AND q.agency = k.agency)), 0) AS reserved
    FROM documents_quota q
)
UPDATE documents_quota q SET version_count = w.versions, used_bytes = w.used, reserved_bytes = w.reserved
FROM wanted w WHERE q.id = w.id AND (q.version_count, q.used_bytes, q.reserved_bytes) <> (w.versions, w.used, w.reserved)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The room of one person or one agency, in bytes.

    Attributes:
        limit: None: there is none.
    """

    used: int
    reserved: int
    limit: int | None


def usage(*, owner_id: int | None = None, agency: str = "") -> Usage:
    """How much room somebody has and takes.

    Args:
        owner_id: a person's; or else
        agency: an agency's.
    """
    whose = Q(agency=agency) if agency else Q(user=owner_id)
    quota = Quota.objects.filter(whose).first() or Quota(user_id=owner_id, agency=agency)
    return Usage(used=quota.used_bytes, reserved=quota.reserved_bytes, limit=quota.limit)


def recount() -> int:
    """Bring the quotas in line with the versions and uploads that there are; nobody adds or takes away meanwhile.

    Returns:
        How many were wrong.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever changes a quota changes one of the others in the same transaction, and these wait for that.
        cursor.execute("LOCK TABLE documents_quota IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(COUNTED)
        wrong: int = cursor.rowcount
    if wrong:
        logger.warning("room for documents: %s quotas were wrong and have been put right", wrong)
    return wrong

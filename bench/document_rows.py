"""Documents by the million, as years of use leave them. Imported once Django is ready."""

from typing import get_args
from urllib.parse import parse_qsl

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from api.paging import page
from documents.api.asking import shown
from documents.api.routes import DocumentOrder, Listed
from documents.models import Document

PEOPLE, LEASES = 50, 1_000
# Half of them are one person's, and the old ones are archived: what is rare lies where an order begins last.
DOCUMENTS = """
INSERT INTO documents_document (name, unique_name, owner_id, lease_id, state, current, last_number, size_bytes, mime_type,
    verified_at, entered_at, created_at, updated_at, is_public, failure_code, archived_at)
SELECT word || ' ' || 1900 + n %% 120 || ' no. ' || n || '.' || ending, 'document-' || n, owners[1 + owner],
    CASE WHEN n %% 3 = 0 THEN leases[1 + n %% array_length(leases, 1)] END, state, 1, 1, 1000 + n * 7919 %% 3000000,
    CASE ending WHEN 'pdf' THEN 'application/pdf' WHEN 'jpg' THEN 'image/jpeg' WHEN 'txt' THEN 'text/plain' ELSE 'text/csv' END,
    made, made, made, made + n * 7919 %% 1000 * interval '1 minute', n %% 997 = 0,
    CASE state WHEN 'error' THEN 'infected' ELSE '' END, CASE state WHEN 'archived' THEN made END
FROM (
    SELECT n, CASE WHEN n %% 2 = 0 THEN 0 ELSE n * %(people)s / (%(documents)s + 1) END AS owner,
        CASE WHEN n < %(documents)s / 4 THEN 'archived' WHEN n %% 101 = 0 THEN 'error' ELSE 'active' END AS state,
        (ARRAY['Deed', 'Lease', 'Map', 'Title opinion', 'Übertrag', 'Well log', 'Letter'])[1 + n %% 7] AS word,
        (ARRAY['pdf', 'pdf', 'pdf', 'pdf', 'pdf', 'pdf', 'jpg', 'jpg', 'txt', 'csv'])[1 + n %% 10] AS ending,
        now() - (%(documents)s - n) * interval '1 minute' AS made
    FROM generate_series(1::bigint, %(documents)s) n
) numbered, (SELECT array_agg(id ORDER BY id) AS owners FROM auth_user WHERE username LIKE 'person %%') people,
    (SELECT array_agg(id ORDER BY id) AS leases FROM leases_lease WHERE lease_number LIKE 'NMNM 9%%') leased
"""
VERSIONS = """
INSERT INTO documents_documentversion (document_id, number, key, name, size, sha256, mime_type, verified_at)
SELECT id, 1, owner_id || '/documents/' || id || '/1/document', name, size_bytes, repeat('0', 64), mime_type, verified_at
FROM documents_document WHERE unique_name LIKE 'document-%'
"""
SOME_LEASES = """
INSERT INTO leases_lease (agency, lease_number, due_at) SELECT 'BLM', 'NMNM 9' || lpad(n::text, 5, '0'), NULL FROM generate_series(1, %(leases)s) n
"""


def fill(*, documents: int) -> None:
    """So many of some people, a third of them of some leases."""
    User.objects.bulk_create(User(username=f"person {number}") for number in range(PEOPLE))
    with connection.cursor() as cursor:
        cursor.execute(SOME_LEASES, {"leases": LEASES})
        cursor.execute(DOCUMENTS, {"documents": documents, "people": PEOPLE})
        cursor.execute(VERSIONS)
        cursor.execute("VACUUM ANALYZE documents_document, documents_documentversion")


# Hardly any has it, so that all names are read.
RARE = "&name=no.%204242."


def queries() -> list[str]:
    """What is asked for of the list: each order of all, of somebody's and of each state, first and far behind, and narrowed."""
    some = {"": Q(), **{f"&owner={pk}": Q(owner=pk) for pk in _owners()}}
    some |= {f"&status={state}": Q(state=state) for state in ("active", "archived", "error")}
    found = []
    for narrowed, which in some.items():
        for order in get_args(DocumentOrder.__value__):
            asked = f"&order={order}{narrowed}"
            found += [asked, f"{asked}&cursor={_cursor(order, which)}"]
    lease = Document.objects.filter(lease__isnull=False).values_list("lease", flat=True)[0]
    others = [f"&lease={lease}", "&type=text/", "&is_public=true", "&name=deed", "&unique_name=Document-5"]
    return [*(each.replace(" ", "%20") for each in (*found, *others)), RARE]


def statements() -> int:
    """The most that the list itself takes for one page."""
    person, most = User(is_superuser=True, is_active=True), 0
    for asked in queries():
        wanted = Listed.model_validate(dict(parse_qsl(asked)))
        with CaptureQueriesContext(connection) as counted:
            page(wanted.among(shown(person)), order=[wanted.by], cursor=wanted.cursor, limit=100)
        most = max(most, len(counted))
    return most


def _owners() -> list[int]:
    """Who has half of them, and somebody else."""
    return list(User.objects.filter(username__in=("person 0", "person 3")).values_list("pk", flat=True))


def _cursor(order: str, which: Q) -> str:
    """Where a page begins in the middle of the list."""
    wanted = Listed.model_validate({"order": order})
    rows = Document.objects.filter(which).order_by(wanted.by, "-pk" if order.startswith("-") else "pk")
    at = rows[rows.count() // 2]
    column = wanted.by.removeprefix("-")
    narrowed = Document.objects.filter(which).filter(
        **{f"{column}__{'lte' if order.startswith('-') else 'gte'}": getattr(at, column)}
    )
    return page(narrowed, order=[wanted.by], limit=1).next or ""

"""Files in storage by the million, as a first run of the index leaves them. Imported once Django is ready."""

from collections.abc import Callable, Mapping
from functools import partial

from django.db import connection

from storage.models import StoredFile

LIST, ROOTS = "/admin/storage/storedfile/", "/admin/storage/storageroot/"
PEOPLE, PER_FOLDER = 50, 200
ROOT = "INSERT INTO storage_storageroot (name, marker) VALUES ('documents', 'filled') RETURNING id"
# Most are PDF, a few of each other kind; one of 5,000 is large, and the last folders hold what was changed last.
FILES = """
INSERT INTO storage_storedfile (root_id, key, name, is_directory, size, modified_ns, content_type, owner_id, state)
SELECT %(root)s, folder || name, name, false, 1000 + n * 7919 %% 3000000 + CASE WHEN n %% 5000 = 0 THEN 500000000 ELSE 0 END,
    (1700000000 + n)::bigint * 1000000000, type, owner, CASE WHEN n %% 4999 = 0 THEN 'missing' ELSE 'present' END
FROM (
    SELECT n, owner, owner || '/folder ' || lpad((n / %(folder)s)::text, 6, '0') || '/' AS folder,
        word || ' ' || 1900 + n %% 120 || ' no. ' || n || '.' || ending AS name,
        CASE ending WHEN 'pdf' THEN 'application/pdf' WHEN 'jpg' THEN 'image/jpeg' WHEN 'txt' THEN 'text/plain'
            WHEN 'csv' THEN 'text/csv' ELSE '' END AS type
    FROM (
        SELECT n, 1 + n * %(people)s / %(files)s AS owner,
            (ARRAY['Deed', 'Lease', 'Map', 'Title opinion', 'Übertrag', 'Well log', 'Letter'])[1 + n %% 7] AS word,
            (ARRAY['pdf', 'pdf', 'pdf', 'pdf', 'pdf', 'pdf', 'jpg', 'jpg', 'txt', 'csv', 'bin'])[1 + n %% 11] AS ending
        FROM generate_series(0::bigint, %(files)s - 1) n
    ) numbered
) file ORDER BY folder COLLATE "C", name COLLATE "C"
"""
FOLDERS = """
INSERT INTO storage_storedfile (root_id, key, name, is_directory, owner_id)
SELECT DISTINCT %(root)s, part, rtrim(replace(part, above, ''), '/'), true, owner_id FROM storage_storedfile,
    LATERAL (VALUES (owner_id || '/', ''), (left(key, length(key) - length(name)), owner_id || '/')) folder (part, above)
WHERE root_id = %(root)s
"""


def fill(*, files: int) -> None:
    """So many files in one root, and their folders."""
    with connection.cursor() as cursor:
        cursor.execute(ROOT)
        given = {"root": cursor.fetchone()[0], "files": files, "people": PEOPLE, "folder": PER_FOLDER}
        for statement in (FILES, FOLDERS):
            cursor.execute(statement, given)
        cursor.execute("VACUUM ANALYZE storage_storedfile")


def pages(visit: Callable[[str, Mapping[str, object]], int]) -> dict[str, Callable[[], int]]:
    """What to ask for of them, by name; `visit` asks for a page, and returns how many queries it took."""
    some = StoredFile.objects.filter(is_directory=False).order_by("pk").values_list("pk", flat=True)[0]
    asked: dict[str, Mapping[str, object]] = {
        "files, plain": {},
        "files, last page": {"p": 200},
        "files, a root": {"in": "documents/"},
        "files, a person's folder": {"in": "documents/7/"},
        "files, a part of names": {"q": "lease"},
        "files, a part of names in a folder": {"q": "deed", "in": "documents/7/"},
        "files, a path": {"q": "7/folder"},
        "files, missing": {"state__exact": "missing"},
        "files, folders": {"type": "folder"},
        "files, of a person": {"owner": 7},
        "worst: files, a part that none has": {"q": "nowhere"},
        "worst: files, a part beyond our letters": {"q": "überall"},
        "worst: files, a type": {"type": "spreadsheet"},
        "worst: files, large ones": {"size": "100-mb-to-1-gb"},
        "worst: files, none so new": {"changed": "today"},
        "worst: files, by size": {"o": "-3"},
        "worst: files, all at once": {"q": "map", "type": "image", "size": "1-to-100-mb", "changed": "earlier"},
    }
    return {
        **{name: partial(visit, LIST, query) for name, query in asked.items()},
        "file page": partial(visit, f"{LIST}{some}/change/", {}),
        "roots": partial(visit, ROOTS, {}),
    }

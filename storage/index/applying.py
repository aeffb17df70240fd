"""A plan is carried out, and undone, batch by batch. What does not fit a row or storage any more is left, and said."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from django.db import connection, transaction

from storage.index import cursors, protectors
from storage.index.listers import AnyLister, Lister, reads_by_cursor
from storage.index.merging import BATCH
from storage.index.planning import Keep
from storage.index.presence import require
from storage.models import IndexRun

SPAN = "change.run_id = %(run)s AND change.number > %(after)s AND change.number <= %(up_to)s"
# The row is still as it was when the plan was made.
FITS = "file.id = change.file_id AND file.changed_at = (change.before ->> 'changed_at')::timestamptz"
CREATE = f"""
INSERT INTO storage_storedfile (root_id, key, name, is_directory, size, modified_ns, etag, content_type, sha256, owner_id,
    state, found_at, changed_at, changed_by_id)
SELECT %(root)s, key, name, is_directory, size, modified_ns, etag, content_type, sha256, owner_id,
    'present', statement_timestamp(), statement_timestamp(), %(run)s
FROM storage_indexchange change WHERE {SPAN} AND action = 'create' ORDER BY number
ON CONFLICT (root_id, key) DO NOTHING
"""
UPDATE = f"""
UPDATE storage_storedfile file
SET key = change.key, name = change.name, size = change.size, modified_ns = change.modified_ns, etag = change.etag,
    content_type = change.content_type, sha256 = change.sha256, owner_id = change.owner_id, state = 'present',
    missing_since = NULL, changed_at = statement_timestamp(), changed_by_id = %(run)s
FROM storage_indexchange change WHERE {SPAN} AND action IN ('update', 'rename', 'revive') AND {FITS}
    AND (action <> 'rename' OR NOT EXISTS (
        SELECT FROM storage_storedfile other WHERE other.root_id = %(root)s AND other.key = change.key))
"""
MISS = f"""
UPDATE storage_storedfile file
SET state = 'missing', missing_since = statement_timestamp(), changed_at = statement_timestamp(), changed_by_id = %(run)s
FROM storage_indexchange change WHERE {SPAN} AND action = 'miss' AND {FITS} AND NOT passed_over
"""
TO_DELETE = (
    f"SELECT change.file_id FROM storage_indexchange change WHERE {SPAN} AND action = 'delete' AND NOT passed_over"
)
DELETE = f"""
DELETE FROM storage_storedfile file USING storage_indexchange change
WHERE {SPAN} AND action = 'delete' AND {FITS} AND NOT passed_over AND NOT file.id = ANY(%(protected)s)
"""
HELD_FOR_GONE = f"SELECT number, key FROM storage_indexchange change WHERE {SPAN} AND action IN ('miss', 'delete')"
LEAVE_BACK = """
UPDATE storage_indexchange SET passed_over = true WHERE run_id = %(run)s AND number = ANY(%(back)s)
"""
# Whose row does not say what the plan says was not applied.
LEAVE = f"""
UPDATE storage_indexchange change SET passed_over = true
WHERE {SPAN} AND CASE
    WHEN action = 'delete' THEN EXISTS (SELECT FROM storage_storedfile file WHERE file.id = change.file_id)
    WHEN action IN ('create', 'update', 'rename', 'revive', 'miss') THEN NOT EXISTS (
        SELECT FROM storage_storedfile file
        WHERE file.root_id = %(root)s AND file.key = change.key AND file.changed_by_id = %(run)s)
    ELSE false END
"""
PLANNED = f"""
SELECT count(*) FILTER (WHERE action IN ('create', 'update', 'rename', 'revive', 'miss', 'delete')) - count(*) FILTER (WHERE passed_over)
FROM storage_indexchange change WHERE {SPAN}
"""

# The way back: the rows that the run has left as they are now become what they were.
LEFT_BY_US = "file.changed_by_id = %(run)s AND NOT change.passed_over"
MADE = f"""
SELECT file.id FROM storage_indexchange change
JOIN storage_storedfile file ON file.root_id = %(root)s AND file.key = change.key
WHERE {SPAN} AND action = 'create' AND {LEFT_BY_US}
"""
UNMAKE = "DELETE FROM storage_storedfile WHERE id = ANY(%(made)s)"
PUT_BACK = f"""
UPDATE storage_storedfile file
SET key = was.key, name = was.name, size = was.size, modified_ns = was.modified_ns, etag = was.etag,
    content_type = was.content_type, sha256 = was.sha256, owner_id = was.owner_id, state = was.state,
    missing_since = was.missing_since, found_at = was.found_at, changed_at = was.changed_at, changed_by_id = was.changed_by_id
FROM storage_indexchange change, LATERAL jsonb_populate_record(NULL::storage_storedfile, change.before) was
WHERE {SPAN} AND action IN ('update', 'rename', 'revive', 'miss') AND file.id = change.file_id AND {LEFT_BY_US}
    AND (action <> 'rename' OR NOT EXISTS (
        SELECT FROM storage_storedfile other WHERE other.root_id = %(root)s AND other.key = was.key))
"""
BRING_BACK = f"""
INSERT INTO storage_storedfile SELECT was.* FROM storage_indexchange change,
    LATERAL jsonb_populate_record(NULL::storage_storedfile, change.before) was
WHERE {SPAN} AND action = 'delete' AND NOT change.passed_over ORDER BY change.number
ON CONFLICT DO NOTHING
"""


def apply(run: IndexRun, *, lister: AnyLister, keep: Keep, is_time_up: Callable[[], bool]) -> bool:
    """Carry out the plan from where it stands; whether it has come to its end.

    Raises:
        RootNotThere: the plan has waited for somebody, and nothing can be said by now of what it holds for gone.
    """
    if run.has_waited:
        require(run.root, lister)
    if not run.planned_up_to:
        with transaction.atomic():
            keep(counts=run.counts, **cursors.arrive(run, left=0))
    while run.applied_up_to < run.planned_up_to:
        began_at, after = monotonic(), run.applied_up_to
        up_to = min(after + BATCH, run.planned_up_to)
        given = {"run": run.pk, "root": run.root_id, "after": after, "up_to": up_to}
        # What a cursor told is not looked at: what is back by now, it will tell.
        back = [] if reads_by_cursor(lister) or not run.has_waited else _back(given, lister)
        with transaction.atomic():
            left = _carry_out(given | {"back": back}, include_protected=run.include_protected)
            counts = _counted(run, "applying", left, monotonic() - began_at)
            arrived = cursors.arrive(run, left=counts["left"]) if up_to == run.planned_up_to else {}
            keep(applied_up_to=up_to, counts=counts, **arrived)
        run.applied_up_to, run.counts = up_to, counts
        if up_to < run.planned_up_to and is_time_up():
            return False
    return True


def undo(run: IndexRun, *, keep: Keep, is_time_up: Callable[[], bool]) -> bool:
    """Take back what was applied, the last first; whether it has come to its end."""
    while run.applied_up_to > 0:
        began_at, up_to = monotonic(), run.applied_up_to
        after = max(up_to - BATCH, 0)
        with transaction.atomic():
            given = {"run": run.pk, "root": run.root_id, "after": after, "up_to": up_to}
            left = _take_back(given)
            counts = _counted(run, "undoing", left, monotonic() - began_at)
            keep(applied_up_to=after, counts=counts)
        run.applied_up_to, run.counts = after, counts
        if after and is_time_up():
            return False
    return True


def _back(given: dict[str, Any], lister: Lister) -> list[int]:
    """The changes of a batch that hold something for gone of which there is something to be seen by now."""
    with connection.cursor() as cursor:
        cursor.execute(HELD_FOR_GONE, given)
        held = cursor.fetchall()
    return [number for number, key in held if lister.look(key) is not None]


def _carry_out(given: dict[str, Any], *, include_protected: bool) -> int:
    """The changes of a batch; how many were left."""
    with connection.cursor() as cursor:
        done = 0
        if given["back"]:
            cursor.execute(LEAVE_BACK, given)
        cursor.execute(TO_DELETE, given)
        ids = [file_id for (file_id,) in cursor.fetchall()]
        if ids:
            kept = [] if include_protected else list(protectors.protected(ids))
            cursor.execute(DELETE, given | {"protected": kept})
            done += cursor.rowcount
        for statement in (UPDATE, MISS, CREATE):
            cursor.execute(statement, given)
            done += cursor.rowcount
        cursor.execute(PLANNED, given)
        planned = cursor.fetchone()[0]
        if done < planned:
            cursor.execute(LEAVE, given)
    return int(planned - done) + len(given["back"])


def _take_back(given: dict[str, Any]) -> int:
    """The way back for a batch; how many stay as they are, since they were changed meanwhile or something stands on them."""
    with connection.cursor() as cursor:
        cursor.execute(PLANNED, given)
        planned = cursor.fetchone()[0]
        cursor.execute(MADE, given)
        made = [file_id for (file_id,) in cursor.fetchall()]
        stand = protectors.protected(made)
        cursor.execute(UNMAKE, {"made": [file_id for file_id in made if file_id not in stand]})
        done = cursor.rowcount
        for statement in (PUT_BACK, BRING_BACK):
            cursor.execute(statement, given)
            done += cursor.rowcount
    return int(planned - done)


def _counted(run: IndexRun, phase: str, left: int, took_s: float) -> dict[str, Any]:
    seconds = dict(run.counts.get("seconds", {}))
    seconds[phase] = round(seconds.get(phase, 0.0) + took_s, 3)
    return {**run.counts, "left": run.counts.get("left", 0) + left, "seconds": seconds}

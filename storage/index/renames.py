"""What is missing in one place and new in another may be the same file: then its row goes with it.

What has a lasting id (an etag whose first word begins with “id:”) is known by that alone, if it is one that went and one that
came. Else only where nothing speaks against it: among all that is missing and all that is new in this run there is one of each that are
alike in size and time (in an object store: size and etag), and their names are alike too. A time in whole seconds, as
archives and old file systems have, is no finger print; there the whole name has to be the same.
"""

from django.db import connection

from storage.models import IndexRun

WEIGHT = "CASE WHEN starts_with(etag, 'id:') THEN 0 ELSE size END"
PRINT = """CASE WHEN starts_with(etag, 'id:') THEN split_part(etag, ' ', 1)
    WHEN is_directory OR etag = '' THEN modified_ns::text ELSE etag END"""
IS_GONE = "action IN ('miss', 'delete') AND before ->> 'state' = 'present'"
HAS_COME, IS_ANOTHER = "action = 'create'", "action IN ('update', 'revive')"
ENDING = r"substring({0}.name from '\.[^.]*$') IS NOT DISTINCT FROM substring({1}.name from '\.[^.]*$')"
# PostgreSQL knows nothing of rows that were planned a moment ago, and would join each with each. So both sides are gathered at
# once, then each row is looked up by its number, and reached by its place.
RENAME = f"""
WITH alike AS (
    SELECT min(number) FILTER (WHERE {IS_GONE}) AS old_number, min(number) FILTER (WHERE {HAS_COME}) AS new_number,
        is_directory, {WEIGHT} AS weight, {PRINT} AS print
    FROM storage_indexchange WHERE run_id = %(run)s AND ({IS_GONE} OR {HAS_COME})
    GROUP BY is_directory, weight, print
    HAVING count(*) FILTER (WHERE {IS_GONE}) = 1 AND count(*) FILTER (WHERE {HAS_COME}) = 1
), pair AS (
    SELECT old.at AS old_at, new.at AS new_at, old.file_id, old.before, old.key, old.sha256, old.action,
        old.etag = new.etag OR NOT starts_with(print, 'id:') AS is_same
    FROM alike
    CROSS JOIN LATERAL (
        SELECT ctid AS at, * FROM storage_indexchange WHERE run_id = %(run)s AND number = alike.old_number LIMIT 1
    ) old CROSS JOIN LATERAL (
        SELECT ctid AS at, * FROM storage_indexchange WHERE run_id = %(run)s AND number = alike.new_number LIMIT 1
    ) new
    WHERE CASE
        WHEN starts_with(print, 'id:') THEN true
        WHEN old.sha256 IS NOT NULL AND new.sha256 IS NOT NULL THEN old.sha256 = new.sha256
        WHEN old.name = new.name THEN true
        ELSE (old.size > 0 OR old.is_directory) AND {ENDING.format("old", "new")}
            AND (new.etag NOT IN ('', 'recent') OR new.modified_ns %% 1000000000 <> 0)
    END
), gone_elsewhere AS (
    DELETE FROM storage_indexchange change USING pair WHERE change.ctid = pair.old_at RETURNING change.action
), moved AS (
    UPDATE storage_indexchange change
    SET action = 'rename', file_id = pair.file_id, before = pair.before, detail = pair.key,
        sha256 = coalesce(change.sha256, CASE WHEN pair.is_same THEN pair.sha256 END)
    FROM pair WHERE change.ctid = pair.new_at
)
SELECT count(*), count(*) FILTER (WHERE action = 'delete') FROM gone_elsewhere
"""

# Under a key that had a row, of something else or of what had gone from there; so no row can go with it.
ELSEWHERE = f"""
SELECT count(*) FROM (
    SELECT {PRINT} AS print FROM storage_indexchange
    WHERE run_id = %(run)s AND starts_with(etag, 'id:') AND ({IS_GONE} OR {IS_ANOTHER})
    GROUP BY print HAVING count(*) FILTER (WHERE {IS_GONE}) = 1 AND count(*) FILTER (WHERE {IS_ANOTHER}) = 1
) elsewhere
"""


def find(run: IndexRun) -> dict[str, int]:
    """Make renames of what goes together in a plan; the figures as they are then. Done twice, it is done once."""
    counts: dict[str, int] = dict(run.counts)
    if counts.get("newly_missing") and (counts.get("records_updated") or counts.get("records_revived")):
        with connection.cursor() as cursor:
            cursor.execute(ELSEWHERE, {"run": run.pk})
            counts["elsewhere"] = cursor.fetchone()[0]
    if not (counts.get("newly_missing") and counts.get("records_created")):
        return counts
    with connection.cursor() as cursor:
        cursor.execute(RENAME, {"run": run.pk})
        moved, deleted = cursor.fetchone()
    for name, less in {
        "newly_missing": moved,
        "records_created": moved,
        "missing_in_db": moved,
        "orphaned_in_db": moved,
        "records_deleted": deleted,
        "records_missed": moved - deleted,
    }.items():
        counts[name] = counts.get(name, 0) - less
    if run.mode == "full":
        counts["records_skipped"] = counts.get("records_skipped", 0) - (moved - deleted)
    counts["renamed"] = counts.get("renamed", 0) + moved
    return counts

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
ENDING = r"substring({0}.name from '\.[^.]*$') IS NOT DISTINCT FROM substring({1}.name from '\.[^.]*$')"
RENAME = f"""
WITH gone AS (
    SELECT min(number) AS number, is_directory, {WEIGHT} AS weight, {PRINT} AS print FROM storage_indexchange
    WHERE run_id = %(run)s AND action IN ('miss', 'delete') AND before ->> 'state' = 'present'
    GROUP BY is_directory, weight, print HAVING count(*) = 1
), come AS (
    SELECT min(number) AS number, is_directory, {WEIGHT} AS weight, {PRINT} AS print FROM storage_indexchange
    WHERE run_id = %(run)s AND action = 'create' GROUP BY is_directory, weight, print HAVING count(*) = 1
), pair AS (
    SELECT old.number AS old, new.number AS new, old.file_id, old.before, old.key, old.sha256, old.action,
        old.etag = new.etag OR NOT starts_with(print, 'id:') AS is_same
    FROM gone JOIN come USING (is_directory, weight, print)
    JOIN storage_indexchange old ON old.run_id = %(run)s AND old.number = gone.number
    JOIN storage_indexchange new ON new.run_id = %(run)s AND new.number = come.number
    WHERE CASE
        WHEN starts_with(print, 'id:') THEN true
        WHEN old.sha256 IS NOT NULL AND new.sha256 IS NOT NULL THEN old.sha256 = new.sha256
        WHEN old.name = new.name THEN true
        ELSE (old.size > 0 OR old.is_directory) AND {ENDING.format("old", "new")}
            AND (new.etag NOT IN ('', 'recent') OR new.modified_ns %% 1000000000 <> 0)
    END
), gone_elsewhere AS (
    DELETE FROM storage_indexchange change USING pair WHERE change.run_id = %(run)s AND change.number = pair.old
    RETURNING change.action
), moved AS (
    UPDATE storage_indexchange change
    SET action = 'rename', file_id = pair.file_id, before = pair.before, detail = pair.key,
        sha256 = coalesce(change.sha256, CASE WHEN pair.is_same THEN pair.sha256 END)
    FROM pair WHERE change.run_id = %(run)s AND change.number = pair.new
)
SELECT count(*), count(*) FILTER (WHERE action = 'delete') FROM gone_elsewhere
"""

# Under a key that had a row, of something else or of what had gone from there; so no row can go with it.
ELSEWHERE = """
SELECT count(*) FROM (
    SELECT split_part(etag, ' ', 1) AS print FROM storage_indexchange
    WHERE run_id = %(run)s AND action IN ('miss', 'delete') AND before ->> 'state' = 'present' AND starts_with(etag, 'id:')
    GROUP BY print HAVING count(*) = 1
) gone JOIN (
    SELECT split_part(etag, ' ', 1) AS print FROM storage_indexchange
    WHERE run_id = %(run)s AND action IN ('update', 'revive') AND starts_with(etag, 'id:') GROUP BY print HAVING count(*) = 1
) come USING (print)
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

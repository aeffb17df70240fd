"""Remember what was found in the cloud, and what leads to it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from cloud.files import ShareLink
from cloud.models import CloudLocation
from cloud.queries import DROPBOX, locations_at, locations_at_all

# In one order, so that two who write the same never wait for each other. A link follows its folder: where another one lies at
# the path now, it leads there no more. Where nothing lay, something does, and nobody has made a link yet.
PUT_SEEN = """
WITH given AS MATERIALIZED (
    SELECT path, name, file_id, dropbox_fold(path) AS key
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS seen(path, name, file_id)
), put AS (
    INSERT INTO cloud_cloudlocation AS known (provider, path, name, file_id, updated_at)
    SELECT %s, path, name, file_id, statement_timestamp() FROM given ORDER BY key
    ON CONFLICT (provider, dropbox_fold(path)) DO UPDATE SET
        name = EXCLUDED.name, file_id = EXCLUDED.file_id, updated_at = EXCLUDED.updated_at,
        share_url = CASE WHEN {another} THEN '' ELSE known.share_url END,
        share_refusal = CASE WHEN {another} THEN '' ELSE known.share_refusal END,
        share_expires_at = CASE WHEN {another} THEN NULL ELSE known.share_expires_at END,
        is_public = NOT ({another}) AND known.is_public,
        share_checked_at = CASE WHEN {another} OR known.share_url = '' AND known.share_refusal = '' THEN NULL
            ELSE known.share_checked_at END
    RETURNING id, dropbox_fold(path) AS key
)
SELECT given.path, put.id FROM given JOIN put USING (key)
""".replace("{another}", "known.file_id NOT IN ('', EXCLUDED.file_id)")


class Seen(NamedTuple):
    """A directory that lies at a path.

    Attributes:
        path: absolute, as it was asked for.
        name: as Dropbox shows it.
        file_id: its lasting name.
    """

    path: str
    name: str
    file_id: str


def record_location(
    *, path: str, link: ShareLink | None, refusal: str = "", checked_at: datetime | None = None
) -> CloudLocation:
    """Remember a directory and what leads to it.

    Args:
        path: absolute, as it was asked for.
        link: None leaves a stored link as it is, unless there is a refusal.
        refusal: why there is no link, for the operator.
        checked_at: when the link was seen to lead there; None leaves what is known.
    """
    values = _link_values(link, refusal)
    if checked_at:
        values["share_checked_at"] = checked_at
    if not values and (found := locations_at(path).select_for_update().first()):
        return found
    return CloudLocation.objects.put({"provider": DROPBOX, "path": path, "name": path.rpartition("/")[2]}, values)


def record_seen(seen: Sequence[Seen]) -> dict[str, int]:
    """Remember directories to which nobody has made a link just now; a link that is stored stays, if it leads to the same.

    Args:
        seen: no two at one path.

    Returns:
        The primary keys of their locations, by the paths. One statement, however many there are.
    """
    paths, names, ids = zip(*seen, strict=True) if seen else ((), (), ())
    with connection.cursor() as cursor:
        cursor.execute(PUT_SEEN, [list(paths), list(names), list(ids), DROPBOX])
        return dict(cursor.fetchall())


def forget_links(paths: Collection[str]) -> None:
    """The same as `forget_link` for many; three statements at most."""
    _forget(CloudLocation.objects.filter(pk__in=[each.pk for each in locations_at_all(paths).values()]))


def forget_link(*, path: str) -> None:
    """Forget the link to a directory that is gone. The place stays, and says that it is gone (`is_gone`)."""
    _forget(locations_at(path))


def _forget(locations: QuerySet[CloudLocation]) -> None:
    nothing = {"share_url": "", "share_refusal": "", "share_expires_at": None, "is_public": False, "file_id": ""}
    locations.update(**nothing, share_checked_at=Now())


def _link_values(link: ShareLink | None, refusal: str) -> dict[str, Any]:
    if refusal:
        return {"share_url": "", "share_refusal": refusal, "share_expires_at": None, "is_public": False}
    if link is None:
        return {}
    return {
        **({"name": link.name} if link.name else {}),
        "file_id": link.file_id,
        "share_url": link.url,
        "share_refusal": "",
        "share_expires_at": link.expires_at,
        "is_public": link.is_public,
    }

"""What is known of places in the cloud."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet, Value

from cloud.models import CloudLocation, Folded
from core.base.database import fetch_one

DROPBOX = "dropbox"
# As text, since every run reads it.
LOCATION_AT = """
SELECT {columns}, share_url <> '' AND (share_expires_at IS NULL OR share_expires_at > statement_timestamp()) AS has_link
FROM cloud_cloudlocation WHERE provider = %s AND dropbox_fold(path) = dropbox_fold(%s)
"""
# Each by the index of paths: most of a table is of one provider.
LOCATIONS_AT = """
SELECT given.path, location.id FROM unnest(%s::text[]) AS given(path) CROSS JOIN LATERAL (
    SELECT id FROM cloud_cloudlocation WHERE provider = %s AND dropbox_fold(path) = dropbox_fold(given.path) LIMIT 1
) location
"""


def locations_at(path: str, *, provider: str = DROPBOX) -> QuerySet[CloudLocation]:
    """The one location at a path, in whatever case it was typed."""
    return CloudLocation.objects.alias(folded=Folded("path")).filter(provider=provider, folded=Folded(Value(path)))


def take_link_check(location: CloudLocation, *, before: datetime, at: datetime) -> bool:
    """Whether the caller is to check the share link now. Of several who ask at the same time only one is told so.

    Args:
        before: a check before this instant is too old.
        at: the present instant.
    """
    due = Q(share_checked_at__isnull=True) | Q(share_checked_at__lt=before)
    return bool(CloudLocation.objects.filter(due, pk=location.pk).update(share_checked_at=at))


def location_at(path: str) -> CloudLocation | None:
    """The location at the path, if it is known; with `has_link`: whether a share link is stored that has not expired."""
    return fetch_one(CloudLocation, LOCATION_AT, [DROPBOX, path])


def locations_at_all(paths: Collection[str]) -> dict[str, CloudLocation]:
    """What is known of each of the paths, by the path as it was given; two queries at most."""
    with connection.cursor() as cursor:
        cursor.execute(LOCATIONS_AT, [list(paths), DROPBOX])
        keys = dict(cursor.fetchall())
    found = CloudLocation.objects.in_bulk(set(keys.values())) if keys else {}
    return {path: found[key] for path, key in keys.items() if key in found}

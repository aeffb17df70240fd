"""Remember what was found in the cloud, and what leads to it."""

from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from cloud.files import ShareLink
from cloud.models import CloudLocation
from cloud.queries import DROPBOX, locations_at


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


def forget_link(*, path: str) -> None:
    """Forget the link to a directory that is gone. The place stays, and says that it is gone (`is_gone`)."""
    nothing = {"share_url": "", "share_refusal": "", "share_expires_at": None, "is_public": False, "file_id": ""}
    locations_at(path).update(**nothing, share_checked_at=Now())


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

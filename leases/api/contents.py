"""What lies in the archive of a lease, for programs."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from api.paging import AT_MOST
from leases.api.asking import SEE, asking, there
from leases.contents import SHOWN, Contents, contents_of

router = Router()


class LyingAnswer(BaseModel):
    """A file or folder that lies directly in an archive.

    Attributes:
        size: in bytes; null for a folder.
        changed_at: null for a folder.
        url: where it is at Dropbox.
        is_report: its name is that of a previous report.
    """

    name: str
    is_directory: bool
    size: int | None
    changed_at: datetime | None
    url: str
    is_report: bool


class ContentsAnswer(BaseModel):
    """What lies in an archive, the reports first, as far as it is known without asking Dropbox.

    Attributes:
        items: null: that is not known, or not for who asks.
        more: how many there are beside these.
        folder: where it is in the index: what `/api/v1/files/` takes as `search`, behind the name of its root.
        read_at: it was so at this instant; null: something may have changed since.
    """

    items: list[LyingAnswer] | None
    more: int
    folder: str | None
    read_at: datetime | None

    @classmethod
    def of(cls, found: Contents | None) -> "ContentsAnswer":
        if found is None:
            return cls(items=None, more=0, folder=None, read_at=None)
        items = [
            LyingAnswer(
                name=each.name,
                is_directory=each.is_directory,
                size=each.size_bytes,
                changed_at=each.changed_at,
                url=each.url,
                is_report=each.is_report,
            )
            for each in found.lying
        ]
        return cls(items=items, more=found.more, folder=found.folder, read_at=found.read_at)


@router.get("/{int:lease_id}/contents/", response=ContentsAnswer, url_name="lease_contents")
def contents(
    request: HttpRequest, lease_id: int, limit: Annotated[int, Query(ge=1, le=AT_MOST)] = SHOWN
) -> ContentsAnswer:
    """What lies directly in the archive of a lease.

    Raises:
        TransitionForbidden, RecordGone: there is nothing to see.
    """
    user = asking(request, SEE)
    return ContentsAnswer.of(contents_of(there(lease_id), user, at_most=limit))

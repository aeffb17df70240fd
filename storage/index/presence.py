"""Whether a root is there, and is the one that we know."""

from uuid import uuid4

from django.db import transaction

from storage.errors import MarkerMoved, RootBusy, RootNotThere
from storage.index.listers import AnyLister, reads_by_cursor
from storage.models import ACTIVE, IndexRun, StorageRoot


def require(root: StorageRoot, lister: AnyLister) -> None:
    """See that the root is there. Whoever is met for the first time is marked, or known by the marker that it has.

    Raises:
        RootNotThere: it is not, or its marker is missing or another one's.
    """
    found = lister.marker()
    if found and found == root.marker:
        return
    if not root.marker:
        if found is None and not reads_by_cursor(lister):
            lister.lay_marker(uuid4().hex)
            found = lister.marker()
        if found:
            root.marker = found
            root.save(update_fields=["marker"])
            return
    if reads_by_cursor(lister):
        raise RootNotThere(
            f"Another folder lies in the place of the root “{root.title}” by now. Nothing is concluded from that. If it is to be "
            "the root from now on, press “Take the marker that lies there” on its page, then look again."
        )
    raise RootNotThere(
        f"The root “{root.name}” is not there: {_what_is_wrong(found)}. Nothing is concluded from that; see that it is mounted, then look again."
    )


def _what_is_wrong(found: str | None) -> str:
    """With a marker by which nobody knows the root."""
    if found is None:
        return "its marker “.runsheet-root” is missing"
    return (
        "its marker is that of another root"
        if found
        else "its marker “.runsheet-root” is empty (delete it, if this is the root)"
    )


def forget_marker(*, root_id: int, marker: str) -> None:
    """Let the next run know a root by whatever marker lies there, since another place is to be the root from now on.

    Args:
        marker: the one by which it is known; whoever has read another one is told.

    Raises:
        MarkerMoved: it is known by another one by now, or by none.
        RootBusy: a run of it is under way.
    """
    with transaction.atomic():
        root = StorageRoot.objects.select_for_update().get(pk=root_id)
        if not marker or root.marker != marker:
            raise MarkerMoved
        if IndexRun.objects.filter(root=root, state__in=sorted(ACTIVE)).exists():
            raise RootBusy
        # What a cursor tells is about the place that was there before.
        root.marker, root.cursor, root.read_at = "", "", None
        root.save(update_fields=["marker", "cursor", "read_at"])

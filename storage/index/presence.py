"""Whether a root is there, and is the one that we know."""

from uuid import uuid4

from storage.errors import RootNotThere
from storage.index.listers import Lister
from storage.models import StorageRoot


def require(root: StorageRoot, lister: Lister) -> None:
    """See that the root is there. Whoever is met for the first time is marked, or known by the marker that it has.

    Raises:
        RootNotThere: it is not, or its marker is missing or another one's.
    """
    found = lister.marker()
    if found is not None and found == root.marker:
        return
    if not root.marker:
        if found is None:
            lister.lay_marker(uuid4().hex)
            found = lister.marker()
        if found:
            root.marker = found
            root.save(update_fields=["marker"])
            return
    what = "its marker “.runsheet-root” is missing" if found is None else "its marker is that of another root"
    raise RootNotThere(
        f"The root “{root.name}” is not there: {what}. Nothing is concluded from that; see that it is mounted, then look again."
    )

"""What is known of what lies beside a lease's archive: its document archive and its miscellaneous index."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from cloud.models import CloudLocation
from core.base.folding import is_same_path
from leases.models.origins import NOBODY, Origin
from leases.models.places import Beside

STATE_LENGTH = 10


class Seen(models.TextChoices):
    """What was seen of one of them."""

    UNKNOWN = "unknown", "Not looked at yet"
    FOUND = "found", "Found"
    NOT_FOUND = "not_found", "Not found"
    UNSEEN = "unseen", "Could not be looked at"


class KnownBeside(models.Model):
    """The columns of a lease that say what lies beside its archive. They never change what is said of the archive.

    Attributes:
        beside: JSON: for each of them the path that was asked for, when (ISO 8601), whom the answer came from, and why the
            last look told nothing, if it did not.
    """

    documents_directory = models.ForeignKey(
        CloudLocation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # every transition would write to it, and nothing is looked for by it
        related_name="+",
    )
    documents_state = models.CharField(
        max_length=STATE_LENGTH, choices=Seen, default=Seen.UNKNOWN, db_default=Seen.UNKNOWN, editable=False
    )
    misc_index_directory = models.ForeignKey(
        CloudLocation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # as above
        related_name="+",
    )
    misc_index_state = models.CharField(
        max_length=STATE_LENGTH, choices=Seen, default=Seen.UNKNOWN, db_default=Seen.UNKNOWN, editable=False
    )
    beside = models.JSONField(default=dict, db_default={}, editable=False)

    if TYPE_CHECKING:
        documents_directory_id: int | None
        misc_index_directory_id: int | None

    class Meta:
        abstract = True

    def seen(self, which: Beside, *, path: str) -> Seen:
        """What was seen of it at the path; what was seen at another one says nothing."""
        return Seen(getattr(self, f"{which}_state")) if self._is_of(which, path) else Seen.UNKNOWN

    def directory_beside(self, which: Beside, *, path: str) -> CloudLocation | None:
        """Where it was found, if that is the path."""
        found: CloudLocation | None = getattr(self, f"{which}_directory") if self._is_of(which, path) else None
        return found

    def directory_id_beside(self, which: Beside, *, path: str) -> int | None:
        """The same without a query."""
        found: int | None = getattr(self, f"{which}_directory_id") if self._is_of(which, path) else None
        return found

    def looked_beside_at(self, which: Beside) -> datetime | None:
        """When Dropbox, or the index, last told of it."""
        at = self._told(which).get("at")
        return datetime.fromisoformat(at) if at else None

    def why_unseen(self, which: Beside, *, path: str) -> str:
        """Why the last look at the path told nothing; empty if it did, or there was none."""
        return str(self._told(which).get("why", "")) if self._is_of(which, path) else ""

    def origin_beside(self, which: Beside, *, path: str) -> Origin | None:
        """Whom it is known from that a directory lies there; None if none was found there."""
        if self.directory_id_beside(which, path=path) is None:
            return None
        told = self._told(which).get("origin", {})
        return Origin(**told) if told else NOBODY

    def account_beside(self, which: Beside, *, path: str) -> str:
        """Whose account has said last whether something lies at the path; empty where none has."""
        return str(self._told(which).get("origin", {}).get("account", "")) if self._is_of(which, path) else ""

    def remember_beside(
        self,
        which: Beside,
        *,
        path: str,
        seen: Seen,
        at: datetime,
        directory_id: int | None = None,
        origin: Mapping[str, str] | None = None,
        why: str = "",
    ) -> None:
        """Keep what a look has told. One that told nothing leaves what was found there before as it was."""
        if seen == Seen.UNSEEN and self.seen(which, path=path) not in {Seen.UNKNOWN, Seen.UNSEEN}:
            self.beside = {**self.beside, str(which): {**self._told(which), "why": why}}
            return
        setattr(self, f"{which}_state", seen)
        setattr(self, f"{which}_directory_id", directory_id)
        told: dict[str, Any] = {"path": path, "at": at.isoformat(), "origin": dict(origin or {}), "why": why}
        self.beside = {**self.beside, str(which): told}

    def forget_beside(self) -> None:
        """What was known of another number."""
        for which in Beside:
            setattr(self, f"{which}_state", Seen.UNKNOWN)
            setattr(self, f"{which}_directory_id", None)
        self.beside = {}

    def _told(self, which: Beside) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self.beside.get(which, {})
        return told

    def _is_of(self, which: Beside, path: str) -> bool:
        return is_same_path(self._told(which).get("path", ""), path)

"""The record: a document, what may happen to it, and what is known of its current version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django_fsm import transition

from console.notices.models import Noticed
from documents.names import NAME_AT_MOST, UNIQUE_NAME, UNIQUE_NAME_AT_MOST
from documents.states import CHANGEABLE, WORKING, State
from statemachine.models import StateMachine, known_states, line_indexes, state_field

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CHANGE = "documents.change_document"
# A file whose bytes are others, or none; see `documents.errors`.
CHANGED, LOST = "file_changed", "file_gone"
NEW_UUID = models.Func(function="gen_random_uuid", output_field=models.UUIDField())


# Documents stay in one of these.
FULL = (State.ACTIVE, State.ARCHIVED, State.ERROR)
REST = tuple(each for each in State if each not in FULL)


def _in_order(named: str, *columns: str, below: Sequence[str] = (), state: str = "") -> list[models.Index]:
    """An index for each order.

    Old documents are archived. PostgreSQL, which does not know that, would begin with the newest of all, and pass by everything
    to come to the newest that is archived. So each state that many are in has its own; a document is in one of them.
    """
    condition = Q(state=state) if state else None
    return [
        models.Index(
            fields=[*below, *([column] if column == "id" else [column, "id"])],
            condition=condition,
            name=f"{named}_{column.removesuffix('_at')}",
        )
        for column in columns
    ]


def _is_verified(document: Any) -> bool:
    return document.verified_at is not None


def _is_changed(document: Any) -> bool:
    return bool(document.failure_code == CHANGED)


def _is_not_itself(document: Any) -> bool:
    return document.failure_code in {CHANGED, LOST}


class Document(Noticed):
    """A file of somebody's, with all that it was before.

    Attributes:
        uuid: nobody else's, also where a database that was restored from an old copy gives a number once more.
        unique_name: by which it is found from outside; upper and lower case are the same.
        name: what its current version is called.
        charged_agency: whose quota it counts against beside its owner's; empty: nobody's. It stays when the lease goes.
        current: the number of the version that is shown; what follows is its.
        last_number: the number that was given last; an upload that came to nothing leaves a gap.
        revision: one more with whatever a person changes.
        verified_at: when the current version was verified; empty: it was not yet, or something was found.
        verified_bytes: how far the verifying is.
        verified_hash: the checksum of these; see `documents.hashing`.
        purge_at: from then on it is deleted for good; empty: it is not.
        generation: also one more with whatever a person changes, so that nobody is overtaken without being told. The
            verifying changes it as well; who sends for long looks at `revision` in the end.
    """

    working_states: ClassVar[frozenset[str]] = WORKING
    start_transition: ClassVar[str] = "verify"
    work_name: ClassVar[str] = "The verifying of documents"
    told_in_order: ClassVar[tuple[str, ...]] = ("name",)
    edits: ClassVar[frozenset[str]] = frozenset({"change", "check_out", "check_in"})
    run_name: ClassVar[str] = "Verifying"
    run_values: ClassVar[Mapping[str, Any]] = MappingProxyType({"verified_bytes": 0})
    run_ends: ClassVar[frozenset[str]] = frozenset({State.ACTIVE, State.ARCHIVED, State.ERROR})

    uuid = models.UUIDField(default=uuid4, db_default=NEW_UUID, unique=True, editable=False)
    unique_name = models.CharField(
        max_length=UNIQUE_NAME_AT_MOST, help_text="Letters without accents, digits and hyphens; nobody else has it."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, editable=False, related_name="+", db_index=False
    )
    lease = models.ForeignKey("leases.Lease", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    charged_agency = models.CharField(max_length=20, default="", db_default="", editable=False)
    name = models.CharField(max_length=NAME_AT_MOST)
    metadata = models.JSONField(default=dict, db_default={}, blank=True, help_text="An object in JSON.")
    is_public = models.BooleanField(default=False, db_default=False)
    state = state_field(State, initial=State.RECEIVED)
    current = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    last_number = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    revision = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    size_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    mime_type = models.CharField(max_length=255, default="", db_default="", editable=False)
    verified_at = models.DateTimeField(null=True, editable=False)
    verified_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    verified_hash = models.BinaryField(default=b"", db_default=b"")
    checked_out_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    checked_out_until = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    purge_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_index=False,
    )

    if TYPE_CHECKING:
        owner_id: int
        lease_id: int | None
        checked_out_by_id: int | None
        updated_by_id: int | None

    class Meta(StateMachine.Meta):
        ordering = ["-pk"]
        # Nobody deletes one: it is archived, and purged after a grace.
        default_permissions = ("add", "change", "view")
        permissions = [
            ("manage_documents", "Can change everybody's documents"),
            ("purge_document", "Can delete archived documents for good"),
        ]
        indexes = [
            *StateMachine.Meta.indexes,
            *line_indexes(WORKING),
            # Each order that the interface offers: of all, of somebody's, and of those in a state (`_in_order`).
            *_in_order("documents_document", "name", "created_at", "updated_at"),
            models.Index(fields=["owner", "id"], name="documents_document_owner"),
            *_in_order("documents_owner", "name", "created_at", "updated_at", below=["owner"]),
            *(
                index
                for state in FULL
                for index in _in_order(f"documents_{state}", "id", "name", "created_at", "updated_at", state=state)
            ),
            models.Index(fields=["state", "id"], condition=Q(state__in=REST), name="documents_document_state"),
            # By the first part of a type, whatever order letters have in the database.
            models.Index(fields=["mime_type"], opclasses=["varchar_pattern_ops"], name="documents_document_type"),
            models.Index(fields=["id"], condition=Q(is_public=True), name="documents_document_public"),
            models.Index(fields=["entered_at"], name="documents_document_entered"),
            models.Index(fields=["purge_at"], condition=Q(purge_at__isnull=False), name="documents_document_purge"),
            models.Index(
                fields=["checked_out_until"],
                condition=Q(checked_out_by__isnull=False),
                name="documents_document_held",
            ),
            models.Index(fields=["failure_code"], condition=~Q(failure_code=""), name="documents_document_failure"),
        ]
        constraints = [
            known_states(State),
            models.UniqueConstraint(Lower("unique_name"), name="documents_document_unique_name"),
            models.CheckConstraint(
                condition=Q(unique_name__regex=UNIQUE_NAME), name="documents_document_unique_name_is_one"
            ),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[^[:cntrl:]/\\]+$") & ~Q(name__in=[".", ".."]),
                name="documents_document_name_is_one",
            ),
            models.CheckConstraint(condition=Q(current__lte=F("last_number")), name="documents_document_has_version"),
            models.CheckConstraint(condition=Q(size_bytes__gte=0), name="documents_document_has_size"),
            models.CheckConstraint(
                condition=~Q(state=State.ACTIVE) | Q(verified_at__isnull=False), name="documents_document_is_verified"
            ),
            models.CheckConstraint(
                condition=Q(purge_at__isnull=True) | Q(archived_at__isnull=False),
                name="documents_document_purge_is_of_archived",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.ERROR) | ~Q(failure_code=""), name="documents_document_failure_has_a_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def current_version(self) -> "DocumentVersion | None":
        """The version that is shown; None before the first."""
        return self.versions.filter(number=self.current).first()

    @property
    def is_checked_out(self) -> bool:
        """Whether somebody has it, whose time may be over by now (`checked_out_at`)."""
        return self.checked_out_by_id is not None

    def is_checked_out_at(self, at: datetime) -> bool:
        """Whether somebody has it to themselves at that instant."""
        return bool(self.checked_out_by_id and self.checked_out_until and self.checked_out_until > at)

    @classmethod
    def run_by(cls, user: "User") -> Q:
        """One's own, or everybody's."""
        return Q() if user.has_perm("documents.manage_documents") else Q(owner_id=user.pk)

    def log_context(self) -> dict[str, object]:
        return {"owner_id": self.owner_id}

    def show(self, version: "DocumentVersion") -> None:
        """Let this version be the one that is shown."""
        self.current, self.name = version.number, version.name
        self.size_bytes, self.mime_type = version.size, version.mime_type
        self.verified_at, self.verified_bytes = None, 0

    @transition(
        field=state,
        source=[State.RECEIVED, State.ACTIVE, State.ARCHIVED, State.ERROR],
        target=State.PENDING,
        permission=CHANGE,
        custom={"label": "Verify again"},
    )
    def verify(self) -> None:
        """Owe a look at what lies in storage."""
        self.verified_bytes = 0

    @transition(
        field=state, source=CHANGEABLE, target=State.PENDING, permission=CHANGE, custom={"label": "Add version"}
    )
    def add_version(self, *, version: "DocumentVersion") -> None:
        """Show another version, and owe a look at it."""
        self.show(version)

    @transition(
        field=state,
        source=State.ERROR,
        target=State.PENDING,
        conditions=[_is_changed],
        permission=CHANGE,
        custom={"label": "Take it as a new version"},
    )
    def take_changed(self, *, version: "DocumentVersion") -> None:
        """Show what somebody else has laid in the place of the file, as another version."""
        self.show(version)

    @transition(
        field=state,
        source=State.ERROR,
        target=State.PENDING,
        conditions=[_is_not_itself],
        permission=CHANGE,
        custom={"label": "Bring back the old one"},
    )
    def bring_back(self) -> None:
        """Owe a look at the bytes that were put back from a copy."""
        self.verified_bytes = 0

    @transition(field=state, source=State.PENDING, target=State.ACTIVE)
    def verified(self, *, at: datetime, mime_type: str) -> None:
        """It is what was uploaded, and nothing was found in it."""
        self.verified_at, self.mime_type = at, mime_type

    @transition(field=state, source=State.PENDING, target=State.ARCHIVED)
    def verified_archived(self, *, at: datetime, mime_type: str) -> None:
        """The same of one that is archived."""
        self.verified_at, self.mime_type = at, mime_type

    @transition(field=state, source=CHANGEABLE, target=State.ARCHIVED, permission=CHANGE, custom={"label": "Archive"})
    def archive(self) -> None:
        """Take it out of sight; nothing of it is deleted."""
        self.archived_at = Now()

    @transition(
        field=state,
        source=State.ARCHIVED,
        target=State.ACTIVE,
        conditions=[_is_verified],
        permission=CHANGE,
        custom={"label": "Restore"},
    )
    def restore(self) -> None:
        """Bring it back; it is not purged any more."""
        self.archived_at = self.purge_at = None

    @transition(
        field=state,
        source=State.ARCHIVED,
        target=State.ARCHIVED,
        permission="documents.purge_document",
        custom={"label": "Delete for good"},
    )
    def purge(self, *, at: datetime) -> None:
        """Delete it for good from then on; until then it can be restored."""
        self.purge_at = self.purge_at or at

    @transition(field=state, source=State.PENDING, target=State.ERROR)
    def fail(self, *, code: str, message: str) -> None:
        """Something was found, or nobody could look; one that was archived is seen again, so that somebody sees to it."""
        self.failure_code, self.failure_message = code, message
        self.verified_at = self.archived_at = self.purge_at = None

    @transition(field=state, source=State.PENDING, target=State.RECEIVED, permission=CHANGE, custom={"label": "Stop"})
    def cancel(self) -> None:
        """Owe nothing any more; it is verified when somebody asks for it."""


if TYPE_CHECKING:
    from documents.models.versions import DocumentVersion

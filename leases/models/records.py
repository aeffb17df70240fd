"""The record: a lease, what may happen to it, and what is known of its archive."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now, Replace, Upper
from django_fsm import transition

from cloud.models import CloudLocation, Folded
from console.notices.models import Noticed
from leases.models.beside import KnownBeside
from leases.models.folded import Bare, Short
from leases.models.origins import NOBODY, KnownResult, Origin
from leases.models.places import Agency
from leases.states import DETECTABLE, MAKING, SEARCHABLE, SETTLED, WORKING, State
from leases.validation import LEASE_NUMBER_LENGTH, normalise_text, validate_lease_number
from statemachine.evidence import LISTED_AT_MOST, listed
from statemachine.models import StateMachine, known_states, line_indexes, state_field


class IsNormalized(models.Func):
    """PostgreSQL's `… IS NFC NORMALIZED`."""

    template = "(%(expressions)s IS NFC NORMALIZED)"
    output_field = models.BooleanField()


class StoredColumn(models.GeneratedField):
    """A generated column that is checked without a database.

    Django asks the server for its version first, and settings are checked where there is none, as in an image that is
    being built. Every PostgreSQL that this project runs on has stored columns.
    """

    def check(self, **kwargs: Any) -> list[Any]:
        return super().check(**kwargs | {"databases": None})

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """As Django's own, so that no migration has to know this class."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.GeneratedField", args, kwargs


def _directory_is_known(lease: Any) -> bool:
    return lease.runsheet_directory_id is not None


def _archives_may_be_made(_lease: Any) -> bool:
    return bool(settings.DROPBOX_MAKES_ARCHIVES)


class Lease(KnownResult, KnownBeside, Noticed):
    """An oil or gas lease, and what is known of its runsheet archive."""

    working_states: ClassVar[frozenset[str]] = WORKING
    start_transition: ClassVar[str] = "start_search"
    run_name: ClassVar[str] = "Full discovery"
    work_name: ClassVar[str] = "discovery"
    told_in_order: ClassVar[tuple[str, ...]] = ("agency", "lease_number")
    run_values: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"follow_through": True, "makes_archive": False, "seen_beside": []}
    )
    # What was to be made is not, once nobody owes it any more.
    idle_values: ClassVar[Mapping[str, Any]] = MappingProxyType({"makes_archive": False, "seen_beside": []})
    # A directory that was found is still to be read.
    run_ends: ClassVar[frozenset[str]] = frozenset({State.NOT_FOUND, State.DONE, State.FAILED})
    # What was once known of a path, and which folder was missed, is asked for as long as the lease lives.
    kept_evidence: ClassVar[tuple[str, ...]] = ("path", "missing_folder")

    agency = models.CharField(max_length=20, choices=Agency)
    lease_number = models.CharField(
        max_length=LEASE_NUMBER_LENGTH,
        validators=[validate_lease_number],
        error_messages={"max_length": f"A lease number has at most {LEASE_NUMBER_LENGTH} characters."},
        help_text="As in the archive's folder name, for example NMNM 0501759 or B0-1234-5; upper or lower case.",
    )
    # By this it is found, in whatever spelling of blanks and case somebody types it.
    number_key = StoredColumn(
        expression=Upper(Replace("lease_number", Value(" "))),
        output_field=models.CharField(max_length=LEASE_NUMBER_LENGTH),
        db_persist=True,
    )
    # By these, others are found that are likely the same, written in another way (`leases.lookalikes`).
    bare_key = StoredColumn(expression=Bare("lease_number"), output_field=models.TextField(), db_persist=True)
    short_key = StoredColumn(expression=Short("lease_number"), output_field=models.TextField(), db_persist=True)
    state = state_field(State, initial=State.PENDING)
    follow_through = models.BooleanField(
        default=True, db_default=True, editable=False, help_text="Whether a found directory is read by itself."
    )
    makes_archive = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Whether the run makes the archive if it is missing."
    )
    seen_beside = models.JSONField(
        default=list,
        db_default=[],
        null=True,
        editable=False,
        help_text="The near names that who wants it made knows of; null: who knows that nobody could look for any.",
    )
    runsheet_directory = models.ForeignKey(
        CloudLocation, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    runsheet_report_found = models.BooleanField(default=False, db_default=False, editable=False)
    matching_files = models.JSONField(
        default=list, db_default=[], editable=False, help_text="The first of the names that matched the report pattern."
    )
    matching_count = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many names matched; no more than some are kept."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    if TYPE_CHECKING:
        runsheet_directory_id: int | None
        created_by_id: int | None

    class Meta(StateMachine.Meta):
        ordering = ["-pk"]
        permissions = [
            ("run_discovery", "Can start and stop discovery"),
            ("make_archives", "Can make archives that are missing"),
        ]
        indexes = [
            *StateMachine.Meta.indexes,
            *line_indexes(WORKING),
            # What the list is searched, narrowed and sorted by.
            models.Index(fields=["number_key"], name="leases_lease_number_key"),
            models.Index(fields=["lease_number"], name="leases_lease_number"),
            # One for both keys, since every transition writes to every index: who is alike has the same without any zero.
            models.Index(F("agency"), Replace("bare_key", Value("0")), name="leases_lease_alike"),
            models.Index(fields=["created_at"], name="leases_lease_created"),
            models.Index(fields=["entered_at"], name="leases_lease_entered"),
            models.Index(fields=["failure_code"], condition=~Q(failure_code=""), name="leases_lease_failure"),
        ]
        constraints = [
            known_states(State),
            models.UniqueConstraint(
                F("agency"),
                Folded("lease_number"),
                name="leases_lease_once_per_agency",
                violation_error_code="unique",
                violation_error_message="This agency already has a lease with this number (upper and lower case are the same).",
            ),
            models.CheckConstraint(condition=Q(agency__in=Agency.values), name="leases_lease_known_agency"),
            models.CheckConstraint(
                condition=Q(lease_number__regex=r"^[^[:cntrl:]/\\]+$")
                & Q(lease_number__regex=r"^\S(.*\S)?$")
                & ~Q(lease_number__contains="..")
                & ~Q(lease_number="."),
                name="leases_lease_number_is_a_name",
                violation_error_message="A lease number is one folder name: no slashes, no “..”, no blanks around it.",
            ),
            models.CheckConstraint(condition=IsNormalized(F("lease_number")), name="leases_lease_number_is_nfc"),
            models.CheckConstraint(
                condition=~Q(state=State.FAILED) | ~Q(failure_code=""), name="leases_lease_failure_has_a_code"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.SEARCHING, State.DETECTING]) | Q(due_at__isnull=False),
                name="leases_lease_work_is_owed",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.NOT_FOUND) | Q(runsheet_report_found=False, runsheet_directory__isnull=True),
                name="leases_lease_not_found_has_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency} {self.lease_number}"

    def clean_fields(self, exclude: Any = None) -> None:
        self.lease_number = normalise_text(self.lease_number)
        super().clean_fields(exclude=exclude)

    def get_state_display(self) -> str:
        """Django's own, but that what was stopped does not look as if it were to start."""
        return self.state_label

    @property
    def matching_names(self) -> list[str]:
        """The names that matched, and where there are too many, how many more."""
        return listed(self.matching_files, count=self.matching_count)

    @property
    def runsheet_link(self) -> str:
        """The share link to the archive; empty when there is none."""
        return self.runsheet_directory.share_url if self.runsheet_directory else ""

    @property
    def known_report(self) -> tuple[bool | None, bool]:
        """Whether a report was found, None if nobody has looked; and whether that is only what was last known.

        A run that waits for its turn asks anew, so what is known until then is what was last known.
        """
        is_read = self.state == State.DONE
        is_old = not is_read or self.is_owed
        if self.runsheet_report_found:
            return True, is_old
        return (False if is_read or self.report_folder_id else None), is_old

    def entering(self) -> None:
        """A result is as old as its answer."""
        super().entering()
        if self.state in SETTLED:
            self.known_at = self.entered_at
        if self.state not in MAKING:
            self.makes_archive, self.seen_beside = False, []

    def log_context(self) -> dict[str, object]:
        return {"agency": self.agency}

    @transition(
        field=state,
        source=SEARCHABLE,
        target=State.SEARCHING,
        permission="leases.run_discovery",
        custom={"label": "Search directory"},
    )
    def start_search(self, *, follow_through: bool | None = None) -> None:
        """Owe a directory search, and with follow-through a detection after it. Also starts a repeat search.

        Args:
            follow_through: None keeps what the row says.
        """
        if follow_through is not None:  # somebody wants this and nothing else
            self.follow_through = follow_through
            self.makes_archive, self.seen_beside = False, []
        if self.initiated_by_id is None and self._starts_for_its_creator:
            self.initiated_by_id = self.created_by_id

    @transition(
        field=state,
        source=State.NOT_FOUND,
        target=State.SEARCHING,
        conditions=[_archives_may_be_made],
        permission="leases.make_archives",
        custom={"label": "Make the archive"},
    )
    def make_archive(self, *, seen_beside: list[str] | None = None) -> None:
        """Owe a search that makes the archive with its subfolders if it is still missing, and then goes on as any other.

        Args:
            seen_beside: the near names that the person knows of; None: nobody could look for any, which the person knows.
        """
        self.follow_through = self.makes_archive = True
        self.seen_beside = seen_beside

    @transition(field=state, source=State.SEARCHING, target=State.FOUND)
    def record_found(self, *, location_id: int, origin: Origin = NOBODY) -> None:
        """The directory exists. What was detected in another one is forgotten, be it at another path or made anew."""
        if location_id != self.runsheet_directory_id or not self._report_is_of(origin.folder_id):
            self.forget_result()
        self.runsheet_directory_id = location_id
        self.remember_origin(origin)

    def _report_is_of(self, folder_id: str) -> bool:
        """Whether the report was looked for in that folder; where nobody can tell, the detection that follows will."""
        if folder_id and self.report_folder_id:
            return folder_id == self.report_folder_id
        return self.follow_through

    @transition(field=state, source=[State.SEARCHING, State.DETECTING], target=State.NOT_FOUND)
    def record_not_found(self, *, origin: Origin = NOBODY) -> None:
        """Dropbox said that the directory does not exist, or no longer does."""
        self.forget_result()
        self.remember_origin(origin)

    @transition(
        field=state,
        source=DETECTABLE,
        target=State.DETECTING,
        conditions=[_directory_is_known],
        permission="leases.run_discovery",
        custom={"label": "Detect previous report"},
    )
    def start_detection(self) -> None:
        """Owe a look into the directory for a previous report."""

    @transition(field=state, source=State.DETECTING, target=State.DONE)
    def record_detection(self, *, matching_files: list[str], origin: Origin = NOBODY) -> None:
        """The directory has been read; these names are previous reports."""
        self.runsheet_report_found = bool(matching_files)
        self.matching_files = matching_files[:LISTED_AT_MOST]
        self.matching_count = len(matching_files)
        self.remember_origin(origin)
        self.report_folder_id = origin.folder_id

    @transition(field=state, source=sorted(WORKING), target=State.FAILED)
    def fail(self, *, code: str, message: str) -> None:
        """Give up, and say why."""
        self.failure_code = code
        self.failure_message = message

    @transition(
        field=state,
        source=sorted(WORKING),
        target=State.PENDING,
        permission="leases.run_discovery",
        custom={"label": "Stop"},
    )
    def cancel(self) -> None:
        """Owe nothing any more; it starts again when somebody asks for it."""

    @property
    def _starts_for_its_creator(self) -> bool:
        """A new lease does, and nothing else: who started a run may be gone by now, and nobody stands in for them."""
        return self.state == State.PENDING and self.generation == 0 and not self.due_reason

    def forget_result(self) -> None:
        """What was known of another path, or of a directory that is gone."""
        self.runsheet_directory = None
        self.runsheet_report_found = False
        self.matching_files = []
        self.matching_count = 0
        self.report_folder_id = ""
        self.remember_origin(NOBODY)
        self.known_at = None

"""“New run”: everything that can be said of a run before it starts, and what it would delete."""

from datetime import timedelta
from operator import itemgetter
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.models import User

from core.base.clock import now
from core.base.errors import Refused
from statemachine.errors import TransitionForbidden
from storage.admin.buttons import MOST, counted
from storage.errors import ModeUnknown, NeedsForce, NoChecksums, NotInParts, RootBusy, RootUnknown, UserUnknown
from storage.models import FileState, IndexRun, Mode, StorageRoot, StoredFile
from storage.services import LETS_GO, IndexSyncService

LONGEST_GRACE_DAYS = 36_500
COUNTED_AT_MOST = 10_000
MODES = (
    (Mode.AUDIT, "Audit: say what is different, and change nothing"),
    (Mode.SYNC, "Sync: make rows for what is new, change those that are wrong, mark what is missing"),
    (Mode.CLEAN, "Clean: mark what is missing, and delete the rows of what was missing for longer than the grace"),
    (Mode.FULL, "Full: what sync does, and delete rows as clean does"),
)


class StartForm(forms.Form):
    """A run; what the service refuses stands beside the field that it is about."""

    # Where what is wrong with it can be put right.
    FIELDS: ClassVar[dict[type[Refused], str]] = {
        RootUnknown: "root",
        RootBusy: "root",
        ModeUnknown: "mode",
        TransitionForbidden: "mode",
        NeedsForce: "force",
        UserUnknown: "part",
        NotInParts: "part",
        NoChecksums: "checksums",
    }

    root = forms.ChoiceField(label="Root", help_text="Where to look.")
    mode = forms.ChoiceField(label="Mode", choices=MODES, initial=Mode.AUDIT, widget=forms.RadioSelect)
    part = forms.CharField(
        label="Only one user's part",
        required=False,
        max_length=150,
        help_text="Their number, as the first part of the paths has it, or their login name. Empty: all of the root.",
    )
    dry_run = forms.BooleanField(
        label="Dry run", required=False, help_text="Plan only. What it would do can be read, and applied afterwards."
    )
    incremental = forms.BooleanField(
        label="Incremental",
        required=False,
        help_text="Read only directories whose time has changed. What was edited in place is not seen. "
        "Of a root that tells what happens there: read only what has happened.",
    )
    checksums = forms.BooleanField(
        label="Checksums",
        required=False,
        help_text="Read what every file holds, too. It takes long, and finds what kept its size and time.",
    )
    include_protected = forms.BooleanField(
        label="Include protected rows",
        required=False,
        help_text="Delete rows on which something stands, as a share link, too.",
    )
    grace_days = forms.IntegerField(
        label="Grace in days",
        min_value=0,
        max_value=LONGEST_GRACE_DAYS,
        help_text="How long something is missing before its row is deleted. 0: it is not waited for.",
    )
    allow_missing = forms.IntegerField(
        label="Allow missing",
        required=False,
        min_value=0,
        max_value=MOST,
        help_text="So many may be missing without the brake. Empty: the brake decides.",
    )
    force = forms.BooleanField(
        label="Rows may be deleted",
        required=False,
        help_text="“Force”, which clean and full need unless they are dry runs.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.user = user
        titles = {name: name for name in settings.STORAGE_ROOTS} | {
            root.name: root.title for root in StorageRoot.of_apps()
        }
        self.fields["root"].choices = sorted(titles.items(), key=itemgetter(1))  # type: ignore[attr-defined]
        self.fields["grace_days"].initial = settings.STORAGE_MISSING_GRACE_DAYS
        if not user.has_perm(LETS_GO):
            del self.fields["allow_missing"]

    def clean_part(self) -> int | None:
        """The person's number.

        Raises:
            ValidationError: nobody is called so.
        """
        text: str = self.cleaned_data["part"].strip()
        if not text:
            return None
        if text.isascii() and text.isdecimal():
            return int(text)
        found = User.objects.filter(username=text).values_list("pk", flat=True).first()
        if found is None:
            raise forms.ValidationError(f"There is no user “{text}”.")
        return found

    def start(self) -> IndexRun | None:
        """The run; None if it was refused, which the form says then."""
        said = self.cleaned_data
        try:
            return IndexSyncService(by=self.user).start(
                mode=said["mode"],
                root=said["root"],
                user_id=said["part"],
                dry_run=said["dry_run"],
                force=said["force"],
                incremental=said["incremental"],
                checksums=said["checksums"],
                include_protected=said["include_protected"],
                allow_missing=said.get("allow_missing"),
                grace=timedelta(days=said["grace_days"]),
            )
        except Refused as refusal:
            told = [str(refusal), self.would_delete] if isinstance(refusal, NeedsForce) else [str(refusal)]
            self.add_error(self.FIELDS.get(type(refusal)), told)
            return None

    @property
    def would_delete(self) -> str:
        """What is known before of what would be deleted: rows that count as missing by now."""
        said = self.cleaned_data
        rows = StoredFile.objects.filter(root__name=said["root"], state=FileState.MISSING)
        if said["part"] is not None:
            rows = rows.filter(key__startswith=f"{said['part']}/")
        days: int = said["grace_days"]
        expired = rows.filter(missing_since__lte=now() - timedelta(days=days)).order_by()
        count = expired[: COUNTED_AT_MOST + 1].count()
        told = f"More than {COUNTED_AT_MOST:,} rows" if count > COUNTED_AT_MOST else counted(count, "row", "rows")
        are = "is" if count == 1 else "are"
        also = ", and so would those of what this run finds missing" if not days else ""
        root = StorageRoot.objects.filter(name=said["root"]).first() or said["root"]
        return f"{told} of “{root}” {are} marked as missing for longer than {days:,} days; they would go{also}."

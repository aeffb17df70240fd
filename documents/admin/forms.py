"""What a person may type about a document; its bytes come in beside it (`documents.admin.sending`)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from console.records.concurrent_edits import UnchangedForm
from core.base.errors import Refused
from documents.admin.lease_field import LeaseField
from documents.errors import InvalidDocument
from documents.models import Document
from documents.models.shares import DOWNLOADS_AT_MOST, LABEL_AT_MOST
from documents.names import (
    NAME_AT_MOST,
    WHY_AT_MOST,
    checked_metadata,
    checked_name,
    checked_unique_name,
    checked_why,
)
from documents.services.documents import CHECKED_OUT_AT_MOST_H, CHECKED_OUT_H
from documents.services.shares import PASSWORD_AT_LEAST, PASSWORD_AT_MOST, USUAL_DAYS

TEXT = {"class": "vTextField", "autocomplete": "off"}
LASTS = ((1, "A day"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "A year"))


class DocumentForm(UnchangedForm):
    """What it is called, and what is said of it; whatever is wrong is one sentence at the field."""

    class Meta:
        model = Document
        fields = ("name", "unique_name", "is_public", "metadata")

    def clean_name(self) -> str:
        return str(_checked(checked_name, self.cleaned_data["name"]))

    def clean_unique_name(self) -> str:
        return str(_checked(checked_unique_name, self.cleaned_data["unique_name"]))

    def clean_metadata(self) -> dict[str, Any]:
        return dict(_checked(checked_metadata, self.cleaned_data["metadata"] or {}))


class DocumentOfLeaseForm(DocumentForm):
    """The same for who may see leases: also, to which it belongs."""

    lease = LeaseField()

    class Meta(DocumentForm.Meta):
        fields = ("name", "lease", "unique_name", "is_public", "metadata")  # type: ignore[assignment]  # one more

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As it is typed, and not as the table has it.
        self.initial["lease"] = str(self.instance.lease or "")


class SendForm(forms.Form):
    """What is said of files that are sent.

    Args:
        may_see_leases: else they belong to none.
    """

    lease = LeaseField()
    why = forms.CharField(
        label="Why",
        required=False,
        max_length=WHY_AT_MOST,
        widget=forms.TextInput(attrs=TEXT),
        help_text="If you like.",
    )

    def __init__(self, *args: Any, may_see_leases: bool, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        if not may_see_leases:
            del self.fields["lease"]

    def clean_why(self) -> str:
        return str(_checked(checked_why, self.cleaned_data["why"]))


class VersionForm(forms.Form):
    """What is said of another version."""

    name = forms.CharField(
        label="Name",
        required=False,
        max_length=NAME_AT_MOST,
        widget=forms.TextInput(attrs=TEXT),
        help_text="Empty: as the document is called.",
    )
    why = forms.CharField(
        label="Why",
        required=False,
        max_length=WHY_AT_MOST,
        widget=forms.TextInput(attrs=TEXT),
        help_text="If you like.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def clean_name(self) -> str:
        typed = self.cleaned_data["name"]
        return str(_checked(checked_name, typed)) if typed else ""

    def clean_why(self) -> str:
        return str(_checked(checked_why, self.cleaned_data["why"]))


class CheckOutForm(forms.Form):
    """For how long somebody has a document to themselves."""

    hours = forms.IntegerField(
        label="Hours",
        min_value=1,
        max_value=CHECKED_OUT_AT_MOST_H,
        initial=CHECKED_OUT_H,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            f"A document is checked out for 1 to {CHECKED_OUT_AT_MOST_H} hours. Write a whole number.",
        ),
    )


class ShareForm(forms.Form):
    """A new link for people outside; what the service refuses stands beside the field that it is about."""

    label = forms.CharField(
        label="For",
        max_length=LABEL_AT_MOST,
        required=False,
        help_text="Whom or what it is for, such as “the buyer's lawyer”. Who has the link does not see it.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=PASSWORD_AT_MOST,
        required=False,
        strip=False,
        help_text=f"Empty: none is asked for. Else {PASSWORD_AT_LEAST} characters at least.",
        widget=forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "new-password"}),
    )
    days = forms.TypedChoiceField(label="How long it lasts", choices=LASTS, coerce=int, initial=USUAL_DAYS)
    downloads_at_most = forms.IntegerField(
        label="Downloads at most",
        min_value=1,
        max_value=DOWNLOADS_AT_MOST,
        required=False,
        help_text="Empty: any number of times.",
    )

    def given(self, *, at: datetime) -> dict[str, Any]:
        """What was filled in, as the service takes it."""
        filled = dict(self.cleaned_data)
        days = filled.pop("days")
        return {**filled, "expires_at": at + timedelta(days=days)}

    def field_of(self, refusal: Refused) -> str | None:
        """The field that it is about; None: the whole."""
        return refusal.field if refusal.field in self.fields else None


def _checked(check: Callable[[Any], Any], value: Any) -> Any:
    try:
        return check(value)
    except InvalidDocument as refusal:
        raise ValidationError(str(refusal), code=refusal.code) from refusal

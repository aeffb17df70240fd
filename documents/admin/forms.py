"""What a person may type about a document; its bytes come in by another way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from console.records.concurrent_edits import UnchangedForm
from core.base.errors import Refused
from documents.errors import InvalidDocument
from documents.models import Document
from documents.models.shares import DOWNLOADS_AT_MOST, LABEL_AT_MOST
from documents.names import checked_metadata, checked_name, checked_unique_name
from documents.services.shares import PASSWORD_AT_LEAST, PASSWORD_AT_MOST, USUAL_DAYS

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

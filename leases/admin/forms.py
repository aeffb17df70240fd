"""What a person may type about a lease: which one it is. Everything else is found out."""

from typing import Any, override

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from console.records.concurrent_edits import UnchangedForm
from leases.models import Lease
from leases.queries import leases_numbered
from leases.validation import normalise_lease_number


class LeaseForm(UnchangedForm):
    """Agency and number; whatever is wrong is one sentence at the field."""

    # Not the model's form field: its own length check would say the same again in other words.
    lease_number = forms.CharField(
        help_text=Lease._meta.get_field("lease_number").help_text,
        error_messages={
            "required": "Enter a lease number, for example NMNM 0501759.",
            "null_characters_not_allowed": "A lease number must not contain control characters; type it again by hand.",
        },
    )

    class Meta:
        model = Lease
        fields = ("agency", "lease_number")

    def clean_lease_number(self) -> str:
        typed = str(self.cleaned_data["lease_number"])
        # Whoever opens an old lease and saves it as it is gives it no other number.
        return typed if typed == self.initial.get("lease_number") else normalise_lease_number(typed)

    @override
    def clean(self) -> dict[str, Any]:
        """Say that a lease exists where it is typed, and lead there."""
        given = super().clean()
        if {"agency", "lease_number"} <= given.keys():
            same = leases_numbered(given["agency"], [given["lease_number"]])
            existing = same.exclude(pk=self.instance.pk).first()
            if existing:
                self.add_error("lease_number", _duplicate(existing))
        return given


def _duplicate(existing: Lease) -> ValidationError:
    sentence = format_html(
        'This agency already has the lease <a href="{}">{}</a> (upper and lower case are the same); open that one.',
        reverse("admin:leases_lease_change", args=[existing.pk]),
        existing.lease_number,
    )
    return ValidationError(sentence, code="unique")

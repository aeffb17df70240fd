"""Which lease a document belongs to, as a person types it."""

from typing import Any, override

from django import forms
from django.core.exceptions import ValidationError

from leases.agency_words import agency_of, own_names
from leases.models import Agency, Lease
from leases.queries import leases_numbered
from leases.validation import normalise_lease_number

UNKNOWN = "There is no such lease. Write its agency and its number, as in “BLM NMNM 0501759”."
SEVERAL = "More than one agency has a lease of this number. Write the agency before it, as in “BLM NMNM 0501759”."


class LeaseField(forms.CharField):
    """A lease by its agency and number; the agency may be left out where only one has the number. Empty: none."""

    def __init__(self, **given: Any) -> None:
        super().__init__(
            label="Lease",
            required=False,
            max_length=200,
            help_text="Agency and number, as in “BLM NMNM 0501759”. Empty: it belongs to none.",
            widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
            **given,
        )

    @override
    def clean(self, value: Any) -> Lease | None:
        """The lease.

        Raises:
            ValidationError: there is none, or more than one.
        """
        typed = super().clean(value)
        return lease_named(typed) if typed else None


def lease_named(typed: str) -> Lease:
    """The lease that somebody means.

    Raises:
        ValidationError: there is none, or more than one.
    """
    first, _, rest = typed.partition(" ")
    named = agency_of(first, own_names())
    agencies, number = ([named], rest) if named in Agency and rest.strip() else (Agency.values, typed)
    normal = normalise_lease_number(number)
    found = [lease for agency in agencies for lease in leases_numbered(agency, [normal])]
    if len(found) > 1:
        raise ValidationError(SEVERAL, code="several")
    if not found:
        raise ValidationError(UNKNOWN, code="unknown")
    return found[0]

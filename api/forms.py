"""The form by which somebody makes a token."""

from datetime import timedelta
from typing import Any

from django import forms

from api.models.tokens import NAME_AT_MOST
from api.scopes import Scope

LASTS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "A year"))
USUAL_DAYS = 90


class TokenForm(forms.Form):
    """A new token; what the service refuses stands beside the field that it is about."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_AT_MOST,
        strip=True,
        help_text="What uses it, such as “Nightly export on srv-4”: by that you will know later what to revoke.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it is for",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="As little as will do. Whatever you tick, it may never do more than you may yourself.",
    )
    lasts = forms.TypedChoiceField(
        label="How long it lasts",
        choices=LASTS,
        coerce=int,
        initial=USUAL_DAYS,
        help_text="Then it opens nothing any more, and whatever uses it needs a new one.",
    )

    def given(self) -> dict[str, Any]:
        """What was filled in, as the service takes it."""
        filled = dict(self.cleaned_data)
        return {**filled, "lasts": timedelta(days=filled["lasts"])}

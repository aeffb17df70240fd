"""Two people, one form: who saves second is told what the first has changed, and undoes nothing."""

from collections.abc import Iterator
from typing import Any, override

from django import forms
from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction

from core.base.database import is_conflict, lock_waits

HELD_FOR_S = 2.0
BUSY = "Somebody else is changing this at the moment, so nothing was saved. Save it again in a few seconds."


class UnchangedForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form that brings back what it was shown with, and is refused if somebody has saved something else since."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for field in self.fields.values():
                field.show_hidden_initial = True

    @override
    def clean(self) -> dict[str, Any]:
        """Hold the record until it is saved, and look at what it is by now.

        Raises:
            ValidationError: naming what has been changed, and to what; or it cannot be had at the moment.
        """
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk and (changed := list(self._changed_since())):
            raise ValidationError(
                f"Somebody has changed this since you opened it, so nothing was saved. It is now: {'; '.join(changed)}. "
                "Open it again, and change what still has to be changed.",
                code="changed_since",
            )
        return given

    def _changed_since(self) -> Iterator[str]:
        now = self._held()
        for name, field in self.fields.items():
            shown_as = self[name].html_initial_name
            if shown_as in self.data and field.to_python(self.data[shown_as]) != now.get(name):
                yield f"{self[name].label} “{now.get(name, '')}”"

    def _held(self) -> dict[str, Any]:
        """What is saved, held until the end of the transaction.

        Raises:
            ValidationError: somebody else holds it for too long.
        """
        saved = type(self.instance)._default_manager.filter(pk=self.instance.pk).select_for_update(no_key=True)
        try:
            with transaction.atomic(), lock_waits(HELD_FOR_S):
                return saved.values(*self.fields).first() or {}
        except OperationalError as error:
            if not is_conflict(error):
                raise
            raise ValidationError(BUSY, code="busy") from error

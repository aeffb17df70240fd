"""Two people, one form: who saves second is told what the first has changed, and undoes nothing."""

from collections.abc import Iterator
from typing import Any, override

from django import forms
from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction

from core.base.database import is_conflict
from core.base.statement_limits import lock_waits

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
        held = self._held()
        now = type(self)(instance=held)
        for name, field in self.fields.items():
            shown_as, hidden = self[name].html_initial_name, field.hidden_widget()
            if hidden.value_omitted_from_data(self.data, self.files, shown_as):
                continue
            is_now = now[name].initial if held else None
            if field.has_changed(is_now, hidden.value_from_datadict(self.data, self.files, shown_as)):
                yield f"{self[name].label} “{_text(is_now)}”"

    def _held(self) -> Any:
        """What is saved, held until the end of the transaction; None: it is gone.

        Raises:
            ValidationError: somebody else holds it for too long.
        """
        saved = type(self.instance)._default_manager.filter(pk=self.instance.pk).select_for_update(no_key=True)
        try:
            with transaction.atomic(), lock_waits(HELD_FOR_S):
                return saved.first()
        except OperationalError as error:
            if not is_conflict(error):
                raise
            raise ValidationError(BUSY, code="busy") from error


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)

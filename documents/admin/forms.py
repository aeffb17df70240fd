"""What a person may type about a document; its bytes come in by another way."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from console.records.concurrent_edits import UnchangedForm
from documents.errors import InvalidDocument
from documents.models import Document
from documents.names import checked_metadata, checked_name, checked_unique_name


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


def _checked(check: Callable[[Any], Any], value: Any) -> Any:
    try:
        return check(value)
    except InvalidDocument as refusal:
        raise ValidationError(str(refusal), code=refusal.code) from refusal

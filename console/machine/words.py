"""What a record is called within a sentence; the words come from its model."""

from django.db.models import Model


def one_of(model: type[Model]) -> str:
    """One of them: “a kettle”, “an agency”."""
    name = str(model._meta.verbose_name)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"

"""The places in which files lie."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from storage.errors import RootUnknown


class StorageRoot(models.Model):
    """A named place in a back-end. What it is, the settings say (`STORAGE_ROOTS`); the row is what its files hang on.

    Attributes:
        marker: what its marker object holds; empty until it was met for the first time. Without that object nothing is
            concluded: the disk is not mounted, or it is another place.
    """

    name = models.SlugField(max_length=50, unique=True)
    marker = models.CharField(max_length=64, default="", db_default="", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def named(name: str) -> "StorageRoot":
        """The root of that name, which the settings know.

        Raises:
            RootUnknown: they do not.
        """
        if name not in settings.STORAGE_ROOTS:
            known = ", ".join(f"“{each}”" for each in sorted(settings.STORAGE_ROOTS))
            raise RootUnknown(f"There is no root “{name}”. The settings know {known or 'none'}.")
        return StorageRoot.objects.get_or_create(name=name)[0]

    @property
    def declared(self) -> dict[str, Any]:
        """What the settings say of it.

        Raises:
            RootUnknown: nothing any more.
        """
        try:
            found: dict[str, Any] = settings.STORAGE_ROOTS[self.name]
        except KeyError:
            raise RootUnknown(f"The settings know no root “{self.name}” any more. Put it back there.") from None
        return found

    @property
    def is_owned(self) -> bool:
        """Whether the first part of each path says whose the file is."""
        return bool(self.declared.get("owned", True))

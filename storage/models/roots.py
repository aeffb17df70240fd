"""The places in which files lie."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from storage.errors import RootUnknown


class StorageRoot(models.Model):
    """A named place in a back-end; the row is what its files hang on.

    What it is, the settings say (`STORAGE_ROOTS`), or the app that made the row (`declaration`).

    Attributes:
        declaration: what the settings would say of it, a `title` and a `short` one; empty where the settings do.
        cursor: where the cloud goes on telling what has changed, in a root that is read so; empty until all of it was read.
        read_at: the rows say what lay there at this instant, in such a root; empty while something is known to have changed
            since, or where nothing was read yet.
        marker: what its marker object holds; empty until it was met for the first time. Without that object nothing is
            concluded: the disk is not mounted, or it is another place.
    """

    name = models.SlugField(max_length=50, unique=True)
    marker = models.CharField(max_length=255, default="", db_default="", editable=False)
    declaration = models.JSONField(null=True, editable=False)
    cursor = models.TextField(default="", db_default="", editable=False)
    read_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def named(name: str) -> "StorageRoot":
        """The root of that name, which the settings or an app know.

        Raises:
            RootUnknown: nobody does.
        """
        if name in settings.STORAGE_ROOTS:
            return StorageRoot.objects.get_or_create(name=name)[0]
        declared = StorageRoot.objects.filter(name=name, declaration__isnull=False)
        if "\0" not in name and (found := declared.first()):  # else no text of the database
            return found
        known = ", ".join(f"“{each}”" for each in StorageRoot.known_names())
        raise RootUnknown(f"There is no root “{name}”. Known are {known or 'none'}.")

    @staticmethod
    def known_names() -> list[str]:
        """Of all roots that the settings or an app know."""
        return sorted({*settings.STORAGE_ROOTS, *StorageRoot.of_apps().values_list("name", flat=True)})

    @staticmethod
    def of_apps() -> models.QuerySet["StorageRoot"]:
        """Those that an app has declared; see `is_of_app`."""
        return StorageRoot.objects.filter(declaration__isnull=False).exclude(name__in=settings.STORAGE_ROOTS)

    @staticmethod
    def begins_to_change(root_id: int, *, forgets: bool = False) -> None:
        """Note, in the transaction in which a run begins that changes rows, that they do not say any more what lies there.

        Args:
            forgets: they will not say either what lay there before, so that all of it has to be read again.
        """
        by_cursor = StorageRoot.objects.filter(
            Q(declaration__isnull=False) | Q(read_at__isnull=False) | ~Q(cursor=""), pk=root_id
        )
        by_cursor.update(read_at=None, **({"cursor": ""} if forgets else {}))

    @property
    def declared(self) -> dict[str, Any]:
        """What the settings say of it, or the app that made it.

        Raises:
            RootUnknown: nobody any more.
        """
        found: dict[str, Any] | None = settings.STORAGE_ROOTS.get(self.name, self.declaration)
        if found is None:
            raise RootUnknown(f"The settings know no root “{self.name}” any more. Put it back there.")
        return found

    @property
    def title(self) -> str:
        """What people call it."""
        return str((self.declaration or {}).get("title", self.name))

    @property
    def short_title(self) -> str:
        """The same in a few words, where there is little room."""
        return str((self.declaration or {}).get("short", self.title))

    @property
    def is_owned(self) -> bool:
        """Whether the first part of each path says whose the file is."""
        return bool(self.declared.get("owned", not self.is_of_app))

    @property
    def is_of_app(self) -> bool:
        """Whether an app has declared it, which looks after it then; it is read by a cursor."""
        return self.declaration is not None and self.name not in settings.STORAGE_ROOTS

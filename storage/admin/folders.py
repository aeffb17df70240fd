"""Where in the roots a list of files is: the address says it as a path whose first part is the root's name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.db.models import QuerySet, Value
from django.db.models.functions import Length, StrIndex, Substr
from django.urls import reverse

from storage.admin.names import visible
from storage.admin.places import FILES
from storage.index.folders import folder_of, parents_of
from storage.index.rows import end_of
from storage.models import StorageRoot, StoredFile

IN = "in"
# What an address may say beside, and narrows nothing.
ASIDE = {PAGE_VAR, ORDER_VAR, ERROR_FLAG, "_changelist_filters"}


@dataclass(frozen=True)
class Folder:
    """A folder of a root.

    Attributes:
        key: its path below the root, which ends in “/”; empty: the root itself.
    """

    root: StorageRoot
    key: str

    @staticmethod
    def at(path: str) -> "Folder":
        """What an address means by a path.

        Raises:
            IncorrectLookupParameters: there is no such root.
        """
        name, _, key = path.partition("/")
        root = StorageRoot.objects.filter(name=name).first()
        if root is None:
            raise IncorrectLookupParameters
        return Folder(root, f"{key.rstrip('/')}/" if key.strip("/") else "")

    @property
    def path(self) -> str:
        return f"{self.root.name}/{self.key}"

    @property
    def url(self) -> str:
        """The list of what lies in it."""
        return reverse(FILES, query={IN: self.path})

    @property
    def name(self) -> str:
        return visible(self.key[:-1].rpartition("/")[2] if self.key else str(self.root))

    @property
    def shown(self) -> str:
        """The path as people read it."""
        return f"{self.root}/{self.key}"

    @property
    def way(self) -> "Iterator[Folder]":
        """The folders from the root down to this one."""
        return (Folder(self.root, key) for key in ("", *parents_of(self.key)))

    @cached_property
    def row(self) -> StoredFile | None:
        """Its own row, if it has one."""
        return StoredFile.objects.filter(root=self.root, key=self.key).first() if self.key else None

    def below(self, files: QuerySet[Any]) -> QuerySet[Any]:
        """Those that lie anywhere below it."""
        found = files.filter(root=self.root)
        return found.filter(key__gt=self.key, key__lt=end_of(self.key)) if self.key else found

    def directly(self, files: QuerySet[Any]) -> QuerySet[Any]:
        """Those that lie in it, and not in a folder of it: behind its path there is no “/” but at the very end."""
        rest = Substr("key", len(self.key) + 1, Length("key") - len(self.key) - 1)
        found: QuerySet[Any] = self.below(files).alias(slash=StrIndex(rest, Value("/"))).filter(slash=0)
        return found


def folder_with(file: StoredFile) -> Folder:
    """The folder in which a file lies."""
    return Folder(file.root, folder_of(file.key))


def folder_at(file: StoredFile) -> Folder:
    """The folder that a row is of."""
    return Folder(file.root, file.key)


def is_browsed(asked: Mapping[str, Any]) -> bool:
    """Whether an address asks for a folder and nothing else: for what lies directly in it, as one walks through folders."""
    return set(asked) - ASIDE == {IN}

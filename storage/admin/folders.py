"""Where in the roots a list of files is: the address says it as a path whose first part is the root's name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Length, StrIndex, Substr
from django.urls import reverse

from storage.admin.names import visible
from storage.admin.places import FILES, IN
from storage.index.folders import folder_of, parents_of
from storage.index.rows import end_of
from storage.models import StorageRoot, StoredFile

# What an address may say beside, and narrows nothing.
ASIDE = {PAGE_VAR, ORDER_VAR, ERROR_FLAG, "_changelist_filters"}


@dataclass(frozen=True)
class Folder:
    """A folder of a root.

    Attributes:
        key: its path below the root, which ends in “/”; empty: the root itself.
        names: by key, what it and those above it are called, where that is otherwise than in the key; see `names_above`.
    """

    root: StorageRoot
    key: str
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

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
        if not self.key:
            return visible(str(self.root))
        return visible(self.names.get(self.key) or self.key[:-1].rpartition("/")[2])

    @property
    def shown(self) -> str:
        """The path as people read it."""
        return f"{self.root}/{self.path_in_root}"

    @property
    def in_short(self) -> str:
        """The same where there is little room."""
        return f"{self.root.short_title}/{self.path_in_root}"

    @property
    def path_in_root(self) -> str:
        """The same below the root, with a slash at its end; empty for the root itself."""
        return "".join(f"{each.name}/" for each in self._steps)

    @property
    def way(self) -> "Iterator[Folder]":
        """The folders from the root down to this one, as they are called."""
        yield Folder(self.root, "")
        yield from self._steps

    @cached_property
    def _steps(self) -> "list[Folder]":
        names = self.names or names_above([self]).get(self.root.pk, {})
        return [Folder(self.root, key, names) for key in parents_of(self.key)]

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


def names_above(folders: Iterable[Folder]) -> dict[int, dict[str, str]]:
    """What folders and those above them are called, by the numbers of their roots; in one statement, however many.

    Only in roots that an app has declared: their keys are folded, and what people see stands in each folder's own row.
    """
    keys: dict[int, set[str]] = {}
    for each in folders:
        if each.key and each.root.is_of_app:
            keys.setdefault(each.root.pk, set()).update(parents_of(each.key))
    asked = [Q(root=root_id, key__in=some) for root_id, some in keys.items()]
    found: dict[int, dict[str, str]] = {}
    rows = StoredFile.objects.filter(reduce(or_, asked)) if asked else StoredFile.objects.none()
    for root_id, key, name in rows.order_by().values_list("root_id", "key", "name"):
        found.setdefault(root_id, {})[key] = name
    return found


def folder_with(file: StoredFile, names: Mapping[str, str] | None = None) -> Folder:
    """The folder in which a file lies."""
    return Folder(file.root, folder_of(file.key), names or {})


def folder_at(file: StoredFile) -> Folder:
    """The folder that a row is of."""
    return Folder(file.root, file.key)


def is_browsed(asked: Mapping[str, Any]) -> bool:
    """Whether an address asks for a folder and nothing else: for what lies directly in it, as one walks through folders."""
    return set(asked) - ASIDE == {IN}

"""The list of files: very many rows, searched by name, and walked through folder by folder."""

from functools import cached_property
from typing import Any, override

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.db.models.functions import Collate, Lower
from django.utils.text import smart_split, unescape_string_literal

from console.records.change_list import CappedChangeList
from console.records.lists import COUNTED_AT_MOST, SEARCH_CHARACTERS_AT_MOST, SEARCH_WORDS_AT_MOST
from storage.admin.file_filters import FolderFilter
from storage.admin.folders import Folder, is_browsed
from storage.index.folders import Child, children
from storage.models import StoredFile

# Folders without rows, which an object store has.
FOLDERS_SHOWN = 100


class FileChangeList(CappedChangeList):
    """What lies directly in a folder is found step by step, so that it costs nothing what lies further down."""

    @cached_property
    def folder(self) -> Folder | None:
        """The folder that the list is in."""
        return next((spec.folder for spec in self.filter_specs if isinstance(spec, FolderFilter)), None)

    @property
    def is_browsed(self) -> bool:
        """Whether it shows what lies directly in a folder."""
        return self.folder is not None and is_browsed(
            {**self.filter_params, **({SEARCH_VAR: self.query} if self.query else {})}
        )

    @cached_property
    def _children(self) -> list[Child]:
        assert self.folder is not None
        return children(root_id=self.folder.root.pk, folder=self.folder.key, limit=COUNTED_AT_MOST + 1)

    @property
    def folders(self) -> list[Folder]:
        """Those in this one that have no row of their own."""
        if not self.is_browsed or self.folder is None:
            return []
        without = [child.key for child in self._children if child.file_id is None]
        return [Folder(self.folder.root, key) for key in without[:FOLDERS_SHOWN]]

    @override
    def first_keys(self, limit: int) -> Any:
        if self.is_browsed and ORDER_VAR not in self.params:
            return [child.file_id for child in self._children if child.file_id is not None]
        return super().first_keys(limit)


def matching(files: QuerySet[StoredFile], text: str) -> QuerySet[StoredFile]:
    """Those with all these words in their name, whatever the case; or, of a path, what lies there and below.

    Raises:
        IncorrectLookupParameters: nobody has typed so much.
    """
    words = [_bare(word) for word in smart_split(text)]
    if len(text) > SEARCH_CHARACTERS_AT_MOST or len(words) > SEARCH_WORDS_AT_MOST:
        raise IncorrectLookupParameters
    if "/" in text:
        path = text.strip().lstrip("/")
        return files.filter(key__gte=path, key__lt=f"{path}\U0010ffff")
    # In our letters PostgreSQL compares bytes, which takes half the time.
    files = files.alias(plain_name=Lower(Collate("name", "C")))
    for word in words:
        has = {"plain_name__contains": word.lower()} if word.isascii() else {"name__icontains": word}
        files = files.filter(**has)
    return files


def _bare(word: str) -> str:
    is_quoted = word[:1] in {'"', "'"} and word[0] == word[-1] and len(word) > 1
    return unescape_string_literal(word) if is_quoted else word

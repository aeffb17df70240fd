"""The list of files: very many rows, searched by name, and walked through folder by folder."""

from functools import cached_property
from typing import Any, override

from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.http import HttpRequest

from console.records.change_list import CappedChangeList
from console.records.lists import COUNTED_AT_MOST
from console.records.who import person
from storage.admin.elsewhere import Elsewhere, elsewhere_of
from storage.admin.file_filters import FolderFilter
from storage.admin.folders import Folder, folder_with, is_browsed, names_above
from storage.index.folders import Child, children

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
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        files = list(self.result_list)
        known = elsewhere_of(files, person(request))
        names = {} if self.is_browsed else names_above([folder_with(file) for file in files])
        for file in files:
            file.elsewhere = known.get(file.pk, Elsewhere())
            file.names_above = names.get(file.root_id, {})
        self.result_list = files

    @override
    def first_keys(self, limit: int) -> Any:
        if self.is_browsed and ORDER_VAR not in self.params:
            return [child.file_id for child in self._children if child.file_id is not None]
        return super().first_keys(limit)

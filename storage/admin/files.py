"""The files: what the index knows of each."""

from console.records.large_lists import LargeList
from console.records.pages import ReadOnly
from storage.admin.places import BESIDE


class FileAdmin(ReadOnly, LargeList):
    """What lies in storage is true; a row changes by a run only."""

    beside = (BESIDE[0], BESIDE[2])
    list_display = ("key", "size", "state")
    fields = ("root", "key", "size", "state")
    identity = ("key",)

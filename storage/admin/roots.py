"""The roots: what lies in each, and how its index does."""

from console.records.large_lists import LargeList
from console.records.pages import ReadOnly
from storage.admin.places import BESIDE


class RootAdmin(ReadOnly, LargeList):
    """Which roots there are, the settings say."""

    name = "Storage"
    beside = BESIDE[1:]
    list_display = ("name", "created_at")
    fields = ("name", "created_at")
    identity = ("name",)

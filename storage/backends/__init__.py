"""Where files lie: one class for each kind of place, one of which the environment names (`STORAGES["documents"]`)."""

from typing import cast

from django.core.files.storage import storages

from storage.backends.gateway import Storage

__all__ = ["Storage", "documents"]


def documents() -> Storage:
    """The place for documents, as the environment says."""
    return cast("Storage", storages["documents"])

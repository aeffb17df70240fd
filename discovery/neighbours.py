"""What the index tells the records of the archives that there are."""

from collections.abc import Sequence
from typing import override

from django.contrib.auth.models import User

from discovery.services.estimates import answered_if_made
from discovery.services.near_index import index_for, without_archive
from leases import neighbours


class IndexedArchives(neighbours.Archives):
    """By the index that the person's own Dropbox has read, while it is fresh."""

    @override
    def without_archive(self, *, agency: str, numbers: Sequence[str], user: User) -> neighbours.Looked | None:
        return without_archive(agency=agency, numbers=numbers, user=user)

    @override
    def is_read(self, *, agency: str, user: User) -> bool:
        return index_for(agency=agency, user=user) is not None

    @override
    def answered_without_calls(self, *, agency: str, numbers: Sequence[str], user: User) -> int:
        return answered_if_made(agency=agency, numbers=numbers, user=user)

"""Style sheets and scripts of production: pages name them as `collectstatic` has, so without it there are no pages."""

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]  # it has no types

NOT_COLLECTED = (
    "The style sheets and scripts of this version were not collected on this host, so it has no pages to show. "
    "Run manage.py collectstatic --no-input, then start the web program anew."
)


class NotCollected(ValueError):
    """A page names a file that `collectstatic` has not seen."""


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Whitenoise's, and it says what to do where nothing, or nothing of this version, was collected."""

    def stored_name(self, name: str) -> str:
        """The name with the digest of the contents.

        Raises:
            NotCollected: there is none.
        """
        try:
            stored: str = super().stored_name(name)
        except ValueError as error:
            raise NotCollected(NOT_COLLECTED) from error
        return stored


def missing() -> list[str]:
    """The files that pages may name and `collectstatic` has not seen, as paths, sorted; none where none are collected."""
    if not isinstance(staticfiles_storage, CollectedFiles):
        return []
    there = {path for finder in get_finders() for path, _ in finder.list([])}
    return sorted(path for path in there if staticfiles_storage.hash_key(path) not in staticfiles_storage.hashed_files)

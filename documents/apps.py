from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

from console.shell import declared

if TYPE_CHECKING:
    from storage.index.following import Followed
    from storage.models import IndexRun


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        from storage.index import following, protectors  # noqa: PLC0415 - once the apps are there

        protectors.register("documents", _stood_on)
        following.register("documents", _follow)
        declared.at_first_page(_declare)


def _declare() -> None:
    from core.http import metrics  # noqa: PLC0415 - once the apps are there
    from documents import console  # noqa: PLC0415 - the same
    from documents.metrics import QuotaCollector  # noqa: PLC0415 - the same

    console.declare()
    metrics.tell_too("quotas", QuotaCollector)


def _stood_on(file_ids: Sequence[int]) -> dict[int, str]:
    """Loaded where rows of the index are deleted: every process knows of it, and does without the rest."""
    from documents.queries import stood_on  # noqa: PLC0415 - see above

    return stood_on(file_ids)


def _follow(run: "IndexRun", *, place: Mapping[str, Any], is_dry: bool) -> "Followed":
    """The same of what is read where a run of the index has come to its end."""
    from documents.services.following import follow  # noqa: PLC0415 - see above

    return follow(run, place=place, is_dry=is_dry)

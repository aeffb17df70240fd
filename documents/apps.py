from collections.abc import Sequence

from django.apps import AppConfig

from console.shell import declared


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        from storage.index import protectors  # noqa: PLC0415 - once the apps are there

        protectors.register("documents", _stood_on)
        declared.at_first_page(_declare)


def _declare() -> None:
    from documents import console  # noqa: PLC0415 - once the apps are there

    console.declare()


def _stood_on(file_ids: Sequence[int]) -> dict[int, str]:
    """Loaded where rows of the index are deleted: every process knows of it, and does without the rest."""
    from documents.queries import stood_on  # noqa: PLC0415 - see above

    return stood_on(file_ids)

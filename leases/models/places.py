"""Where an agency's archives lie in the cloud."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cloud.addresses import ADDRESS_LENGTH
from core.base.folding import is_same_path
from leases.validation import BASE_PATH_LENGTH, normalise_base_path

POLL_MINUTES_AT_MOST = 1_440


class Agency(models.TextChoices):
    NMSLO = "NMSLO", "NMSLO (New Mexico State Land Office)"
    BLM = "BLM", "BLM (Bureau of Land Management)"


# What an archive that is made anew has in it.
SUBFOLDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Agency.BLM: ("^Document Archive", "Runsheets"),
        Agency.NMSLO: ("^Document Archive", "^MI Index", "Runsheets"),
    }
)


class Beside(models.TextChoices):
    """What a lease has beside its archive, in folders of their own."""

    DOCUMENTS = "documents", "Document archive"
    MISC_INDEX = "misc_index", "Miscellaneous index"


class BasePathField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """An absolute Dropbox folder, normalised whenever it is cleaned or saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", BASE_PATH_LENGTH)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        """With room for a pasted address, which is longer than its path."""
        return super().formfield(**{"max_length": ADDRESS_LENGTH, **kwargs})

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(normalise_base_path(value) if value else value, model_instance)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002, FBT001 - Django's signature
        path = normalise_base_path(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, path)
        return path


def _is_base_path(field: str) -> models.CheckConstraint:
    # PostgreSQL's own regular expressions: one leading slash, no empty, "." or ".." part, no backslash, no control.
    regex = r"^(/(?!\.{1,2}(/|$))[^/\\[:cntrl:]]+)+$"
    return models.CheckConstraint(condition=Q(**{f"{field}__regex": regex}), name=f"leases_config_{field}"[:60])


class AgencyStorageConfig(models.Model):
    """Where one agency's archives lie in Dropbox. Without it, or disabled, a run fails and says so; no default, ever."""

    agency = models.CharField(max_length=20, choices=Agency, unique=True)
    runsheet_archive_base_path = BasePathField(
        help_text="The folder that holds one archive folder per lease, for example "
        "/State Workspace/^Runsheet Workspace/Runsheet Report Archive - New Format."
    )
    documents_base_path = BasePathField(help_text="The folder that holds the documents of this agency's leases.")
    misc_index_base_path = BasePathField(help_text="The folder that holds this agency's miscellaneous index.")
    enabled = models.BooleanField(
        default=True, db_default=True, help_text="Switched off, every run for this agency fails and says so."
    )
    watched = models.BooleanField(
        default=True,
        db_default=True,
        help_text="What lies in the agency's folders is kept in mind, and what appears or goes there is noticed.",
    )
    poll_minutes = models.PositiveSmallIntegerField(
        default=5,
        db_default=5,
        validators=[MinValueValidator(1), MaxValueValidator(POLL_MINUTES_AT_MOST)],
        help_text="How often Dropbox is asked what has changed. What is older than that is asked for anew.",
    )
    makes_archives = models.BooleanField(
        default=False,
        db_default=False,
        help_text="An archive that is missing is made by itself, with its subfolders, whenever a lease is searched.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        verbose_name = "agency configuration"
        verbose_name_plural = "agencies"
        ordering = ["agency"]
        constraints = [
            models.CheckConstraint(condition=Q(agency__in=Agency.values), name="leases_config_known_agency"),
            _is_base_path("runsheet_archive_base_path"),
            _is_base_path("documents_base_path"),
            _is_base_path("misc_index_base_path"),
        ]

    def __str__(self) -> str:
        return self.agency

    @property
    def beside(self) -> dict[Beside, str]:
        """The folders of what lies beside the archives; none is left that is that of the archives once more."""
        paths = {Beside.DOCUMENTS: self.documents_base_path, Beside.MISC_INDEX: self.misc_index_base_path}
        return {each: path for each, path in paths.items() if not is_same_path(path, self.runsheet_archive_base_path)}

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder in which something of a lease is looked for, that of the archives first, each once."""
        paths = (self.runsheet_archive_base_path, *self.beside.values())
        return tuple(path for at, path in enumerate(paths) if not any(is_same_path(path, each) for each in paths[:at]))

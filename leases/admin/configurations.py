"""Where each agency's archives lie; the model normalises the paths and says what is wrong with one."""

from typing import Any, override

from django.conf import settings
from django.contrib import admin, messages
from django.forms import TextInput
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.safestring import SafeString

from console.machine.badges import mark
from console.records.concurrent_edits import UnchangedForm
from console.records.pages import RecordAdmin
from console.shell.times import time_column
from leases.admin.configuration_changes import LABELS, PATHS, Change, changes_between, in_words
from leases.models import AgencyStorageConfig
from leases.services import configuration_saved

SEARCHED_AGAIN_ONE = (
    "1 lease is searched again by itself: it failed for want of this configuration, or was searched in another folder."
)
SEARCHED_AGAIN = (
    "{count:,} leases are searched again by themselves: they failed for want of this configuration, or were searched in "
    "another folder."
)
MAY_BE_MADE = "This installation allows it (DROPBOX_MAKES_ARCHIVES=yes)."
MAY_NOT_BE_MADE = (
    "This installation does not allow it, so that none is made, whatever stands here: an administrator can set "
    "DROPBOX_MAKES_ARCHIVES=yes."
)
WATCHING = ("watched", "poll_minutes")
WIDE = TextInput(attrs={"class": "vTextField is-wide", "spellcheck": "false"})


class ConfigurationForm(UnchangedForm):
    """The paths as Dropbox shows them, in boxes that show the whole of one.

    Attributes:
        changes: what saving it has changed.
    """

    changes: tuple[Change, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (field := self.fields.get("makes_archives")) is not None:
            field.help_text = f"{field.help_text} {MAY_BE_MADE if settings.DROPBOX_MAKES_ARCHIVES else MAY_NOT_BE_MADE}"

    class Meta:
        labels = LABELS
        help_texts = {
            "agency": "Each agency has one configuration.",
            "enabled": "Switched off, every run for this agency fails and says so; switched on again, those leases go on.",
            "runsheet_archive_base_path": "The folder that holds one folder for each lease, named by the lease's number. "
            "Open it at www.dropbox.com and paste its address, or write it as Dropbox shows it, from the top and beginning "
            "with a slash, for example /State Workspace/^Runsheet Workspace/Runsheet Report Archive - New Format",
            "documents_base_path": "The folder that holds the documents of this agency's leases, one folder for each lease. "
            "Where there is no such folder, write the folder of the archives once more: then nothing is looked for.",
            "misc_index_base_path": "The folder that holds this agency's miscellaneous index, one folder for each lease; where "
            "there is none, write the folder of the archives once more.",
            "makes_archives": "Whenever a lease is searched whose archive is missing, it is made with its subfolders, unless "
            "one of a near name lies beside it. Only with the Dropbox of people who may make archives and let Runsheet write.",
            "watched": "What lies in the folder of the archives, and in those of the documents and the miscellaneous index, is "
            "kept in mind, so that many leases are answered at once, and what appears or goes there is noticed. Switched off, "
            "every lease asks Dropbox, and nothing is noticed by itself.",
            "poll_minutes": "So often Dropbox is asked what has changed, where it does not tell by itself; one call for each "
            "folder each time. From 1 to 1,440.",
        }
        widgets = dict.fromkeys(PATHS, WIDE)


class AgencyStorageConfigAdmin(RecordAdmin):
    name = "Agencies"
    add_label = "Configure an agency"
    empty = "No agency is configured yet. Until one is, every run for it fails and says so."
    form = ConfigurationForm
    list_display = ("agency", "runs", "archives", "changed")
    list_filter = ("enabled",)
    search_fields = ("agency", *PATHS)
    changed = time_column("updated_at", "last change")
    created = time_column("created_at", "created")
    fields = ("agency", "enabled", *PATHS, "makes_archives", *WATCHING, "created", "changed")
    readonly_fields = ("created", "changed")

    @admin.display(description="discovery", ordering="enabled")
    def runs(self, configuration: AgencyStorageConfig) -> SafeString:
        return mark("good", "On") if configuration.enabled else mark("bad", "Off")

    @admin.display(description="folder of the archives", ordering="runsheet_archive_base_path")
    def archives(self, configuration: AgencyStorageConfig) -> str:
        return str(configuration.runsheet_archive_base_path)

    @override
    def get_fields(self, request: HttpRequest, obj: AgencyStorageConfig | None = None) -> Any:
        """What is new has no times yet."""
        return super().get_fields(request, obj) if obj else ("agency", "enabled", *PATHS, "makes_archives", *WATCHING)

    @override
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """An agency has one configuration: who wants to add another is led to it."""
        there_is = self.get_queryset(request).filter(agency=request.GET.get("agency", "")).first()
        if there_is and request.method == "GET":
            return redirect("admin:leases_agencystorageconfig_change", there_is.pk)
        return super().add_view(request, form_url, extra_context)

    def changes_to(self, obj: AgencyStorageConfig) -> tuple[Change, ...]:
        """What saving it would change in what is saved."""
        return changes_between(AgencyStorageConfig.objects.filter(pk=obj.pk).first() if obj.pk else None, obj)

    @override
    def save_model(self, request: HttpRequest, obj: AgencyStorageConfig, form: Any, change: bool) -> None:
        """What failed for want of this configuration goes on by itself, and what was asked elsewhere is asked again."""
        form.changes = self.changes_to(obj)
        super().save_model(request, obj, form, change)
        if count := configuration_saved(obj, changed=bool(form.changes)):
            messages.info(request, SEARCHED_AGAIN_ONE if count == 1 else SEARCHED_AGAIN.format(count=count))

    @override
    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """What it was and what it is, which the history shows; nothing but the names of fields is Django's own way."""
        told = in_words(form.changes)
        return f"Added. {told}" if add else told or []

"""The runs of the index: their list, and the page of each."""

from typing import override

from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from console.machine.page import MachineAdmin
from console.records.pages import ReadOnly
from storage.admin.buttons import BUTTONS
from storage.admin.looking import look_now
from storage.admin.places import BESIDE


class RunAdmin(ReadOnly, MachineAdmin):
    """A run is started by its own page, and changed by its buttons."""

    name = "Index runs"
    beside = BESIDE[:2]
    fields = ("root", "mode", "user", "dry_run", "incremental", "checksums", "include_protected")
    shown_with = ("root", "user", "initiated_by")
    buttons = BUTTONS

    @override
    def get_urls(self) -> list[URLPattern]:
        look = self.admin_site.admin_view(require_POST(look_now))
        return [path("look/", look, name=self._named("look")), *super().get_urls()]

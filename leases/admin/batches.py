"""The history of imports and bulk runs of leases: what is their own beside that of any machine's batches."""

from functools import cached_property
from typing import Any, override

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from console.batches.admin import BatchAdmin
from console.batches.page import BatchPage, Told
from leases.admin import correcting, left_out
from leases.admin.imports import ImportPages
from leases.admin.not_made import not_made
from leases.models import Batch
from leases.states import State


class LeaseBatchPage(BatchPage):
    """Of an import, the rows of the file that are no leases are kept, too."""

    @property
    @override
    def left_out_url(self) -> str:
        if not self.batch.left_out or self.batch.kind != Batch.Kind.IMPORT:
            return ""
        return reverse("admin:leases_batch_left_out", args=[self.batch.pk])

    @cached_property
    @override
    def told(self) -> list[Told]:
        return list(not_made(self.batch, self._user)) if self.progress.settled.get(State.NOT_FOUND) else []

    @property
    @override
    def told_heading(self) -> str:
        return "Why archives were not made"


class LeaseBatchAdmin(BatchAdmin):
    """Beside the runs it has the imports, and where one is made."""

    name = "Imports and runs"
    page = LeaseBatchPage
    change_list_template = "admin/leases/batch/change_list.html"

    @override
    def get_urls(self) -> list[URLPattern]:
        imports, view = ImportPages(self.admin_site), self.admin_site.admin_view
        return [
            path("import/", view(imports.choose), name="leases_batch_import"),
            path("import/<int:upload_id>/", view(imports.preview), name="leases_batch_preview"),
            path("import/<int:upload_id>/read/", view(require_POST(imports.read)), name="leases_batch_read"),
            path(
                "import/<int:upload_id>/numbers/", view(require_POST(correcting.numbers)), name="leases_batch_numbers"
            ),
            path("import/<int:upload_id>/words/", view(require_POST(imports.words)), name="leases_batch_words"),
            path(
                "import/<int:upload_id>/left-out/",
                view(require_safe(left_out.of_preview)),
                name="leases_batch_preview_left_out",
            ),
            path("<int:pk>/left-out/", view(require_safe(left_out.of_batch)), name="leases_batch_left_out"),
            *super().get_urls(),
        ]

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        given = {"may_import": request.user.has_perm("leases.add_lease")}
        return super().changelist_view(request, given | (extra_context or {}))

"""What a person does with the pages of an import and of a batch."""

from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from leases.batches import import_leases
from leases.models import Batch, Lease
from leases.states import State
from statemachine import models as engine

IMPORT = "/admin/leases/batch/import/"


def send(client: Client, content: str | bytes, name: str = "leases.csv") -> Any:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(IMPORT, {"file": file}, follow=True)


def confirm(client: Client, answer: Any, **changed: str) -> Any:
    """Press the button of a preview."""
    preview = answer.context["preview"]
    fields = {field.name: field.value() for field in preview.form} | {"expected": str(preview.right_count)}
    return client.post(answer.request["PATH_INFO"], fields | changed, follow=True)


def page_url(batch: engine.Batch) -> str:
    return reverse("admin:leases_batch_change", args=[batch.pk])


def buttons(client: Client, batch: Batch) -> list[str]:
    page = client.get(page_url(batch)).context["page"]
    return [button.label for button in [*page.buttons, page.failed_again] if button]


def imported(user: User, count: int = 3) -> Batch:
    return import_leases(leases=[("BLM", f"NMNM {n}") for n in range(1, count + 1)], user=user, title="leases.csv")


def settle(state: State) -> None:
    Lease.objects.update(state=state, due_at=None, failure_code="no_folder" if state == State.FAILED else "")

"""An upload that is sent again with its key becomes one document, however the first one ended."""

import io
import os
import signal
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from api import idempotency
from api.models import KeptAnswer
from core.base import clock
from documents.models import Document, DocumentVersion
from tests.api.at_once import in_another_process
from tests.documents.api.conftest import DOCUMENTS, Program
from tests.documents.making import PDF

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "upload/?name=Deed.pdf"
DIGEST = f"sha-256=:{b64encode(sha256(PDF).digest()).decode()}:"


def put(oscar: Program, path: str = UPLOAD, **headers: str) -> Any:
    return oscar("PUT", path, PDF, Idempotency_Key="k-1", Content_Digest=DIGEST, **headers)


def test_is_one_document_that_is_answered_again(oscar: Program) -> None:
    first, second = put(oscar), put(oscar)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert Document.objects.count() == 1


def test_is_not_answered_again_to_who_has_lost_the_right(oscar: Program) -> None:
    """Neither is it done; and it is answered once the right is back."""
    role = oscar.user.groups.get()
    first = put(oscar)
    oscar.user.groups.clear()
    without = put(oscar)
    oscar.user.groups.add(role)
    back = put(oscar)

    assert (without.status_code, without.json()["code"]) == (403, "answer_withheld")
    assert (back.status_code, back.content) == (201, first.content)
    assert Document.objects.count() == 1


def test_of_a_version_is_one_version_though_the_document_has_changed_by_it(oscar: Program) -> None:
    made = put(oscar).json()["id"]
    path = f"{made}/versions/"
    read = oscar("GET", f"{made}/")["ETag"]
    said = {"Idempotency_Key": "k-2", "If_Match": read, "Content_Digest": DIGEST}

    first, second = (oscar("PUT", path, PDF, **said) for _ in range(2))

    assert (first.status_code, second.content) == (201, first.content)
    assert DocumentVersion.objects.count() == 2


def test_that_has_broken_off_is_taken_with_the_same_key(oscar: Program) -> None:
    """Room was kept for it, and given back; that is not what was wished for."""
    short: Any = {"wsgi.input": io.BytesIO(PDF[:5]), "CONTENT_LENGTH": str(len(PDF)), "HTTP_IDEMPOTENCY_KEY": "k-1"} | {
        "HTTP_CONTENT_DIGEST": DIGEST
    }
    broken = oscar.client.generic("PUT", f"{DOCUMENTS}{UPLOAD}", b"", content_type="application/pdf", **short)

    assert broken.json()["code"] == "body_incomplete"
    assert not KeptAnswer.objects.exists()
    assert put(oscar).status_code == 201


@pytest.mark.process
@pytest.mark.parametrize(
    ("dies_at", "status"),
    [("services.uploads.receive", 201), ("services.uploads._shown", 201), ("api.uploads._made", 409)],
)
def test_of_a_process_that_was_killed_is_done_once(
    oscar: Program, monkeypatch: pytest.MonkeyPatch, dies_at: str, status: int
) -> None:
    """With room kept, with its bytes there and its rows not committed, and with its answer not told."""
    with monkeypatch.context() as patch:
        patch.setattr(f"documents.{dies_at}", killed)
        in_another_process(lambda: put(oscar))
    assert put(oscar).json()["code"] == "still_running"
    monkeypatch.setattr(
        idempotency, "shared_now", lambda: clock.shared_now() + idempotency.HELD_FOR + timedelta(seconds=1)
    )

    assert put(oscar).status_code == status
    assert Document.objects.count() == 1


def killed(*_given: object, **_values: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

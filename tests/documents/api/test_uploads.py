"""Bytes come in over HTTP: as the body, as a form, and as another version."""

import hashlib
import io
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from pytest_django.fixtures import Settings

from api import idempotency
from api.models import KeptAnswer
from core.base import clock
from documents.models import Document, Quota, Upload
from documents.services import documents, uploads
from tests.documents.api.conftest import DOCUMENTS, Program
from tests.documents.bodies import BOUNDARY, form, part
from tests.documents.making import DEED, PDF, Files
from tests.factories import settled
from tests.storage.test_api import problem_of

pytestmark = pytest.mark.django_db

UPLOAD = "upload/?name=Deed.pdf"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
LARGE = bytes(range(256)) * 50_000
FILE = part("file", PDF, file=DEED, headers="Content-Type: application/pdf\r\n")


@pytest.fixture(autouse=True)
def nothing_is_kept_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(*_: Any) -> None:
        pytest.fail("A file was written beside its place.")

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", keep)
    monkeypatch.setattr("django.http.request.HttpRequest.parse_file_upload", keep)


def digest(body: bytes) -> str:
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"


def nothing_is_left(files: Files) -> None:
    assert files.all() == {}
    assert not Document.objects.exists()
    assert not Upload.objects.exists()
    assert not Quota.objects.exclude(used_bytes=0, reserved_bytes=0).exists()


class TestABody:
    def test_becomes_a_document(self, oscar: Program, files: Files) -> None:
        answer = oscar("PUT", "upload/?name=%C3%9Cbertrag%201902.pdf&why=found", LARGE, Content_Digest=digest(LARGE))

        made = Document.objects.get()
        told = answer.json()
        assert answer.status_code == 201, answer.text
        assert answer["Location"] == f"{DOCUMENTS}{made.pk}/"
        assert oscar("GET", f"{made.pk}/", If_None_Match=answer["ETag"]).status_code == 304
        assert {name: told[name] for name in ("name", "status", "size_bytes", "version", "sha256", "mime_type")} == {
            "name": "Übertrag 1902.pdf",
            "status": "pending",
            "size_bytes": len(LARGE),
            "version": 1,
            "sha256": hashlib.sha256(LARGE).hexdigest(),
            "mime_type": "application/pdf",
        }
        assert told["owner"] == {"id": oscar.user.pk, "name": "operator"}
        assert list(files.all().values()) == [LARGE]
        assert told["storage_url"] == f"documents:{next(iter(files.all()))}"

    def test_may_have_no_bytes(self, oscar: Program) -> None:
        assert oscar("PUT", UPLOAD, b"").json()["size_bytes"] == 0

    @pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-www-form-urlencoded"])
    def test_may_say_nothing_of_its_type(self, oscar: Program, kind: str) -> None:
        oscar("PUT", UPLOAD, PDF, Content_Type=kind)

        assert Document.objects.get().versions.get().declared_type == ""

    @pytest.mark.parametrize(
        ("path", "headers", "told"),
        [
            (UPLOAD, {"Content_Digest": digest(b"other")}, (422, "digest_mismatch")),
            (UPLOAD, {"Repr_Digest": "sha-256=deed"}, (400, "digest_unreadable")),
            ("upload/", {}, (422, "invalid")),
            ("upload/?name=", {}, (422, "invalid_name")),
            ("upload/?name=..", {}, (422, "invalid_name")),
            ("upload/?name=a%2Fb", {}, (422, "invalid_name")),
            ("upload/?name=a%5Cb", {}, (422, "invalid_name")),
            ("upload/?name=a%0D%0Ab.pdf", {}, (422, "invalid_name")),
            ("upload/?name=a%E2%80%AEfdp.exe", {}, (422, "invalid_name")),
            ("upload/?name=a%00b", {}, (400, "bad_request")),
            ("upload/?name=%FF%FE", {}, (400, "bad_request")),
            (f"{UPLOAD}&leese=7", {}, (422, "invalid")),
            (f"{UPLOAD}&lease=99999", {}, (422, "lease_unknown")),
            (f"{UPLOAD}&lease=x", {}, (422, "invalid")),
        ],
    )
    def test_that_cannot_be_kept_leaves_nothing(
        self, oscar: Program, files: Files, path: str, headers: Any, told: tuple[int, str]
    ) -> None:
        answer = oscar("PUT", path, LARGE, **headers)

        assert (answer.status_code, problem_of(answer)["code"]) == told
        nothing_is_left(files)

    def test_that_ends_early_leaves_nothing(self, oscar: Program, files: Files) -> None:
        short: Any = {"wsgi.input": io.BytesIO(LARGE), "CONTENT_LENGTH": str(len(LARGE) + 1)}

        answer = oscar.client.generic("PUT", f"{DOCUMENTS}{UPLOAD}", b"", content_type="application/pdf", **short)

        assert (answer.status_code, problem_of(answer)["code"]) == (422, "body_incomplete")
        nothing_is_left(files)

    @pytest.mark.parametrize(
        ("setting", "told"),
        [
            ("DOCUMENTS_LARGEST_BYTES", (413, "document_too_large")),
            ("DOCUMENTS_QUOTA_BYTES", (507, "quota_exceeded")),
        ],
    )
    def test_that_has_no_room_leaves_nothing(
        self, oscar: Program, files: Files, settings: Settings, setting: str, told: tuple[int, str]
    ) -> None:
        setattr(settings, setting, 1_000_000)
        body = form(part("file", LARGE, file=DEED))

        for answer in (oscar("PUT", UPLOAD, LARGE), oscar("POST", "", body, Content_Type=FORM)):
            assert (answer.status_code, problem_of(answer)["code"]) == told
            nothing_is_left(files)

    def test_is_refused_whom_it_is_not_open_to_before_a_byte_of_it_is_read(
        self, program: Callable[[str], Program], files: Files
    ) -> None:
        assert problem_of(program("Viewer")("PUT", UPLOAD, LARGE))["code"] == "transition_forbidden"
        assert Client().put(f"{DOCUMENTS}{UPLOAD}", LARGE, content_type="application/pdf").status_code == 401
        nothing_is_left(files)

    def test_of_a_browser_needs_the_token_of_its_session(self, oscar: Program, files: Files) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(oscar.user)

        for method, path, kind in (("PUT", UPLOAD, "application/pdf"), ("POST", "", FORM)):
            body = form(part("csrfmiddlewaretoken", b"x" * 32), FILE)
            answer = strict.generic(method, f"{DOCUMENTS}{path}", body, content_type=kind)
            assert (answer.status_code, problem_of(answer)["code"]) == (403, "no_csrf_token")
        nothing_is_left(files)


class TestAKey:
    """An upload is one wish, however often it is sent."""

    @pytest.mark.parametrize("method", ["PUT", "POST"])
    def test_makes_one_document(self, oscar: Program, files: Files, method: str) -> None:
        path, kind = (UPLOAD, "application/pdf") if method == "PUT" else ("", FORM)

        content = form(FILE)

        def send() -> Any:
            return oscar(method, path, content, Content_Type=kind, Content_Digest=digest(content), Idempotency_Key="k")

        first, again = (send() for _ in range(2))

        assert (first.status_code, first.json(), first["ETag"]) == (201, again.json(), again["ETag"])
        assert again["Idempotent-Replayed"] == "true"
        assert Document.objects.count() == len(files.all()) == 1

    @pytest.mark.parametrize("path", [UPLOAD, "tus/"])
    def test_is_of_these_bytes_only(self, oscar: Program, files: Files, path: str) -> None:
        """Others of the same length would be answered as if they had been kept."""
        method = "PUT" if path == UPLOAD else "POST"

        assert problem_of(oscar(method, path, b"idem", Idempotency_Key="k"))["code"] == "key_needs_digest"
        first, other = (
            oscar("PUT", UPLOAD, each, Content_Digest=digest(each), Idempotency_Key="k") for each in (b"idem", b"IDEM")
        )
        assert (first.status_code, problem_of(other)["code"]) == (201, "key_for_another_body")
        assert list(files.all().values()) == [b"idem"]

    def test_can_be_sent_again_after_a_body_that_broke_off(self, oscar: Program, files: Files) -> None:
        short: Any = {"wsgi.input": io.BytesIO(LARGE[:300_000]), "CONTENT_LENGTH": str(len(LARGE))}
        headers, kind = {"Idempotency-Key": "k", "Content-Digest": digest(LARGE)}, "application/pdf"

        broken = oscar.client.generic("PUT", f"{DOCUMENTS}{UPLOAD}", b"", content_type=kind, headers=headers, **short)
        whole = oscar("PUT", UPLOAD, LARGE, Content_Digest=digest(LARGE), Idempotency_Key="k")

        assert (broken.status_code, whole.status_code) == (422, 201)
        assert list(files.all().values()) == [LARGE]

    def test_can_be_sent_again_after_a_process_that_died(
        self, oscar: Program, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = clock.now()
        with monkeypatch.context() as patch:
            patch.setattr(idempotency, "_settle", lambda *_: None)  # nobody was left to do it
            patch.setattr(uploads, "give_up", lambda _: None)
            assert (
                oscar("PUT", UPLOAD, LARGE[:-1], Content_Digest=digest(LARGE), Idempotency_Key="k").status_code == 422
            )
        KeptAnswer.objects.update(held_until=at)

        assert oscar("PUT", UPLOAD, LARGE[:-1], Content_Digest=digest(LARGE), Idempotency_Key="k").status_code == 422
        assert KeptAnswer.objects.count() == 0, "it may be tried as often as one likes"


class TestAForm:
    def test_becomes_a_document(self, oscar: Program, files: Files) -> None:
        fields = (part("metadata", b'{"book": 12}'), part("why", b"gefunden"))

        answer = oscar("POST", "", form(*fields, FILE), Content_Type=FORM)

        told = answer.json()
        assert (answer.status_code, told["name"], told["metadata"]) == (201, DEED, {"book": 12})
        assert list(files.all().values()) == [PDF]
        version = Document.objects.get().versions.get()
        assert (version.why, version.declared_type) == ("gefunden", "application/pdf")

    def test_may_name_it_otherwise(self, oscar: Program) -> None:
        body = form(part("name", "Übertrag.pdf".encode()), FILE)

        assert oscar("POST", "", body, Content_Type=FORM).json()["name"] == "Übertrag.pdf"

    def test_may_belong_to_a_lease(self, oscar: Program) -> None:
        lease = settled(oscar.user)

        told = oscar("POST", "", form(part("lease", str(lease.pk).encode()), FILE), Content_Type=FORM).json()

        assert told["lease"] == lease.pk

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (form(FILE, part("name", b"x")), 422, "field_after_file"),
            (form(part("metadata", b"[1]"), FILE), 422, "invalid_metadata"),
            (form(part("metadata", b"{"), FILE), 422, "invalid_metadata"),
            (form(part("metadata", b"[" * 50_000), FILE), 422, "invalid_metadata"),
            (form(part("lease", b"x"), FILE), 422, "lease_unknown"),
            (form(part("lease", b"9" * 30), FILE), 422, "lease_unknown"),
            (form(part("owner", b"1"), FILE), 400, "form_unreadable"),
            (form(part("why", b"a\0b"), FILE), 422, "invalid_why"),
            (form(part("name", b"a\r\nb"), FILE), 422, "invalid_name"),
            (form(part("file", PDF, file="\u202efdp.exe")), 422, "invalid_name"),
            (form(part("name", b"x")), 422, "file_missing"),
        ],
    )
    def test_that_cannot_be_kept_leaves_nothing(
        self, oscar: Program, files: Files, body: bytes, status: int, code: str
    ) -> None:
        answer = oscar("POST", "", body, Content_Type=FORM)

        assert (answer.status_code, problem_of(answer)["code"]) == (status, code)
        nothing_is_left(files)

    def test_is_one(self, oscar: Program) -> None:
        assert oscar("POST", "", {"name": "x"}).status_code == 415


class TestAnotherVersion:
    def test_is_the_current_one(self, oscar: Program, deed: Document, files: Files) -> None:
        answer = oscar("PUT", f"{deed.pk}/versions/?why=scanned+anew", b"%PDF-1.7 anew", If_Match="now")

        told = answer.json()
        assert (answer.status_code, told["version"], told["status"], told["name"]) == (201, 2, "pending", DEED)
        listed = oscar("GET", f"{deed.pk}/versions/").json()["items"]
        assert [(each["number"], each["is_current"], each["why"]) for each in listed] == [
            (2, True, "scanned anew"),
            (1, False, ""),
        ]
        assert len(files.all()) == 2

    @pytest.mark.parametrize(
        ("headers", "told"),
        [({}, (428, "precondition_missing")), ({"If_Match": '"other"'}, (412, "precondition_failed"))],
    )
    def test_is_of_what_was_read(
        self, oscar: Program, deed: Document, files: Files, headers: Any, told: tuple[int, str]
    ) -> None:
        answer = oscar("PUT", f"{deed.pk}/versions/", LARGE, **headers)

        assert (answer.status_code, problem_of(answer)["code"]) == told
        assert len(files.all()) == 1

    def test_is_not_added_to_what_somebody_has_changed_meanwhile(
        self, oscar: Program, program: Callable[[str], Program], deed: Document, files: Files, monkeypatch: Any
    ) -> None:
        ada, receive = program("Administrator").user, vars(uploads)["receive"]

        def slowly(*given: Any) -> Any:
            documents.change(document_id=deed.pk, by=ada, name="Another.pdf")
            return receive(*given)

        monkeypatch.setattr(uploads, "receive", slowly)

        answer = oscar("PUT", f"{deed.pk}/versions/", LARGE, If_Match="now")

        assert (answer.status_code, problem_of(answer)["code"]) == (412, "precondition_failed")
        assert "administrator" in answer.json()["detail"]
        assert len(files.all()) == 1
        assert not Upload.objects.exists()

    def test_is_not_of_somebody_else(self, program: Callable[[str], Program], deed: Document, files: Files) -> None:
        other = Program(another_operator())

        assert other("PUT", f"{deed.pk}/versions/", LARGE, If_Match="now").json()["code"] == "not_your_document"
        assert program("Viewer")("PUT", f"{deed.pk}/versions/", LARGE, If_Match="now").status_code == 403
        assert program("Administrator")("PUT", f"{deed.pk}/versions/", LARGE, If_Match="now").status_code == 201
        assert len(files.all()) == 2


def another_operator() -> User:
    user = User.objects.create_user("omar", is_staff=True)
    user.groups.add(Group.objects.get(name="Operator"))
    return user

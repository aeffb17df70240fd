"""The bytes of documents over HTTP: who has them, and which of them. What is sent how is tested in test_serving.py."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from documents.models import Document, DocumentVersion
from documents.services import documents, uploads
from tests.documents.api.conftest import DOCUMENTS, Program
from tests.documents.making import PDF, Files, stored, verified, worked
from tests.storage.test_api import problem_of

pytestmark = pytest.mark.django_db

PAGE = b"<html><script>alert(1)</script></html>"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ANEW = b"%PDF-1.7\nAnew.\n%%EOF\n"


@pytest.fixture
def two(deed: Document, oscar: Program) -> Document:
    """A document with two versions."""
    uploads.add_version(document_id=deed.pk, by=oscar.user, chunks=[ANEW], length=len(ANEW))
    return worked(deed)


class TestContent:
    def test_is_of_the_current_version_or_of_any(self, oscar: Program, two: Document) -> None:
        current, first = oscar("GET", f"{two.pk}/content/"), oscar("GET", f"{two.pk}/versions/1/content/")

        assert (current.getvalue(), first.getvalue()) == (ANEW, PDF)
        assert current["ETag"] != first["ETag"]
        told = oscar("GET", f"{two.pk}/").json()
        assert told["content"] == f"{DOCUMENTS}{two.pk}/content/"
        assert oscar("GET", f"{two.pk}/versions/1/").json()["content"] == f"{DOCUMENTS}{two.pk}/versions/1/content/"

    def test_comes_in_parts_and_only_once(self, oscar: Program, two: Document) -> None:
        path = f"{two.pk}/content/"
        etag = oscar("HEAD", path)["ETag"]

        part = oscar("GET", path, Range="bytes=-6", If_Range=etag)
        assert (part.status_code, part.getvalue()) == (206, ANEW[-6:])
        assert oscar("GET", path, If_None_Match=etag).status_code == 304
        beyond = oscar("GET", path, Range="bytes=99-")
        assert (problem_of(beyond)["code"], beyond["Content-Range"]) == (
            "range_not_satisfiable",
            f"bytes */{len(ANEW)}",
        )
        assert problem_of(oscar("GET", path, If_Match='"other"'))["code"] == "precondition_failed"

    def test_comes_in_the_parts_in_which_a_viewer_of_pdf_asks_for_it(self, oscar: Program) -> None:
        """It reads the head of all, ends that, and asks for pieces from anywhere: the end first, where the table of the pages is."""
        whole = b"%PDF-1.7\n" + bytes(range(256)) * 1_200 + b"%%EOF\n"
        path = f"{verified(oscar.user, whole, name='plat.pdf').pk}/content/?inline=true"
        first = oscar("GET", path)
        etag, size = first["ETag"], int(first["Content-Length"])
        assert first.getvalue() == whole
        assert (first["Accept-Ranges"], size, "Content-Encoding" in first) == ("bytes", len(whole), False)

        got = bytearray(size)
        for start in reversed(range(0, size, 65_536)):
            end = min(start + 65_536, size)
            part = oscar("GET", path, Range=f"bytes={start}-{end - 1}", If_Range=etag)
            assert (part.status_code, part["ETag"]) == (206, etag)
            assert (part["Content-Range"], part["Content-Length"]) == (
                f"bytes {start}-{end - 1}/{size}",
                str(end - start),
            )
            got[start:end] = part.getvalue()

        assert bytes(got) == whole
        assert oscar("GET", path, Range="bytes=0-9", If_Range='"of an older version"').status_code == 200

    def test_is_told_about_without_it(self, oscar: Program, deed: Document) -> None:
        answer = oscar("HEAD", f"{deed.pk}/content/")

        assert (answer.status_code, answer.content, answer["Content-Length"]) == (200, b"", str(len(PDF)))

    @pytest.mark.parametrize(
        ("content", "name"), [(PAGE, "a.html"), (PAGE, "a.pdf"), (DRAWING, "a.svg"), (DRAWING, "a.png")]
    )
    def test_that_a_browser_would_run_is_never_shown(self, oscar: Program, content: bytes, name: str) -> None:
        found = verified(oscar.user, content, name=name)

        answer = oscar("GET", f"{found.pk}/content/?inline=true")

        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer["Content-Type"] == "application/octet-stream"
        assert (
            answer["Content-Security-Policy"] == "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert answer["X-Content-Type-Options"] == "nosniff"

    def test_that_only_shows_itself_is_shown_to_who_asks(self, oscar: Program) -> None:
        letter = verified(oscar.user, b"Dear Olivia,\n", name="Letter.txt")

        assert oscar("GET", f"{letter.pk}/content/?inline=true")["Content-Disposition"].startswith("inline;")
        assert oscar("GET", f"{letter.pk}/content/")["Content-Disposition"].startswith("attachment;")

    def test_is_not_handed_out_before_somebody_has_looked(self, oscar: Program) -> None:
        document = stored(oscar.user)

        assert problem_of(oscar("GET", f"{document.pk}/content/"))["code"] == "version_not_verified"
        DocumentVersion.objects.update(finding="infected")
        assert problem_of(oscar("GET", f"{document.pk}/content/"))["code"] == "version_held_back"

    def test_that_is_not_there_is_told(self, oscar: Program, deed: Document, files: Files) -> None:
        for each in files.all():
            files[each].unlink()

        assert problem_of(oscar("GET", f"{deed.pk}/content/"))["code"] == "file_away"
        assert oscar("HEAD", f"{deed.pk}/content/").status_code == 404
        assert problem_of(oscar("GET", f"{deed.pk}/versions/7/content/"))["code"] == "version_unknown"
        assert problem_of(oscar("GET", "99999999/content/"))["code"] == "record_gone"
        assert oscar("GET", f"{deed.pk}/versions/{'9' * 30}/content/").status_code == 404
        assert oscar("GET", f"{'9' * 30}/content/").status_code == 404


class TestWhoHasIt:
    @pytest.mark.parametrize("name", ["Viewer", "Operator", "Administrator"])
    def test_is_whoever_sees_documents(self, program: Callable[[str], Program], deed: Document, name: str) -> None:
        documents.archive(document_id=deed.pk, by=program("Operator").user)

        assert program(name)("GET", f"{deed.pk}/content/").getvalue() == PDF

    def test_is_nobody_else(self, deed: Document, db: None) -> None:
        nobody = Program(User.objects.create_user("nobody"))
        paths = ("", f"{deed.pk}/", f"{deed.pk}/content/", f"{deed.pk}/versions/", f"{deed.pk}/versions/1/content/")

        for path in paths:
            assert problem_of(nobody("GET", path))["code"] == "forbidden"
            assert Client().get(f"{DOCUMENTS}{path}").status_code == 401

    def test_is_not_who_may_only_add_unless_it_is_theirs(self, deed: Document, files: Any) -> None:
        from django.contrib.auth.models import Permission

        user = User.objects.create_user("adder")
        user.user_permissions.set(Permission.objects.filter(codename="add_document"))
        adder, own = Program(user), verified(user)

        assert adder("GET", f"{own.pk}/content/").getvalue() == PDF
        assert [each["id"] for each in adder("GET").json()["items"]] == [own.pk]
        for path in (f"{deed.pk}/", f"{deed.pk}/content/", f"{deed.pk}/versions/1/content/"):
            assert problem_of(adder("GET", path))["code"] == "record_gone"

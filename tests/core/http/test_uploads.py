"""What is too large is refused before it is read."""

import io
from typing import Any

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import IterUnreader
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from core.http import uploads
from core.http.transfers import Incoming
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

IMPORT = "/admin/leases/batch/import/"
SENTENCE = "at most 11 MB are taken at once. Go back, and choose a smaller file, or split it into several."


@pytest.fixture
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(*_: Any) -> None:
        pytest.fail("A file was written.")

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", keep)


def send(client: Client, size: int, path: str = IMPORT) -> Any:
    file = io.BytesIO(b"x" * size)
    file.name = "leases.csv"
    return client.post(path, {"file": file})


@pytest.mark.usefixtures("_nothing_is_kept")
class TestOf100MB:
    def test_is_told_in_the_console_in_one_sentence(self, client: Client) -> None:
        client.force_login(in_role("Operator"))

        answer = send(client, 100_000_000)

        assert answer.status_code == 413
        assert f"Nothing was done: your browser sent 100.0 MB, and {SENTENCE}" in answer.text
        assert 'aria-label="Main"' in answer.text

    @pytest.mark.parametrize("path", [IMPORT, "/admin/login/", "/dropbox/webhook/"])
    def test_is_refused_to_strangers_without_a_question_to_the_database(
        self, path: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            answer = send(Client(enforce_csrf_checks=True), 100_000_000, path)

        assert answer.status_code == 413
        assert SENTENCE in answer.text


class TestBounds:
    @pytest.mark.parametrize(("size", "status"), [(1_000, 200), (1_001, 413)])
    def test_are_those_of_the_whole_request(self, client: Client, settings: Settings, size: int, status: int) -> None:
        settings.REQUEST_BYTES_MAX = 1_000

        answer = client.post("/admin/login/", b"x" * size, content_type="text/plain")

        assert answer.status_code == status

    @pytest.mark.parametrize("length", ["", "x", "-5", "\u0665"])
    def test_are_not_asked_of_a_length_that_is_none(self, length: str) -> None:
        request = RequestFactory().get("/", CONTENT_LENGTH=length)

        assert uploads.RefuseTooLarge(lambda _: None).process_view(request, None) is None  # type: ignore[arg-type, return-value]

    def test_of_what_is_thrown_away_are_bytes_and_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = io.BytesIO(b"x" * 1_000_000)
        request = RequestFactory().post("/")
        request.read = sent.read  # type: ignore[method-assign]
        monkeypatch.setattr(uploads, "THROWN_AWAY_BYTES", 300_000)

        uploads.throw_away(request, size=1_000_000)
        assert sent.tell() == 300_000

        monkeypatch.setattr(uploads, "THROWN_AWAY_WITHIN_S", 0)
        uploads.throw_away(request, size=1_000_000)
        assert sent.tell() == 300_000

    def test_are_of_one_at_a_time_and_the_others_lose_the_connection(self) -> None:
        def request() -> tuple[Any, Body]:
            body = Body(LengthReader(IterUnreader([b"x" * 10]), 10))
            sent = RequestFactory().post("/", CONTENT_LENGTH="10")
            sent.META["wsgi.input"] = Incoming(body, None)
            sent.read = sent.META["wsgi.input"].read  # type: ignore[method-assign]
            return sent, body

        (first, first_body), (second, second_body) = request(), request()
        uploads.throw_away(first, size=1_000_000)
        with uploads._turn:
            uploads.throw_away(second, size=1_000_000)

        assert (first_body.failed, second_body.failed) == (False, True)
        assert (first.read(10), second.read(10)) == (b"", b"x" * 10)

    def test_of_who_goes_away_meanwhile_is_no_fault(self) -> None:
        def gone(_: int) -> bytes:
            raise UnreadablePostError

        request = RequestFactory().post("/", CONTENT_LENGTH="99000000")
        request.read = gone  # type: ignore[method-assign, assignment]

        assert uploads.throw_away(request, size=99_000_000) is None  # type: ignore[func-returns-value]


class TestStreamed:
    def test_has_a_body_of_any_size_that_nobody_else_parses(self) -> None:
        def view() -> None:
            """Reads its body itself."""

        uploads.streamed(view, "POST")
        request = RequestFactory().post("/", {"file": io.BytesIO(b"x" * 99)})
        request.META["CONTENT_LENGTH"] = "99000000"

        assert uploads.RefuseTooLarge(lambda _: None).process_view(request, view) is None  # type: ignore[arg-type, return-value]
        assert (request.POST, request.FILES) == ({}, {})
        assert b"x" * 99 in request.read()

    def test_is_not_by_another_method(self) -> None:
        def view() -> None:
            """Reads its body itself."""

        uploads.streamed(view, "POST")
        request = RequestFactory().put("/", b"1")
        request.META["CONTENT_LENGTH"] = "99000000"

        refused = uploads.RefuseTooLarge(lambda _: None).process_view(request, view)  # type: ignore[arg-type, return-value]

        assert refused is not None
        assert refused.status_code == 413

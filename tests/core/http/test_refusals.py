"""What is answered instead of a page."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from core.base.static_files import NOT_COLLECTED
from core.http import metrics, refusals
from core.ops.doctor import configuration
from core.ops.doctor.finding import Mark
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

WAY_BACK = '<a class="button" href="/admin/">To the start page</a>'


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    client.force_login(in_role("Viewer"))
    return client


class TestRefusal:
    def test_of_an_unknown_address_stands_in_the_console(self, viewer: Client) -> None:
        answer = viewer.get("/admin/nothing/here/")

        assert answer.status_code == 404
        assert refusals.NOT_THERE in answer.text
        assert WAY_BACK in answer.text
        assert 'aria-label="Main"' in answer.text

    def test_of_an_unknown_address_offers_a_stranger_nothing_else(self, client: Client) -> None:
        answer = client.get("/nowhere")

        assert answer.status_code == 404
        assert WAY_BACK in answer.text
        assert 'aria-label="Main"' not in answer.text
        assert "Log out" not in answer.text

    def test_says_who_gives_a_right(self, viewer: Client) -> None:
        answer = viewer.get("/admin/auth/user/")

        assert answer.status_code == 403
        assert "ask an administrator" in answer.text
        assert WAY_BACK in answer.text

    def test_gives_the_reason_that_there_is(self, viewer: Client) -> None:
        answer = viewer.post("/dropbox/connect/")

        assert answer.status_code == 403
        assert "so you need no Dropbox for it" in answer.text

    def test_of_an_old_form_says_that_nothing_was_done(self, viewer: Client) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = viewer.cookies

        answer = strict.post("/admin/logout/")

        assert answer.status_code == 403
        assert "Nothing was done: the page that you sent is too old" in answer.text
        assert strict.get("/admin/").status_code == 200

    def test_of_what_cannot_be_trusted_asks_nothing_of_it(self, client: Client) -> None:
        answer = client.get("/admin/", headers={"host": "elsewhere.example.com"})

        assert answer.status_code == 400
        assert refusals.NOT_UNDERSTOOD in answer.text

    def test_comes_even_before_it_is_known_who_asks(self) -> None:
        answer = refusals.not_found(RequestFactory().get("/"), SuspiciousOperation())

        assert answer.status_code == 404
        assert WAY_BACK in answer.text


class TestServerError:
    def test_asks_nothing_of_the_database(
        self, olivia: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        request = RequestFactory().get("/admin/")
        request.user = olivia

        with django_assert_num_queries(0):
            answer = refusals.server_error(request)

        assert answer.status_code == 500
        assert refusals.BROKEN in answer.text

    def test_is_the_answer_to_a_mistake_of_ours(
        self, client: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(metrics, "generate_latest", lambda _: 1 / 0)
        client.force_login(olivia)
        client.raise_request_exception = False

        answer = client.get("/metrics")

        assert answer.status_code == 500
        assert refusals.BROKEN in answer.text
        assert WAY_BACK in answer.text


class TestIcon:
    def test_is_never_missing(self, client: Client) -> None:
        assert client.get("/favicon.ico")["Location"].endswith("console/favicon.svg")


class TestInDevelopment:
    @pytest.fixture(autouse=True)
    def _development(self, settings: Settings) -> None:
        settings.DEBUG = True
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "core.http.refusals.AsInProduction"]

    @pytest.mark.parametrize("address", ["/admin/nothing/here/", "/nowhere/", "/dropbox/archives/999/"])
    def test_what_is_not_there_has_the_same_page(self, viewer: Client, address: str) -> None:
        answer = viewer.get(address)

        assert answer.status_code == 404
        assert refusals.NOT_THERE in answer.text

    def test_what_is_not_understood_has_the_same_page_and_a_bug_shows_itself(self) -> None:
        here = refusals.AsInProduction(lambda _: HttpResponse())
        request = RequestFactory().get("/")

        answer = here.process_exception(request, SuspiciousOperation())

        assert answer is not None
        assert (answer.status_code, refusals.NOT_UNDERSTOOD in answer.text) == (400, True)
        assert here.process_exception(request, ValueError()) is None

    def test_a_missing_slash_is_added(self, viewer: Client) -> None:
        assert viewer.get("/admin")["Location"] == "/admin/"
        assert viewer.get(reverse("dropbox_account").rstrip("/"))["Location"] == reverse("dropbox_account")


class TestNothingCollected:
    """Somebody has forgotten `collectstatic`, or has upgraded without it."""

    @pytest.fixture(autouse=True)
    def _nothing_collected(self, settings: Settings, tmp_path: Path) -> None:
        settings.STATIC_ROOT = tmp_path
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "core.base.static_files.CollectedFiles"}}

    @pytest.mark.parametrize(
        "address",
        ["/admin/", "/admin/leases/lease/", "/admin/nothing/here/", "/dropbox/", "/favicon.ico", "/d/no-such-link/"],
    )
    def test_is_told_instead_of_a_page(self, viewer: Client, address: str) -> None:
        viewer.raise_request_exception = False

        answer = viewer.get(address)

        assert answer.status_code == 503
        assert NOT_COLLECTED in answer.text

    def test_leaves_every_other_refusal_its_sentence(self, client: Client) -> None:
        answer = client.get("/admin/", headers={"host": "elsewhere.example.com"})

        assert answer.status_code == 400
        assert refusals.NOT_UNDERSTOOD in answer.text

    def test_is_what_the_doctor_says(self) -> None:
        (found,) = configuration.pages()

        assert found.mark == Mark.WRONG
        assert "was not collected" in found.seen
        assert found.advice == NOT_COLLECTED

    def test_is_over_once_they_are(self, viewer: Client, settings: Settings) -> None:
        settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("css", "js", "map", "svg", "txt", "md")  # which takes a minute
        call_command("collectstatic", interactive=False, verbosity=0)

        assert [found.mark for found in configuration.pages()] == [Mark.OK]
        assert "not collected" not in viewer.get("/admin/").text

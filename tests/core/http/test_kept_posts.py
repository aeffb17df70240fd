"""What is sent after the session has ended comes back after the login, to the same person, and does nothing by itself."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from console.records.shown_again import LOGGED_OUT
from core.http import kept_posts
from core.http.kept_posts import AGAIN
from core.models import KeptPost
from leases.models import AgencyStorageConfig, Lease, Upload
from tests.factories import settled
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

ADD = "/admin/leases/lease/add/"
IMPORT = "/admin/leases/batch/import/"
TYPED = {"agency": "BLM", "lease_number": "NMNM 0017224"}


class Browser(Client):
    """One that has to bring the token, as real ones do."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    @property
    def token(self) -> str:
        return self.cookies["csrftoken"].value

    def log_in(self, name: str, next_page: str = "/admin/") -> Any:
        self.get("/admin/login/")
        form = {"username": name, "password": name, "next": next_page, "csrfmiddlewaretoken": self.token}
        return self.post("/admin/login/", form)

    def log_in_as_asked(self, name: str, answer: Any) -> Any:
        """At the login that an answer leads to; the page that one gets then."""
        assert answer.status_code == 302
        page = self.get(answer["Location"])
        where = unescape(re.findall(r'name="next" value="([^"]*)"', page.text)[0])
        return self.get(self.log_in(name, where)["Location"], follow=True)

    def send(self, address: str, form: dict[str, Any]) -> Any:
        return self.post(address, form | {"csrfmiddlewaretoken": self.token})

    def end_session(self) -> None:
        del self.cookies["sessionid"]


def form_on(page: Any) -> dict[str, str]:
    """The hidden fields of the form that sends it again."""
    form = re.search(r'<form method="post" action="[^"]*" data-once>(.*?)</form>', page.text, re.DOTALL)
    assert form
    return {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form[1])}


def facts_on(page: Any) -> dict[str, str]:
    """What the page that asks says of what was sent."""
    section = page.text.partition('aria-labelledby="again"')[2].partition("</section>")[0]
    return {unescape(name): unescape(value) for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section)}


@pytest.fixture
def browser(settings: Settings, olivia: User) -> Browser:
    """Olivia's, who is logged in."""
    settings.CSRF_COOKIE_NAME = "csrftoken"
    made = Browser()
    made.log_in("olivia")
    return made


class TestTheFormOfARecord:
    def test_is_shown_as_it_was_typed_and_saved_only_by_its_button(self, browser: Browser) -> None:
        browser.get(ADD)
        browser.end_session()

        sent = browser.send(ADD, TYPED)
        assert "What you sent is kept for some minutes" in browser.get(sent["Location"]).text
        page = browser.log_in_as_asked("olivia", sent)

        assert page.status_code == 200
        assert 'value="NMNM 0017224"' in page.text
        assert LOGGED_OUT in page.text
        assert "correct the error" not in page.text
        assert not Lease.objects.exists()
        address = page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"]
        assert browser.send(address, TYPED).status_code == 302
        assert Lease.objects.get().lease_number == "NMNM 0017224"

    def test_marks_what_is_wrong_with_what_was_typed(self, browser: Browser) -> None:
        browser.end_session()

        page = browser.log_in_as_asked("olivia", browser.send(ADD, TYPED | {"lease_number": "a/b"}))

        assert LOGGED_OUT in page.text
        assert "correct the error" in page.text
        assert "A lease number must not contain “/”." in page.text

    def test_of_what_there_is_already_keeps_what_was_shown(self, browser: Browser, olivia: User) -> None:
        lease = settled(olivia, lease_number="NMNM 1")
        page = reverse("admin:leases_lease_change", args=[lease.pk])
        given = TYPED | {"initial-agency": "BLM", "initial-lease_number": "NMNM 1"}
        browser.end_session()

        again = browser.log_in_as_asked("olivia", browser.send(page, given))

        assert 'name="initial-lease_number" value="NMNM 1"' in again.text
        assert 'name="lease_number" value="NMNM 0017224"' in again.text
        assert "correct the error" not in again.text
        assert '<details class="card record-correct no-print" id="record-correct" open>' in again.text
        assert Lease.objects.get().lease_number == "NMNM 1"

    @pytest.mark.parametrize("name", ["leases_agencystorageconfig", "auth_user", "auth_group"])
    def test_of_any_kind_saves_nothing_by_itself(self, browser: Browser, name: str) -> None:
        given = {"name": "New", "agency": "BLM", "username": "new", "enabled": "on"}
        paths = ("runsheet_archive_base_path", "documents_base_path", "misc_index_base_path")
        before = User.objects.count()
        browser.end_session()

        page = browser.log_in_as_asked(
            "olivia", browser.send(reverse(f"admin:{name}_add"), given | dict.fromkeys(paths, "/a"))
        )

        assert LOGGED_OUT in page.text
        assert (
            AgencyStorageConfig.objects.count(),
            User.objects.count(),
            Group.objects.filter(name="New").count(),
        ) == (
            0,
            before,
            0,
        )

    def test_is_shown_to_nobody_who_may_not_see_it(self, browser: Browser) -> None:
        viewer = in_role("Viewer")
        viewer.set_password(viewer.username)
        viewer.save()
        browser.log_in(viewer.username)
        browser.end_session()

        assert browser.log_in_as_asked(viewer.username, browser.send(ADD, TYPED)).status_code == 403


class TestAButton:
    @pytest.fixture
    def lease(self, olivia: User) -> Lease:
        return settled(olivia, lease_number="NMNM 1")

    def test_is_asked_about_and_pressed_again_by_the_person(self, browser: Browser, lease: Lease) -> None:
        address = reverse("admin:leases_lease_action", args=[lease.pk, "discover"])
        browser.end_session()

        page = browser.log_in_as_asked("olivia", browser.send(address, {"generation": lease.generation}))

        assert "You had been logged out when you sent this, so nothing was done." in page.text
        assert facts_on(page) == {"What": "Run full discovery", "Lease": "BLM NMNM 1"}
        assert Lease.objects.get().generation == lease.generation == int(form_on(page)["generation"])
        assert browser.post(address, form_on(page)).status_code == 302
        assert Lease.objects.get().is_working
        assert not KeptPost.objects.exists()

    def test_of_a_list_is_asked_about(self, browser: Browser, lease: Lease) -> None:
        address = "/admin/leases/lease/?state__exact=pending"
        browser.end_session()

        page = browser.log_in_as_asked(
            "olivia", browser.send(address, {"action": "run_chosen", "_selected_action": lease.pk, "index": "0"})
        )

        assert form_on(page)["_selected_action"] == str(lease.pk)
        assert f'action="{address}"' in page.text
        assert facts_on(page) == {
            "What": "Run full discovery",
            "Leases": "BLM NMNM 1",
            "It is done": "Once you have been asked about it.",
        }

    def test_of_a_list_that_was_asked_about_says_that_it_is_done_at_once(self, browser: Browser, lease: Lease) -> None:
        chosen = {"action": "delete_selected", "_selected_action": lease.pk, "confirmed": "1:1"}
        browser.end_session()

        page = browser.log_in_as_asked("olivia", browser.send("/admin/leases/lease/", chosen))

        assert facts_on(page) == {
            "What": "Delete",
            "Leases": "BLM NMNM 1",
            "It is done": "At once: you had been asked, and had said yes.",
        }
        assert Lease.objects.exists()

    def test_to_log_out_needs_nothing(self, browser: Browser) -> None:
        browser.end_session()

        assert browser.send("/admin/logout/", {})["Location"] == "/admin/"
        assert not KeptPost.objects.exists()


class TestAFile:
    def choose(self, browser: Browser) -> Any:
        file = SimpleUploadedFile("a.csv", b"agency,lease number\nBLM,NMNM 1\n", content_type="text/csv")
        return browser.send(IMPORT, {"file": file})

    def test_is_there_after_the_login_and_read_once_it_is_sent_again(self, browser: Browser) -> None:
        browser.end_session()

        page = browser.log_in_as_asked("olivia", self.choose(browser))

        assert "<dt>File</dt><dd>a.csv</dd>" in page.text
        assert not Upload.objects.exists()
        preview = browser.post(IMPORT, form_on(page), follow=True)
        assert Upload.objects.get().name == "a.csv"
        assert "NMNM 1" in preview.text
        assert browser.post(IMPORT, form_on(page)).status_code == 200  # it was given once
        assert Upload.objects.count() == 1

    def test_is_not_kept_if_it_is_too_large(self, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kept_posts, "FILE_BYTES", 10)
        browser.end_session()

        assert AGAIN not in self.choose(browser)["Location"]
        assert not KeptPost.objects.exists()


class TestWhatIsKept:
    @pytest.fixture
    def sent(self, browser: Browser) -> Any:
        browser.end_session()
        return browser.send(ADD, TYPED)

    def test_is_nobody_elses(self, browser: Browser, sent: Any) -> None:
        User.objects.create_superuser("ivan", password="ivan")

        page = browser.log_in_as_asked("ivan", sent)

        assert "NMNM 0017224" not in page.text
        assert "is not shown again: it was sent more than 15 minutes ago, or by somebody else" in page.text

    def test_is_not_shown_in_another_browser(self, sent: Any) -> None:
        other = Browser()

        assert "NMNM 0017224" not in other.log_in_as_asked("olivia", sent).text

    def test_is_forgotten_soon(self, browser: Browser, sent: Any) -> None:
        KeptPost.objects.update(created_at="2020-01-01T00:00Z")

        assert "NMNM 0017224" not in browser.log_in_as_asked("olivia", sent).text
        browser.end_session()
        browser.send(ADD, TYPED)
        assert KeptPost.objects.count() == 1

    def test_is_not_what_a_stranger_sends(self) -> None:
        stranger = Browser()
        stranger.get("/admin/login/")

        assert AGAIN not in stranger.send(ADD, TYPED)["Location"]
        assert not KeptPost.objects.exists()

    def test_is_not_what_another_site_sends(self, browser: Browser) -> None:
        browser.end_session()

        assert browser.post(ADD, TYPED).status_code == 403
        assert not KeptPost.objects.exists()

    @pytest.mark.parametrize("address", ["/admin/password_change/", "/admin/auth/user/add/"])
    def test_is_no_password(self, browser: Browser, address: str) -> None:
        browser.end_session()

        page = browser.log_in_as_asked("olivia", browser.send(address, {"old_password": "x", "password1": "s3cret"}))

        assert (page.status_code, "s3cret" in page.text) == (200, False)
        assert not KeptPost.objects.exists()

    def test_is_not_very_much(self, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        browser.end_session()
        assert AGAIN not in browser.send(ADD, {"lease_number": "x" * 400_000})["Location"]
        for _ in range(5):
            browser.send(ADD, TYPED)
        assert KeptPost.objects.count() == kept_posts.KEPT_OF_ONE

        monkeypatch.setattr(kept_posts, "KEPT_OF_ALL", 2)
        assert AGAIN not in browser.send(ADD, TYPED)["Location"]

    def test_is_shown_only_at_its_own_address(self, browser: Browser, sent: Any) -> None:
        browser.log_in("olivia")
        key = KeptPost.objects.get().key

        page = browser.get(f"/admin/leases/lease/1/stop/?{AGAIN}={key}", follow=True)

        assert page.redirect_chain == [("/admin/", 302)]
        assert "NMNM 0017224" not in page.text

    def test_is_also_what_comes_from_a_page_of_before_another_login(self, browser: Browser) -> None:
        browser.get(ADD)
        old = browser.token
        browser.log_in("olivia")

        page = browser.post(ADD, TYPED | {"csrfmiddlewaretoken": old[::-1]}, follow=True)

        assert (page.status_code, 'value="NMNM 0017224"' in page.text) == (200, True)
        assert not Lease.objects.exists()


class TestAnAddressThatIsNoPage:
    def test_says_so(self, browser: Browser) -> None:
        answer = browser.get("/admin/leases/lease/1/stop/")

        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert "There is no page at this address" in answer.text
        assert not browser.head("/admin/leases/lease/1/stop/").content

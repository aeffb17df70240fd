"""The pages by which files come in from a browser."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.test import Client
from django.urls import reverse

from documents import multipart
from documents.models import Document, DocumentVersion, Upload
from documents.services import documents, quotas
from documents.states import State
from tests.documents.making import PDF, Files, stored, verified
from tests.factories import settled

pytestmark = pytest.mark.django_db
SEND = "/admin/documents/document/send/"
# As browsers send where none was chosen.
NO_FILE = ("", b"")


@pytest.fixture
def at(client: Client) -> Any:
    """The browser of somebody."""

    def logged_in(user: User) -> Client:
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture(autouse=True)
def _nothing_is_spooled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's own reader would keep the file on the way."""

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("A file was kept beside its place.")

    monkeypatch.setattr(FileUploadHandler, "new_file", refuse)


def file(content: bytes = PDF, name: str = "Deed of 1907.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/pdf")


def version_page(document: Document) -> str:
    return reverse("admin:documents_document_version", args=[document.pk])


def page_of(document: Document) -> str:
    return reverse("admin:documents_document_change", args=[document.pk])


class TestSending:
    def test_makes_a_document_and_leads_to_it(self, opal: User, at: Any, files: Files) -> None:
        lease = settled(opal)
        browser = at(opal)
        form = browser.get(SEND, {"lease": lease.pk}).text

        answer = browser.post(SEND, {"lease": "BLM nmnm 1", "why": "from the clerk", "file": file()}, follow=True)

        document = Document.objects.get()
        assert 'value="BLM NMNM 1"' in form
        assert answer.redirect_chain == [(page_of(document), 302)]
        assert "sent. It is verified by itself now." in answer.text
        assert (document.owner, document.lease, document.state) == (opal, lease, State.PENDING)
        assert (document.name, document.versions.get().why) == ("Deed of 1907.pdf", "from the clerk")
        assert list(files.all().values()) == [PDF]

    def test_of_several_files_leads_to_their_lease(self, opal: User, at: Any) -> None:
        lease = settled(opal)
        several = [file(name=f"{number}.pdf") for number in range(5)]

        answer = at(opal).post(SEND, {"lease": "NMNM 1", "why": "", "file": several}, follow=True)

        assert answer.redirect_chain == [(reverse("admin:leases_lease_change", args=[lease.pk]), 302)]
        assert "5 documents were sent: 0.pdf, 1.pdf, 2.pdf and 2 more." in answer.text
        assert Document.objects.filter(lease=lease).count() == 5

    def test_takes_the_others_where_one_is_refused(self, opal: User, at: Any, settings: Any, files: Files) -> None:
        settings.DOCUMENTS_LARGEST_BYTES = 1_000
        sent = [file(name="a.pdf"), file(b"x" * 2_000, "large.pdf"), file(name="\u202efdp.exe"), file(name="b.pdf")]

        answer = at(opal).post(SEND, {"why": "", "file": sent})

        assert sorted(Document.objects.values_list("name", flat=True)) == ["a.pdf", "b.pdf"]
        assert "A document has at most" in answer.text
        assert "must not turn the direction of writing around" in answer.text
        assert "Sent already" in answer.text
        assert page_of(Document.objects.get(name="b.pdf")) in answer.text
        assert (len(files.all()), Upload.objects.count()) == (2, 0)

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"file": NO_FILE}, "Choose a file first."),
            ({"lease": "NMNM 99", "file": ("a.pdf", PDF)}, "There is no such lease."),
            ({"lease": "NMNM 1", "file": ("a.pdf", PDF)}, "More than one agency has a lease of this number."),
            ({"lease": "BLM a/b", "file": ("a.pdf", PDF)}, "form-row"),
            ({"why": "x" * 301, "file": ("a.pdf", PDF)}, "at most 300 characters"),
        ],
    )
    def test_says_what_is_wrong_and_sends_nothing(self, opal: User, at: Any, said: dict[str, Any], told: str) -> None:
        settled(opal)
        settled(opal, agency="NMSLO")
        form = {"why": "as typed", **said}

        answer = at(opal).post(SEND, _encoded(form), content_type=_KIND)

        assert answer.status_code == 200
        assert told in answer.text
        assert form["why"] in answer.text
        assert not Document.objects.exists()

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"file=x", "The body is no form with a file."),
            (b"", "The body is no form with a file."),
        ],
    )
    def test_tells_of_what_is_no_form(self, opal: User, at: Any, body: bytes, told: str) -> None:
        answer = at(opal).post(SEND, body, content_type="application/x-www-form-urlencoded")

        assert told in answer.text

    def test_that_breaks_off_tells_what_there_is(self, opal: User, at: Any) -> None:
        body = _encoded({"why": "", "file": [("a.pdf", PDF), ("b.pdf", b"x" * 500)]})
        cut: Any = {
            "wsgi.input": BytesIO(body[:-300]),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": _KIND,
        }

        answer = at(opal).generic("POST", SEND, b"", **cut)

        assert "has not arrived as it was announced" in answer.text
        assert [each.name for each in Document.objects.all()] == ["a.pdf"]

    def test_is_bounded(self, opal: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(multipart, "FILES_AT_MOST", 2)
        three = at(opal).post(SEND, {"why": "", "file": [file(name=f"{number}.pdf") for number in range(3)]})
        assert "What stands behind was not read" in three.text
        assert Document.objects.count() == 2

        monkeypatch.setattr(multipart, "PASSED_OVER_BYTES", 5)
        quotas.limit(owner_id=opal.pk, limit_bytes=0)
        full = at(opal).post(SEND, {"why": "", "file": [file(b"x" * 3_000_000), file()]})
        assert "What stands behind was not read" in full.text
        assert Document.objects.count() == 2

    def test_needs_the_token_of_the_page(self, opal: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(opal)
        token = browser.get(SEND).text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

        without = browser.post(SEND, {"csrfmiddlewaretoken": "x" * 64, "why": "", "file": file()})
        none = browser.post(SEND, {"why": "", "file": file()})
        behind = browser.post(SEND, {"file": file(), "csrfmiddlewaretoken": token})
        assert [each.status_code for each in (without, none, behind)] == [403] * 3
        assert not Document.objects.exists()

        assert browser.post(SEND, {"csrfmiddlewaretoken": token, "why": "", "file": file()}).status_code == 302

    def test_of_who_was_logged_out_leads_back_to_the_form(self, client: Client) -> None:
        answer = client.post(SEND, {"why": "", "file": file()})

        assert answer["Location"] == f"{reverse('admin:login')}?next={SEND}"

    def test_is_not_for_everybody(self, at: Any, role: Any, files: Files) -> None:
        browser = at(role("Viewer"))

        assert browser.get(SEND).status_code == 403
        assert browser.post(SEND, {"why": "", "file": file()}).status_code == 403
        assert "documents/document/send/" not in browser.get(reverse("admin:documents_document_changelist")).text

    def test_by_a_script_is_told_where_to_go_on(self, opal: User, at: Any) -> None:
        answer = at(opal).post(SEND, {"why": "", "file": file()}, headers={"X-By-Script": "1"})

        assert (answer.status_code, answer.json()) == (201, {"url": page_of(Document.objects.get())})

    def test_knows_no_leases_for_who_may_not_see_them(self, files: Files, at: Any) -> None:
        clerk = User.objects.create_user("clerk", is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename="add_document"))
        lease = settled(clerk)

        form = at(clerk).get(SEND, {"lease": lease.pk}).text
        answer = at(clerk).post(SEND, {"lease": "NMNM 1", "why": "", "file": file()})

        assert "id_lease" not in form
        assert answer["Location"] == SEND
        assert Document.objects.get().lease is None

    @pytest.mark.parametrize("pk", ["x", "9" * 30, "4711"])
    def test_is_led_to_from_a_lease_that_is_gone(self, opal: User, at: Any, pk: str) -> None:
        assert at(opal).get(SEND, {"lease": pk}).status_code == 200


class TestVersion:
    def test_becomes_the_current_one(self, opal: User, at: Any) -> None:
        document, browser = verified(opal), at(opal)
        assert version_page(document) in browser.get(page_of(document)).text
        browser.get(version_page(document))

        form = {"name": "", "why": "a better copy", "revision": document.revision, "file": file(b"two", "x.pdf")}
        answer = browser.post(version_page(document), form, follow=True)

        version = DocumentVersion.objects.get(number=2)
        assert "another version was sent" in answer.text
        assert (version.name, version.why, version.size) == (document.name, "a better copy", 3)

    def test_may_have_another_name(self, opal: User, at: Any) -> None:
        document = verified(opal)
        said = {"why": "", "revision": document.revision, "file": file(b"two")}
        refused = at(opal).post(version_page(document), {"name": "a/b", **said})
        assert "none of them is a slash" in refused.text

        at(opal).post(version_page(document), {"name": " New.pdf", **said, "file": file(b"two")})

        assert Document.objects.get().name == "New.pdf"

    def test_overruns_nobody(self, opal: User, ada: User, at: Any) -> None:
        document = verified(opal)
        documents.change(document_id=document.pk, by=ada, name="other.pdf")

        form = {"name": "", "why": "", "revision": document.revision, "file": file(b"two")}
        answer = at(opal).post(version_page(document), form)

        assert "administrator has changed this document since" in answer.text
        assert DocumentVersion.objects.count() == 1

    def test_waits_for_who_has_it_checked_out(self, opal: User, ada: User, at: Any) -> None:
        document = documents.check_out(document_id=verified(opal).pk, by=ada)

        page = at(opal).get(version_page(document)).text
        form = {"name": "", "why": "", "revision": document.revision, "file": file(b"two")}
        answer = at(opal).post(version_page(document), form)

        assert "administrator has checked this document out until" in page
        assert "administrator has checked this document out until" in answer.text
        assert DocumentVersion.objects.count() == 1

    def test_is_one_file(self, opal: User, at: Any) -> None:
        document = verified(opal)
        form = {"name": "", "why": "", "revision": document.revision, "file": [file(b"two"), file(b"three")]}

        answer = at(opal).post(version_page(document), form)

        assert "goes on behind its file" in answer.text
        assert DocumentVersion.objects.count() == 2

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_of_what_is_gone_leads_to_the_list(self, opal: User, at: Any, method: str) -> None:
        url = reverse("admin:documents_document_version", args=[4711])
        answer = getattr(at(opal), method)(url, {"file": file()} if method == "post" else {})

        assert answer["Location"] == reverse("admin:documents_document_changelist")


class TestRestoreVersion:
    def press(self, browser: Client, document: Document, number: int = 1, **form: Any) -> Any:
        address = reverse("admin:documents_document_restore_version", args=[document.pk, number])
        return browser.post(address, {"generation": document.generation, **form}, follow=True)

    def test_is_offered_beside_earlier_versions(self, opal: User, at: Any) -> None:
        document, browser = verified(opal), at(opal)
        assert "Restore this version" not in browser.get(page_of(document)).text
        documents.restore_version(document_id=document.pk, number=1, by=opal)
        Document.objects.update(state=State.ACTIVE, verified_at=document.verified_at, due_at=None)
        document = Document.objects.get()
        assert browser.get(page_of(document)).text.count("Restore this version") == 1

        text = self.press(browser, document).text

        assert "Version 1 is the current one again" in text
        assert DocumentVersion.objects.get(number=3).restored_from == 1

    def test_overruns_nobody_and_tells_of_what_is_gone(self, opal: User, at: Any, role: Any) -> None:
        document, browser = verified(opal), at(opal)

        assert "moved on" in self.press(browser, document, generation=0).text
        assert "has no such version" in self.press(browser, document, number=9).text
        assert self.press(at(role("Viewer")), document).status_code == 403
        document.pk = 4711
        assert "This record no longer exists" in self.press(at(opal), document).text
        at(User.objects.create_user("nobody", is_staff=True))
        assert self.press(browser, document).status_code == 403
        assert DocumentVersion.objects.count() == 1


class TestCheckOut:
    def press(self, browser: Client, document: Document, name: str, **form: Any) -> str:
        address = reverse("admin:documents_document_action", args=[document.pk, name])
        return str(browser.post(address, {"generation": document.generation, **form}, follow=True).text)

    def test_keeps_others_away_until_it_is_checked_in(self, opal: User, ada: User, at: Any) -> None:
        document = verified(opal)
        assert "Nobody has checked it out." in at(opal).get(page_of(document)).text
        assert "1 to 720 hours" in self.press(at(opal), document, "check-out", hours="9999")

        text = self.press(at(opal), document, "check-out", hours="2")
        document = Document.objects.get()
        assert "Checked out by operator; that ends" in text
        assert document.checked_out_by == opal
        assert "operator has checked this document out" in self.press(at(ada), document, "archive")

        self.press(at(ada), document, "check-in")
        assert Document.objects.get().checked_out_by is None

    def test_is_not_for_everybody(self, opal: User, ada: User, at: Any, role: Any) -> None:
        document = verified(ada)
        own = documents.check_out(document_id=verified(opal).pk, by=ada)

        assert "Check out</strong> is not offered" in at(role("Viewer")).get(page_of(document)).text
        assert "somebody else" in self.press(at(opal), document, "check-out", hours="2")
        assert "has checked this document out" in self.press(at(opal), own, "check-in")
        assert Document.objects.get(pk=own.pk).checked_out_by == ada


class TestEdit:
    def form(self, document: Document, **said: str) -> dict[str, str]:
        return {"name": document.name, "unique_name": document.unique_name, "metadata": "{}", "lease": "", **said}

    def test_names_the_lease(self, opal: User, at: Any) -> None:
        document, lease, browser = verified(opal), settled(opal), at(opal)

        browser.post(page_of(document), self.form(document, lease="BLM NMNM 1"))
        assert Document.objects.get().lease == lease
        assert 'value="BLM NMNM 1"' in browser.get(page_of(document)).text
        assert "There is no such lease" in browser.post(page_of(document), self.form(document, lease="NMNM 9")).text

        browser.post(page_of(document), self.form(document, **{"initial-lease": "BLM NMNM 1"}))
        assert Document.objects.get().lease is None

    def test_leaves_the_lease_to_who_may_see_leases(self, opal: User, at: Any) -> None:
        document = verified(opal, lease_id=settled(opal).pk)
        opal.groups.clear()
        opal.user_permissions.set(Permission.objects.filter(codename__in=["view_document", "change_document"]))
        browser = at(User.objects.get(pk=opal.pk))

        browser.post(page_of(document), self.form(document, name="new.pdf"))

        found = Document.objects.get()
        assert (found.name, found.lease_id) == ("new.pdf", document.lease_id)


class TestOfALease:
    def test_stand_on_its_page(self, opal: User, at: Any, role: Any) -> None:
        lease, other = settled(opal), settled(opal, lease_number="NMNM 2")
        page = reverse("admin:leases_lease_change", args=[lease.pk])
        assert "Nobody has sent a document for this lease." in at(opal).get(page).text
        for number in range(11):
            stored(opal, name=f"plat-{number}.pdf", lease_id=lease.pk)
        verified(opal, name="elsewhere.pdf", lease_id=other.pk)

        text = at(opal).get(page).text
        all_url = f"{reverse('admin:documents_document_changelist')}?lease__id__exact={lease.pk}"

        assert "plat-10.pdf" in text
        assert "plat-0.pdf" not in text
        assert f'href="{all_url}"' in text
        assert f"{SEND}?lease={lease.pk}" in text
        listed = at(opal).get(all_url).text
        assert "plat-0.pdf" in listed
        assert "elsewhere.pdf" not in listed
        assert SEND not in at(role("Viewer")).get(page).text

    def test_are_nobodys_business_who_has_no_right(self, opal: User, at: Any) -> None:
        page = reverse("admin:leases_lease_change", args=[settled(opal).pk])
        opal.groups.clear()
        opal.user_permissions.set(Permission.objects.filter(codename="view_lease"))

        assert "lease-papers" not in at(User.objects.get(pk=opal.pk)).get(page).text


_KIND = "multipart/form-data; boundary=--x"


def _encoded(form: dict[str, Any]) -> bytes:
    """As a browser writes it; a file is its name and its bytes."""

    def parts() -> Iterator[bytes]:
        for name, value in form.items():
            for each in value if isinstance(value, list) else [value]:
                file_name, content = each if isinstance(each, tuple) else (None, str(each).encode())
                named = "" if file_name is None else f'; filename="{file_name}"'
                yield f'----x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
                yield content + b"\r\n"

    return b"".join(parts()) + b"----x--\r\n"

"""The page and the list of documents, and the page about room."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from console.machine import panel as machines
from core.base.clock import now
from documents.admin import panel as panels
from documents.admin.filters import OwnerFilter
from documents.models import Batch, Document, DocumentVersion, Quota
from documents.services import documents, opening, shares, uploads
from documents.services.bulk import verify_many
from documents.states import State
from statemachine.batches import run_again, which_of
from tests.documents.making import PDF, Files, stored, verified, worked
from tests.documents.sharing import linked
from tests.factories import settled

pytestmark = pytest.mark.django_db
LIST = "admin:documents_document_changelist"


@pytest.fixture
def at(client: Client) -> Any:
    """The browser of somebody."""

    def logged_in(user: User) -> Client:
        client.force_login(user)
        return client

    return logged_in


def page_of(document: Document) -> str:
    return reverse("admin:documents_document_change", args=[document.pk])


def press(client: Client, document: Document, name: str) -> str:
    address = reverse("admin:documents_document_action", args=[document.pk, name])
    return str(client.post(address, {"generation": document.generation}, follow=True).text)


class TestPage:
    def test_shows_the_file_and_its_versions(self, opal: User, at: Any) -> None:
        lease = settled(opal)
        document = verified(opal, lease_id=lease.pk)
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"two"], length=3, why="a better copy")
        documents.restore_version(document_id=document.pk, number=1, by=opal)
        documents.check_out(document_id=document.pk, by=opal)
        version = DocumentVersion.objects.get(number=1)

        text = at(opal).get(page_of(document)).text

        assert "application/pdf" in text
        assert "a better copy" in text
        assert "version 1 restored" in text
        assert "Checked out by operator; that ends" in text
        assert version.sha256 in text
        assert f"/api/v1/documents/{document.pk}/versions/1/content/" in text
        # The second was never verified, and the third is not yet.
        assert text.count("Not verified yet") == 2
        assert str(lease) in text

    def test_shows_what_is_said_of_it_and_what_does_not_fit(self, opal: User, at: Any) -> None:
        said = {"book": 12, "<b>grantor": "Müller & Söhne", "pages": [1, 2]}
        document = verified(opal, b"<!doctype html><p>A page", metadata=said)
        fitting, empty = verified(opal), verified(opal, b"")
        documents.change(document_id=empty.pk, by=opal, is_public=True)
        documents.archive(document_id=empty.pk, by=opal)

        text = at(opal).get(page_of(document)).text

        for each in ("<dt>book</dt><dd>12</dd>", "&lt;b&gt;grantor", "Müller &amp; Söhne", "[1, 2]"):
            assert each in text
        assert "By what it holds, the file is text/html; by its name, or by who sent it, application/pdf." in text
        assert "By what it holds" not in at(opal).get(page_of(fitting)).text
        assert "The file is empty." not in text
        assert "The file is empty." in at(opal).get(page_of(empty)).text
        assert "Yes, but nobody outside gets it before it is active" in at(opal).get(page_of(empty)).text

    def test_leads_to_the_file(self, opal: User, at: Any) -> None:
        document = verified(opal)
        browser = at(opal)
        assert "Download</a>" in browser.get(page_of(document)).text

        answer = browser.get(f"/api/v1/documents/{document.pk}/versions/1/content/")

        assert b"".join(answer) == PDF

    def test_tells_what_was_found(self, opal: User, at: Any, files: Files) -> None:
        document = verified(opal)
        files[document.versions.get().key].unlink()
        worked(documents.verify(document_id=document.pk, by=opal))

        text = at(opal).get(page_of(document)).text

        assert "Held back: file not in storage" in text
        assert "Download</a>" not in text
        assert "Verify again" in text

    def test_shows_the_newest_of_very_many(self, opal: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(panels, "VERSIONS_SHOWN", 2)
        document = verified(opal)
        for _ in range(3):
            documents.restore_version(document_id=document.pk, number=1, by=opal)

        assert "and 2 earlier." in at(opal).get(page_of(document)).text

    def test_saves_what_is_said_through_the_service(self, opal: User, at: Any) -> None:
        document = verified(opal)
        form = {
            "name": " New.pdf",
            "unique_name": "the-deed",
            "is_public": "on",
            "metadata": '{"a": 1}',
            "_save": "Save",
        }

        at(opal).post(page_of(document), form)

        found = Document.objects.get()
        assert (found.name, found.unique_name, found.metadata) == ("New.pdf", "the-deed", {"a": 1})
        assert found.generation == document.generation + 1
        assert found.updated_by == opal

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"name": "a/b"}, "none of them is a slash"),
            ({"unique_name": "admin"}, "kept for something else"),
            ({"metadata": "[1]"}, "one object in JSON"),
        ],
    )
    def test_tells_what_is_wrong_at_its_field(self, opal: User, at: Any, said: dict[str, str], told: str) -> None:
        document = verified(opal)
        form = {"name": "a.pdf", "unique_name": "the-deed", "metadata": "{}", "_save": "Save", **said}

        assert told in at(opal).post(page_of(document), form).text
        assert Document.objects.get().generation == document.generation

    def test_of_anothers_document_is_to_look_at(self, opal: User, ada: User, at: Any) -> None:
        document = verified(ada)
        browser = at(opal)

        text = browser.get(page_of(document)).text

        assert "This document is somebody else" in text
        assert 'name="_save"' not in text
        assert browser.post(page_of(document), {"name": "x"}).status_code == 403
        assert "This document is somebody else" in press(browser, document, "archive")
        assert Document.objects.get().state == State.ACTIVE


class TestButtons:
    def test_stand_out_where_one_of_them_is_wanted_most(self, ada: User, at: Any) -> None:
        def main(document: Document) -> str:
            """What is filled, of the page's buttons that one sees at once."""
            text = at(ada).get(page_of(document)).text.partition('id="record-live"')[2].partition("record-history")[0]
            seen = re.sub("</summary>.*?</details>", "", text, flags=re.DOTALL)
            return " ".join(re.findall(r'class="button(?: is-small)?"[^>]*>([A-Z][a-z ]+)<', seen))

        active, archived, missing = (verified(ada) for _ in range(3))
        documents.archive(document_id=archived.pk, by=ada)
        Document.objects.filter(pk=missing.pk).update(state=State.ERROR, failure_code="infected")

        assert [main(each) for each in (active, archived, missing)] == ["Download", "Restore", "Verify again"]

    def test_say_what_is_kept_of_what_is_archived_and_for_how_long(self, ada: User, at: Any, settings: Any) -> None:
        document = verified(ada)
        documents.archive(document_id=document.pk, by=ada)
        browser = at(ada)
        assert "it stays with all its versions until it is restored" in browser.get(page_of(document)).text
        settings.DOCUMENTS_PURGE_GRACE_DAYS = 1
        assert "Everything is kept for 1 day, in which" in browser.get(page_of(document)).text

        settings.DOCUMENTS_PURGE_GRACE_DAYS = 0

        assert "Nothing is kept: within the next minutes" in browser.get(page_of(document)).text

    def test_archive_delete_for_good_and_restore(self, ada: User, at: Any) -> None:
        document, browser = verified(ada), at(ada)
        assert "Archive it first" in browser.get(page_of(document)).text

        press(browser, document, "archive")
        archived = Document.objects.get()
        assert archived.state == State.ARCHIVED
        assert "Everything is kept for 30 days, in which it can be restored" in browser.get(page_of(document)).text
        text = press(browser, archived, "purge")
        assert "It is deleted for good" in text
        assert Document.objects.get().purge_at is not None

        press(browser, Document.objects.get(), "restore")
        assert (Document.objects.get().state, Document.objects.get().purge_at) == (State.ACTIVE, None)

    def test_verify_again_and_stop(self, opal: User, at: Any) -> None:
        document, browser = verified(opal), at(opal)

        press(browser, document, "verify")
        pending = Document.objects.get()
        assert pending.state == State.PENDING
        press(browser, pending, "stop")

        assert Document.objects.get().is_stopped

    def test_say_how_a_document_is_restored_that_was_never_verified(self, opal: User, at: Any, settings: Any) -> None:
        settings.DOCUMENTS_PURGE_GRACE_DAYS = 0
        document = stored(opal)
        documents.archive(document_id=document.pk, by=opal)

        assert "It was never verified" in at(opal).get(page_of(document)).text


class TestHistory:
    def test_tells_changes_and_links_with_who_and_in_their_order(self, opal: User, at: Any) -> None:
        document = verified(opal, name="a.pdf")
        documents.change(document_id=document.pk, by=opal, name="b.pdf")
        link = linked(opal, document, label="The bank", downloads_at_most=1).link
        opening.use(link=link, at=now())
        shares.revoke(link_id=link.pk, by=opal, at=now())
        documents.check_out(document_id=document.pk, by=opal)

        history = at(opal).get(page_of(document)).text.partition("What happened")[2]

        told = (
            "operator checked it out",
            "operator revoked the link",
            "was used as often as it may be",
            "operator made the link",
            "operator changed what is said of it",
            "Name “a.pdf”, now “b.pdf”",
            "verified it",
        )
        places = [history.find(each) for each in told]
        assert -1 not in places
        assert places == sorted(places)
        assert "Stopped" not in history

    def test_tells_of_links_to_who_may_know_of_them_only(self, role: Any, opal: User, at: Any) -> None:
        document = verified(opal)
        linked(opal, document)

        assert "made the link" in at(opal).get(page_of(document)).text
        assert "made the link" not in at(role("Viewer")).get(page_of(document)).text

    def test_tells_no_link_older_than_what_is_shown(self, opal: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        document = verified(opal)
        linked(opal, document)
        monkeypatch.setattr(machines, "HISTORY_SHOWN", 1)
        documents.check_out(document_id=document.pk, by=opal)

        history = at(opal).get(page_of(document)).text.partition("What happened")[2]

        assert "checked it out" in history
        assert "made the link" not in history


class TestList:
    def test_is_narrowed_searched_and_kept_as_a_file(self, opal: User, ada: User, at: Any) -> None:
        verified(opal, name="Deed of Lea.pdf")
        verified(ada, name="Plat.pdf")
        browser = at(opal)

        of_opal = browser.get(reverse(LIST), {OwnerFilter.parameter_name: opal.pk}).text
        found = browser.get(reverse(LIST), {"q": "plat"}).text
        kept = b"".join(browser.get(reverse("admin:documents_document_download", args=["csv"]))).decode()

        assert ("Deed of Lea.pdf" in of_opal, "Plat.pdf" in of_opal) == (True, False)
        assert ("Deed of Lea.pdf" in found, "Plat.pdf" in found) == (False, True)
        assert "application/pdf" in kept
        assert "delete_selected" not in browser.get(reverse(LIST)).text

    def test_names_leases_to_who_may_see_them(self, opal: User, at: Any) -> None:
        document = verified(opal, lease_id=settled(opal).pk)
        addresses = (reverse(LIST), page_of(document), reverse("admin:documents_document_download", args=["json"]))

        def told(user: User) -> list[bool]:
            return ["NMNM" in b"".join(at(user).get(each)).decode() for each in addresses]

        assert told(opal) == [True] * 3
        opal.groups.clear()
        opal.user_permissions.set(Permission.objects.filter(codename__in=["view_document", "change_document"]))
        assert told(User.objects.get(pk=opal.pk)) == [False] * 3

    def test_has_many_verified_again_as_a_batch(self, opal: User, at: Any) -> None:
        documents_ = [verified(opal), verified(opal)]
        chosen = {"action": "run_chosen", "_selected_action": [each.pk for each in documents_], "index": "0"}
        browser = at(opal)
        asked = browser.post(reverse(LIST), chosen, follow=True).text
        confirmed = asked.partition('name="confirmed" value="')[2].partition('"')[0]

        browser.post(reverse(LIST), {**chosen, "confirmed": confirmed})

        batch = Batch.objects.get()
        assert (batch.size, batch.created_by) == (2, opal)
        assert Document.objects.filter(due_at__isnull=False).count() == 2
        page = browser.get(reverse("admin:documents_batch_change", args=[batch.pk])).text
        assert "2 documents" in page

    def test_runs_only_ones_own_again(self, opal: User, ada: User, at: Any) -> None:
        """Also of a batch that an administrator has begun."""
        own = verified(opal)
        verified(ada)
        batch = verify_many(Document.objects.all(), ada, which=which_of(Document.objects.all()))
        Document.objects.update(state=State.ERROR, failure_code="scanner_away", due_at=None)

        count = run_again(batch_id=batch.pk, state=State.ERROR, user=opal)

        assert count == 1
        assert list(Document.objects.filter(due_at__isnull=False)) == [own]


class TestNotices:
    def test_tell_who_sent_it_what_was_found(self, opal: User, at: Any, settings: Any) -> None:
        settings.DOCUMENTS_TYPE_MISMATCH = "refuse"
        verified(opal, b"<html>", name="deed.pdf")

        text = at(opal).get(reverse("admin:console_failurenotice_mine")).text

        assert "another kind of file than said" in text


class TestRoom:
    def test_is_said_by_administrators(self, opal: User, ada: User, at: Any) -> None:
        verified(opal)
        quota = Quota.objects.get()
        browser = at(ada)
        listed = browser.get(reverse("admin:documents_quota_changelist")).text
        assert "operator" in listed

        browser.post(reverse("admin:documents_quota_change", args=[quota.pk]), {"limit_bytes": "0", "_save": "Save"})

        assert Quota.objects.get().limit_bytes == 0
        assert "0 bytes" in browser.get(reverse("admin:documents_quota_changelist")).text
        kept = b"".join(browser.get(reverse("admin:documents_quota_download", args=["csv"]))).decode()
        assert f"operator,{len(PDF)},0,0" in kept
        at(opal)
        assert browser.get(reverse("admin:documents_quota_changelist")).status_code == 403

    def test_is_led_to_and_says_whose_it_is(self, opal: User, ada: User, at: Any) -> None:
        verified(opal)
        quota, agency = Quota.objects.get(), Quota.objects.create(agency="BLM")
        rooms = reverse("admin:documents_quota_changelist")
        assert rooms not in at(opal).get(reverse(LIST)).text
        browser = at(ada)
        assert rooms in browser.get(reverse(LIST)).text

        told = [browser.get(reverse("admin:documents_quota_change", args=[each.pk])).text for each in (quota, agency)]

        assert "<h1" in told[0]
        assert "Room of operator" in told[0]
        assert "Person operator" in told[0]
        assert f"{len(PDF)} bytes" in told[0]
        assert "Agency BLM" in told[1]

    def test_may_have_no_limit(self, opal: User, ada: User, at: Any, settings: Any) -> None:
        settings.DOCUMENTS_QUOTA_BYTES = 0
        verified(opal)

        assert "No limit" in at(ada).get(reverse("admin:documents_quota_changelist")).text


class TestOwners:
    def test_are_not_deleted_while_they_have_documents(self, opal: User, ada: User, at: Any) -> None:
        """They are switched off instead; and who has none is deleted as before, with the room that nobody used."""
        verified(opal)
        lone = User.objects.create_user("lone")
        Quota.objects.create(user=lone)
        browser = at(ada)

        refused = browser.post(reverse("admin:auth_user_delete", args=[opal.pk]), {"post": "yes"}, follow=True)
        browser.post(reverse("admin:auth_user_delete", args=[lone.pk]), {"post": "yes"})

        assert refused.status_code == 200
        assert "Cannot delete user" in refused.text
        assert "ocument" in refused.text.partition("<main")[2], refused.text.partition("<main")[2]
        assert User.objects.filter(username="operator").exists()
        assert not User.objects.filter(username="lone").exists()

    def test_are_not_deleted_while_they_send(self, opal: User, ada: User, at: Any) -> None:
        """Else the room of the agency would be kept for nobody, and the bytes be nobody's."""
        lease = settled(ada)

        def slowly() -> Iterator[bytes]:
            yield PDF
            browser = at(ada)
            told = browser.post(reverse("admin:auth_user_delete", args=[opal.pk]), {"post": "yes"}, follow=True)
            assert "Cannot delete user" in told.text

        uploads.store(by=opal, name="a.pdf", chunks=slowly(), length=len(PDF), lease_id=lease.pk)

        assert {(each.used_bytes, each.reserved_bytes) for each in Quota.objects.all()} == {(len(PDF), 0)}

"""What is done with several documents from their list."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from documents.admin import many
from documents.bundles import LEFT_OUT
from documents.models import Document, ShareLink
from documents.services import documents
from documents.states import State
from tests.documents.making import stored, verified
from tests.documents.sharing import linked
from tests.documents.test_bundles import unpacked

pytestmark = pytest.mark.django_db
LIST = "admin:documents_document_changelist"


@pytest.fixture
def at(client: Client) -> Any:
    """The browser of somebody."""

    def logged_in(user: User) -> Client:
        client.force_login(user)
        return client

    return logged_in


class TestDownloadOfMany:
    def test_gives_the_chosen_ones_as_one_archive(self, opal: User, at: Any) -> None:
        first, second, unverified = verified(opal, name="a.pdf"), verified(opal, name="b.pdf"), stored(opal)
        browser, form = at(opal), {"action": "download_files", "select_across": "0"}

        answer = browser.post(reverse(LIST), {**form, "_selected_action": [first.pk, second.pk, unverified.pk]})

        assert unpacked(answer).keys() == {"a.pdf", "b.pdf", LEFT_OUT}
        refused = browser.post(reverse(LIST), {**form, "_selected_action": [unverified.pk]}, follow=True)
        assert "None of these documents can be downloaded now." in refused.text


class TestMany:
    def test_are_archived_and_restored_and_what_cannot_be_is_told(self, opal: User, ada: User, at: Any) -> None:
        mine, other = verified(opal), verified(ada)
        form = {"_selected_action": [mine.pk, other.pk], "select_across": "0"}

        archived = at(opal).post(reverse(LIST), {**form, "action": "archive_chosen"}, follow=True).text

        assert set(Document.objects.values_list("pk", "state")) == {(mine.pk, State.ARCHIVED), (other.pk, State.ACTIVE)}
        assert "1 of 2 archived." in archived
        assert "1 left as they were:" in archived
        away = f"{reverse(LIST)}?state__exact=archived"
        restored = at(opal).post(away, {**form, "action": "restore_chosen"}, follow=True).text
        assert "1 of 1 restored." in restored
        assert Document.objects.get(pk=mine.pk).archived_at is None

    def test_are_checked_in_as_far_as_anybody_has_them(self, opal: User, ada: User, at: Any) -> None:
        mine, hers, free = verified(opal), verified(ada), verified(opal)
        documents.check_out(document_id=mine.pk, by=opal)
        documents.check_out(document_id=hers.pk, by=ada)
        form = {"action": "check_in_chosen", "select_across": "0"}

        text = at(opal).post(reverse(LIST), {**form, "_selected_action": [mine.pk, hers.pk, free.pk]}, follow=True).text

        assert "1 of 2 checked in." in text
        assert "1 left as they were:" in text
        assert set(Document.objects.filter(checked_out_by=None)) == {mine, free}
        told = at(opal).post(reverse(LIST), {**form, "_selected_action": [free.pk]}, follow=True).text
        assert "Nobody has checked out any of these documents." in told

    def test_are_a_thousand_at_most(self, opal: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(many, "AT_MOST", 1)
        form = {"_selected_action": [verified(opal).pk, verified(opal).pk], "action": "archive_chosen"}

        text = at(opal).post(reverse(LIST), form, follow=True).text

        assert "At most 1 documents at once. Nothing was done; choose fewer." in text
        assert not Document.objects.exclude(archived_at=None).exists()

    def test_are_offered_to_who_may_change_them(self, role: Any, opal: User, at: Any) -> None:
        verified(opal)

        assert "archive_chosen" not in at(role("Viewer")).get(reverse(LIST)).text
        assert "archive_chosen" in at(opal).get(reverse(LIST)).text


class TestLinks:
    def ask(self, browser: Client, *of: Document) -> tuple[str, dict[str, Any]]:
        """The page that asks, and the form that confirms it."""
        form = {"action": "revoke_links", "select_across": "0", "_selected_action": [each.pk for each in of]}
        asked = browser.post(reverse(LIST), form, follow=True).text
        return asked, {**form, "confirmed": asked.partition('name="confirmed" value="')[2].partition('"')[0]}

    def test_of_several_documents_are_revoked_once_that_is_confirmed(self, opal: User, at: Any) -> None:
        first, second, other = verified(opal), verified(opal), verified(opal)
        links = [linked(opal, each).link for each in (first, first, second, other)]
        browser = at(opal)

        asked, form = self.ask(browser, first, second)

        assert "3 share links</strong> to 2 documents will be revoked." in asked
        assert not ShareLink.objects.exclude(revoked_at=None).exists()
        assert "3 share links revoked." in browser.post(reverse(LIST), form, follow=True).text
        assert set(ShareLink.objects.filter(revoked_by=opal)) == set(links[:3])
        assert "None of these documents has a share link" in self.ask(browser, first)[0]

    def test_are_asked_about_again_if_there_are_others_by_then(self, opal: User, at: Any) -> None:
        document, browser = verified(opal), at(opal)
        linked(opal, document)
        form = self.ask(browser, document)[1]
        linked(opal, document)

        text = browser.post(reverse(LIST), form, follow=True).text

        assert "2 share links</strong> to 1 document will be revoked." in text
        assert not ShareLink.objects.exclude(revoked_at=None).exists()

    def test_of_others_stay(self, opal: User, ada: User, at: Any) -> None:
        theirs = verified(ada)
        linked(ada, theirs)

        assert "None of these documents has a share link" in self.ask(at(opal), theirs)[0]

    def test_are_for_who_may_share(self, role: Any, opal: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        document = verified(opal)
        linked(opal, document)

        assert "revoke_links" not in at(role("Viewer")).get(reverse(LIST)).text
        monkeypatch.setattr(many, "AT_MOST", 0)
        assert "At most 0 documents at once." in self.ask(at(opal), document)[0]

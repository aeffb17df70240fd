"""What is done with several documents from their list."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from documents.admin import documents as lists
from documents.bundles import LEFT_OUT
from documents.models import Document
from documents.states import State
from tests.documents.making import stored, verified
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

    def test_are_a_thousand_at_most(self, opal: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "AT_MOST", 1)
        form = {"_selected_action": [verified(opal).pk, verified(opal).pk], "action": "archive_chosen"}

        text = at(opal).post(reverse(LIST), form, follow=True).text

        assert "At most 1 documents at once. Nothing was done; choose fewer." in text
        assert not Document.objects.exclude(archived_at=None).exists()

    def test_are_offered_to_who_may_change_them(self, role: Any, opal: User, at: Any) -> None:
        verified(opal)

        assert "archive_chosen" not in at(role("Viewer")).get(reverse(LIST)).text
        assert "archive_chosen" in at(opal).get(reverse(LIST)).text

"""The pages about links for people outside, for who may share a document and for who may not."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from core.base.clock import now
from documents.models import Document, ShareLink
from documents.services import documents
from tests.documents.making import verified
from tests.documents.sharing import Outsider, linked

pytestmark = pytest.mark.django_db
LIST = "admin:documents_sharelink_changelist"
FILLED = {"label": "the buyer", "password": "a good one", "days": "7", "downloads_at_most": "3"}


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def of(document: Document) -> str:
    return reverse("admin:documents_sharelink_of", args=[document.pk])


def page_of(link: ShareLink) -> str:
    return reverse("admin:documents_sharelink_change", args=[link.pk])


class TestMaking:
    def test_shows_the_address_once(self, opal: User) -> None:
        document, browser = verified(opal), browser_of(opal)
        assert of(document) in browser.get(reverse("admin:documents_document_change", args=[document.pk])).text

        made = browser.post(of(document), FILLED)

        link = ShareLink.objects.get()
        address = re.search(r'id="share-url">([^<]+)<', made.text)
        assert address
        assert "no-store" in made["Cache-Control"]
        token = address[1].rstrip("/").rpartition("/")[2]
        assert Outsider().page(token).status_code == 200
        assert (link.label, link.downloads_at_most, link.has_password) == ("the buyer", 3, True)
        assert link.expires_at - link.created_at == timedelta(days=7)
        for page in (of(document), page_of(link), reverse(LIST)):
            text = browser.get(page).text
            assert token not in text
            assert link.token_sha256 not in text
            assert link.password not in text

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"password": "short"}, "The password of a share link has 8 to 128 characters"),
            ({"downloads_at_most": "0"}, "greater than or equal to 1"),
            ({"days": "9999"}, "Select a valid choice"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, opal: User, wrong: dict[str, str], words: str) -> None:
        answer = browser_of(opal).post(of(verified(opal)), FILLED | wrong)

        assert words in answer.text
        assert not ShareLink.objects.exists()

    def test_of_what_is_archived_is_refused(self, opal: User) -> None:
        document = verified(opal)
        documents.archive(document_id=document.pk, by=opal)

        assert "Restore it first" in browser_of(opal).post(of(document), FILLED).text


class TestSeen:
    def test_tells_how_it_stands(self, opal: User) -> None:
        document = verified(opal)
        links = [linked(opal, document, label=f"number {n}").link for n in range(3)]
        ShareLink.objects.filter(pk=links[0].pk).update(revoked_at=now(), revoked_by=None)
        ShareLink.objects.filter(pk=links[1].pk).update(suspended_at=now(), suspended_why="maker")
        browser = browser_of(opal)

        text = browser.get(of(document)).text

        assert "Suspended: Who made it may not share the document any more" in text
        assert "by somebody who is gone" in browser.get(page_of(links[0])).text
        assert "number 2" in browser.get(reverse(LIST), {"standing": "active"}).text
        assert "number 1" not in browser.get(reverse(LIST), {"standing": "active"}).text
        assert "number 1" in browser.get(reverse(LIST), {"standing": "nonsense"}).text
        documents.archive(document_id=document.pk, by=opal)
        assert "The document is archived" in browser.get(page_of(links[2])).text
        file = browser.get(reverse("admin:documents_sharelink_download", args=["csv"]))
        assert b"number 2" in b"".join(file)

    def test_runs_nothing_of_what_people_call_it(self, opal: User) -> None:
        document = verified(opal, name="<img src=x onerror=alert(1)>.pdf")
        link = linked(opal, document, label="<script>alert(1)</script>").link
        browser = browser_of(opal)

        for page in (of(document), page_of(link), reverse(LIST)):
            assert not re.search("<img src=x|<script>alert", browser.get(page).text)

    def test_leads_to_the_public_page(self, opal: User) -> None:
        document = documents.change(document_id=verified(opal).pk, by=opal, is_public=True)

        text = browser_of(opal).get(reverse("admin:documents_document_change", args=[document.pk])).text

        assert f'href="/public/{document.unique_name}/"' in text


class TestName:
    def test_is_told_to_who_shares_before_anybody_outside_reads_it(self, opal: User) -> None:
        document = verified(opal)
        assert "have an administrator enter your first and last name" in browser_of(opal).get(of(document)).text
        opal.first_name = "Opal"
        opal.save()

        assert "says that “<bdi>Opal</bdi>” shares it." in browser_of(opal).get(of(document)).text


class TestRevoking:
    def test_has_a_button_for_each_link_to_the_document(self, opal: User) -> None:
        document, browser = verified(opal), browser_of(opal)
        first, second = (linked(opal, document, label=label).link for label in ("first", "second"))
        address = reverse("admin:documents_sharelink_revoke", args=[first.pk])
        assert address in browser.get(of(document)).text

        answer = browser.post(address, {"back": "document"}, follow=True)

        assert answer.redirect_chain[-1][0] == of(document)
        assert "is revoked. Whoever opens it is refused from now on." in answer.text
        assert address not in answer.text
        assert list(ShareLink.objects.exclude(revoked_at=None)) == [first]
        assert second.state_at(now()) == "active"


class TestWhose:
    def test_is_asked_everywhere(self, opal: User, ada: User, role: object) -> None:
        theirs = verified(ada)
        link = linked(ada, theirs).link
        browser = browser_of(opal)
        revoking = reverse("admin:documents_sharelink_revoke", args=[link.pk])

        assert browser.get(of(theirs)).status_code == 404
        assert browser.post(of(theirs), FILLED).status_code == 404
        assert browser.post(revoking).status_code == 404
        assert str(link) not in browser.get(reverse(LIST)).text
        assert str(link) not in browser.get(page_of(link), follow=True).text
        assert ShareLink.objects.get().revoked_at is None
        assert of(theirs) not in browser.get(reverse("admin:documents_document_change", args=[theirs.pk])).text

        told = browser_of(ada).post(revoking, follow=True)

        assert "Whoever opens it is refused from now on" in told.text
        assert ShareLink.objects.get().revoked_by == ada

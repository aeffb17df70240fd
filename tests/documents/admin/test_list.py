"""What the list of documents shows, and what finds one in it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from core.base.clock import now
from documents.admin.filters import CheckedOutFilter, OwnerFilter
from documents.models import Batch, Document
from documents.services import documents
from documents.services.bulk import verify_many
from documents.states import State
from statemachine.batches import which_of
from tests.documents.making import stored, verified
from tests.factories import settled

pytestmark = pytest.mark.django_db
LIST = "admin:documents_document_changelist"
KIND, KINDS = "kind-of-file", ("pdf", "image", "text-document", "table", "mail", "plain-text", "other", "not-known-yet")


@pytest.fixture
def browser(client: Client, opal: User) -> Client:
    """Of an operator."""
    client.force_login(opal)
    return client


def listed(browser: Client, **wanted: Any) -> list[str]:
    answer = browser.get(reverse(LIST), wanted)
    assert answer.status_code == 200
    shown = answer.context["cl"]
    assert shown.result_count == len(shown.result_list)
    return sorted(document.name for document in shown.result_list)


def tabs(browser: Client, **wanted: Any) -> dict[str, tuple[int, bool]]:
    """How many each state has, and whether it is the one that is shown."""
    counts = browser.get(reverse(LIST), wanted).context["cl"].state_counts
    return {each.label: (each.count, each.is_chosen) for each in counts}


@pytest.fixture
def archived(opal: User) -> Document:
    document = verified(opal, name="old.pdf")
    return documents.archive(document_id=document.pk, by=opal)


@pytest.mark.usefixtures("archived")
class TestArchived:
    def test_are_shown_when_they_are_asked_for(self, opal: User, browser: Client) -> None:
        verified(opal, name="new.pdf")

        assert listed(browser) == ["new.pdf"]
        assert listed(browser, state__exact=State.ARCHIVED) == ["old.pdf"]
        assert listed(browser, state__exact="all") == ["new.pdf", "old.pdf"]
        assert listed(browser, state__in="active,archived") == ["new.pdf", "old.pdf"]

    def test_are_counted_and_led_to(self, opal: User, browser: Client) -> None:
        verified(opal)

        counts = tabs(browser)

        assert next(iter(counts)) == "All but archived"
        assert (counts["All but archived"], counts["Archived"], counts["All"]) == ((1, True), (1, False), (2, False))
        assert tabs(browser, state__exact="all")["All"] == (2, True)
        assert tabs(browser, state__exact="archived")["Archived"] == (1, True)

    def test_are_not_forgotten_where_there_is_nothing_else(self, browser: Client) -> None:
        text = browser.get(reverse(LIST)).text

        assert "No document matches." in text
        assert '<a href="?state__exact=all">Show all documents</a>' in text

    def test_are_left_out_of_files_too(self, browser: Client) -> None:
        address = reverse("admin:documents_document_download", args=["csv"])

        assert b"old.pdf" not in b"".join(browser.get(address))
        assert b"old.pdf" in b"".join(browser.get(address, {"state__exact": "all"}))

    def test_are_shown_among_those_of_a_batch(self, opal: User, browser: Client) -> None:
        every = Document.objects.all()
        verify_many(every, opal, which=which_of(every))
        batch = Batch.objects.get()

        assert listed(browser, batches=batch.pk) == ["old.pdf"]
        assert tabs(browser, batches=batch.pk)["All"] == (1, True)


class TestFilters:
    @pytest.mark.parametrize(
        ("mime_type", "kind"),
        [
            ("application/pdf", "pdf"),
            ("image/tiff", "image"),
            ("application/msword", "text-document"),
            ("text/csv", "table"),
            ("message/rfc822", "mail"),
            ("text/plain", "plain-text"),
            ("application/zip", "other"),
            ("", "not-known-yet"),
        ],
    )
    def test_narrow_to_a_kind_of_file(self, opal: User, browser: Client, mime_type: str, kind: str) -> None:
        document = stored(opal, name="a")
        Document.objects.filter(pk=document.pk).update(mime_type=mime_type)

        shown = [name for name in KINDS if listed(browser, **{KIND: name})]

        assert shown == [kind]

    def test_narrow_to_what_somebody_has_to_themselves(self, opal: User, ada: User, browser: Client) -> None:
        for by, name in ((opal, "mine.pdf"), (ada, "hers.pdf"), (ada, "over.pdf")):
            document = verified(ada if by == ada else opal, name=name)
            documents.check_out(document_id=document.pk, by=by)
        Document.objects.filter(name="over.pdf").update(checked_out_until=now() - timedelta(seconds=1))
        verified(opal)
        name = CheckedOutFilter.parameter_name

        assert listed(browser, **{name: "anybody"}) == ["hers.pdf", "mine.pdf"]
        assert listed(browser, **{name: ada.pk}) == ["hers.pdf"]
        assert browser.get(reverse(LIST), {name: "x"}).status_code == 302
        filters = browser.get(reverse(LIST)).context["cl"].filter_specs
        (choices,) = (each.lookup_choices for each in filters if isinstance(each, CheckedOutFilter))
        assert {label for _value, label in choices} == {"Anybody", str(ada), str(opal)}

    def test_offer_owners_who_have_any(self, opal: User, ada: User, browser: Client) -> None:
        verified(opal)

        filters = browser.get(reverse(LIST)).context["cl"].filter_specs

        (choices,) = (each.lookup_choices for each in filters if isinstance(each, OwnerFilter))
        assert choices == [(str(opal.pk), "operator")]


class TestSearch:
    def test_finds_by_the_number_of_the_lease(self, opal: User, browser: Client) -> None:
        lease = settled(opal, lease_number="NMNM 0501759")
        verified(opal, name="of the lease.pdf", lease_id=lease.pk)
        verified(opal, name="NMNM 0501759 plat.pdf")
        verified(opal, name="another.pdf", lease_id=settled(opal, lease_number="NMLC 7").pk)

        assert listed(browser, q="nmnm 0501759") == ["NMNM 0501759 plat.pdf", "of the lease.pdf"]
        assert listed(browser, q="0501759") == ["NMNM 0501759 plat.pdf", "of the lease.pdf"]
        assert listed(browser, q="nmnm0501759") == ["of the lease.pdf"]
        assert listed(browser, q="another") == ["another.pdf"]

    def test_keeps_to_the_filters(self, opal: User, browser: Client) -> None:
        lease = settled(opal, lease_number="NMNM 0501759")
        document = verified(opal, lease_id=lease.pk)
        documents.archive(document_id=document.pk, by=opal)

        assert listed(browser, q="0501759") == []
        assert len(listed(browser, q="0501759", state__exact="archived")) == 1

    def test_tells_nothing_of_leases_to_who_may_see_none(self, opal: User, browser: Client) -> None:
        verified(opal, lease_id=settled(opal, lease_number="NMNM 0501759").pk)
        opal.groups.clear()
        opal.user_permissions.set(Permission.objects.filter(codename="view_document"))

        assert listed(browser, q="0501759") == []

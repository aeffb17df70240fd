"""What was sent before a login, in words for people; a record that the person may not see is not named."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import resolve, reverse

from console.records.sent import ASKED_AGAIN, AT_ONCE, Sent, named, told
from leases.batches import import_leases
from leases.imports import keep_upload
from leases.models import Batch, Lease
from tests.factories import settled

pytestmark = pytest.mark.django_db

LIST = "/admin/leases/lease/"


def said(user: User, address: str, form: dict[str, Any] | None = None) -> Sent:
    request = RequestFactory().get(address)
    request.user, request.resolver_match = user, resolve(address.partition("?")[0])
    given = QueryDict(mutable=True)
    for name, values in (form or {}).items():
        given.setlist(name, values if isinstance(values, list) else [values])
    return told(request, given, admin.site._registry)


def of(name: str, *args: object) -> str:
    return reverse(name if name.startswith("dropbox") else f"admin:{name}", args=args)


@pytest.fixture
def lease(olivia: User) -> Lease:
    return settled(olivia, lease_number="NMNM 1")


class TestButton:
    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("discover", "Run full discovery"),
            ("search", "Search directory"),
            ("detect", "Detect previous report"),
            ("stop", "Stop"),
            ("nothing", ""),
        ],
    )
    def test_of_a_lease_is_called_as_its_page_calls_it(self, olivia: User, lease: Lease, name: str, what: str) -> None:
        found = said(olivia, of("leases_lease_action", lease.pk, name))

        assert found == Sent(what=what, facts=(("Lease", "BLM NMNM 1"),))

    def test_of_a_lease_names_none_that_is_gone_or_out_of_sight(self, olivia: User, lease: Lease) -> None:
        stranger = User.objects.create_user("stranger", is_staff=True)

        assert said(olivia, of("leases_lease_action", 0, "stop")).facts == ()
        assert said(stranger, of("leases_lease_action", lease.pk, "stop")).facts == ()

    def test_of_a_batch_says_which_and_how_many(self, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "A1")], user=olivia, title="a.csv")

        stop = said(olivia, of("leases_batch_stop", batch.pk), {"expected": "1"})
        failed = said(olivia, of("leases_batch_again", batch.pk), {"expected": "1", "state": "failed"})
        not_run = said(olivia, of("leases_batch_again", batch.pk), {"state": "pending"})

        assert stop == Sent(what="Stop", facts=(("Batch", str(Batch.objects.get())), ("Leases", "1")))
        assert failed.what == "Run what has failed again"
        assert not_run == Sent(what="Run what was not run", facts=stop.facts[:1])

    @pytest.mark.parametrize(
        ("name", "form", "what"),
        [
            ("dropbox_connect", {}, "Connect Dropbox"),
            ("dropbox_check", {}, "Check which folders your Dropbox sees"),
            ("dropbox_disconnect", {}, "Disconnect Dropbox"),
            ("dropbox_replace", {"decision": "replace"}, "Use another Dropbox account from now on"),
            ("dropbox_replace", {}, "Keep the Dropbox account that was connected"),
            ("leases_batch_import", {}, "Show a preview of an import"),
            ("console_failurenotice_read", {}, "Mark all as read"),
        ],
    )
    def test_of_other_pages_is_named(self, olivia: User, name: str, form: dict[str, str], what: str) -> None:
        assert said(olivia, of(name), form) == Sent(what=what)

    def test_to_search_says_for_what(self, olivia: User) -> None:
        found = said(olivia, of("leases_lease_search"), {"q": "1, " * 400})

        assert found.what == "Search leases"
        assert found.facts[0][1].endswith("…")


class TestList:
    def test_names_what_was_chosen(self, olivia: User, lease: Lease) -> None:
        found = said(olivia, LIST, {"action": "run_chosen", "_selected_action": [str(lease.pk), "x"]})

        assert found.what == "Run full discovery"
        assert found.facts == (("Leases", "BLM NMNM 1"), ("It is done", ASKED_AGAIN))

    def test_says_when_it_is_done_at_once(self, olivia: User) -> None:
        found = said(olivia, LIST, {"action": "delete_selected", "select_across": "1", "confirmed": "1:1"})

        assert found.facts == (("Leases", "All of the list, as you had narrowed it"), ("It is done", AT_ONCE))

    def test_says_when_nothing_of_it_is_left(self, olivia: User) -> None:
        found = said(olivia, LIST, {"action": "run_chosen", "_selected_action": "0"})

        assert found.facts[0] == ("Leases", "None that is still there")

    def test_counts_for_who_may_not_see_them(self, lease: Lease) -> None:
        blind = User.objects.create_user("blind", is_staff=True)
        shown = admin.site._registry[Lease]
        request = RequestFactory().get(LIST)
        request.user, request.resolver_match = blind, resolve(LIST)
        form = QueryDict(f"action=it&_selected_action={lease.pk}")

        class Blind(type(shown)):  # type: ignore[misc]  # whatever the list is
            def get_action_choices(self, *_: object, **__: object) -> list[tuple[str, str]]:
                return [("it", "Do it")]

        found = told(request, form, {Lease: Blind(Lease, admin.site)})

        assert found == Sent(what="Do it", facts=(("Leases", "1"), ("It is done", ASKED_AGAIN)))

    def test_knows_no_action_that_it_does_not_have(self, olivia: User) -> None:
        assert said(olivia, LIST, {"action": "explode"}) == Sent()


class TestDeleting:
    def test_names_the_record(self, olivia: User, lease: Lease) -> None:
        assert said(olivia, of("leases_lease_delete", lease.pk)) == Sent(
            what="Delete", facts=(("Lease", "BLM NMNM 1"),)
        )

    @pytest.mark.parametrize("key", ["0", "x"])
    def test_names_none_that_is_not_there(self, olivia: User, key: str) -> None:
        assert said(olivia, of("leases_lease_delete", key)) == Sent(what="Delete")


class TestImport:
    def test_names_the_file_and_the_number(self, olivia: User) -> None:
        upload = keep_upload(name="a.csv", content=b"BLM,A1", user=olivia)
        address = of("leases_batch_preview", upload.pk)

        assert said(olivia, address, {"expected": "30", "number": "1"}).facts == (("File", "a.csv"), ("Leases", "30"))
        assert said(olivia, address, {"expected": "30", "only_sure": "28"}).facts[1:] == (
            ("Leases", "28"),
            ("The doubtful", "Are left out"),
        )
        assert said(olivia, address).facts[1:] == (("Leases", "As many as can be imported"),)

    def test_names_no_file_of_somebody_else(self, olivia: User) -> None:
        upload = keep_upload(name="a.csv", content=b"BLM,A1", user=olivia)
        ivan = User.objects.create_superuser("ivan")

        assert said(ivan, of("leases_batch_read", upload.pk), {"separator": ";", "sheet": "Two"}) == Sent(
            what="Read a file otherwise", facts=(("Between the cells stands", "Semicolon ;"), ("Sheet", "Two"))
        )

    def test_says_what_the_words_were_to_mean(self, olivia: User) -> None:
        form = {"word": ["Federal", "x"], "meaning": ["BLM", ""]}

        assert said(olivia, of("leases_batch_words", 1), form).facts == (
            ("Words", "“Federal” means BLM; “x” means no agency"),
        )


class TestNamed:
    def test_are_the_first_and_how_many_more(self) -> None:
        assert named([1, 2], 2) == "1, 2"
        assert named(list(range(20)), 1_020).endswith("8, 9 and 1,010 more")

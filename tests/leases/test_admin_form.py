"""Making and changing a lease in the console."""

from time import monotonic
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from leases import services
from leases.errors import DuplicateLease
from leases.lookalikes import doubts_about_number
from leases.models import Lease
from statemachine.models import TransitionLog
from tests.factories import settled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

ADD = "/admin/leases/lease/add/"


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def change_url(lease: Lease) -> str:
    return reverse("admin:leases_lease_change", args=[lease.pk])


def everything_of(lease: Lease) -> Any:
    return Lease.objects.filter(pk=lease.pk).values().get()


class TestAddForm:
    def test_asks_for_agency_and_number_only(self, console: Client) -> None:
        form = console.get(ADD).context["adminform"].form

        assert list(form.fields) == ["agency", "lease_number"]

    def test_proposes_nothing_where_nobody_only_tries_it(self, console: Client) -> None:
        assert "demonstration" not in console.get(ADD).text

    def test_proposes_what_is_there_to_be_found_until_it_is_taken(
        self, console: Client, olivia: User, settings: Settings
    ) -> None:
        settings.LEASES_TO_TRY = [f"BLM NMNM {number}" for number in range(1, 6)]
        services.create_lease(agency="BLM", lease_number="NMNM 2", created_by=olivia)

        assert "are there to be found for NMNM 1 of BLM, NMNM 3 of BLM, NMNM 4 of BLM.</p>" in console.get(ADD).text

    def test_makes_a_lease_that_starts_by_itself(
        self, console: Client, olivia: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer = console.post(ADD, {"agency": "BLM", "lease_number": " NMNM 1 "})

        lease = Lease.objects.get()
        assert answer.status_code == 302
        assert (lease.agency, lease.lease_number, lease.state) == ("BLM", "NMNM 1", "searching")
        assert (lease.created_by, lease.initiated_by) == (olivia, olivia)
        assert lease.rung_at is not None

    def test_takes_a_number_that_was_pasted_with_a_no_break_blank(self, console: Client) -> None:
        console.post(ADD, {"agency": "BLM", "lease_number": "NMNM\u00a01"})

        assert Lease.objects.get().lease_number == "NMNM 1"

    def test_leads_to_the_lease_it_made(self, console: Client) -> None:
        answer = console.post(ADD, {"agency": "BLM", "lease_number": "NMNM 1"}, follow=True)

        assert answer.redirect_chain == [(change_url(Lease.objects.get()), 302)]

    def test_keeps_the_list_one_came_from(self, console: Client) -> None:
        values = {"agency": "BLM", "lease_number": "NMNM 1"}
        kept = "_changelist_filters=state__exact%3Ddone"

        answer = console.post(f"{ADD}?{kept}", values)

        assert answer["Location"] == f"{change_url(Lease.objects.get())}?{kept}"

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            ("", "Enter a lease number, for example NMNM 0501759."),
            ("7" * 300, "A lease number has at most 100 characters; this one has 300."),
            ("NMNM/1", "A lease number must not contain “/”."),
            ("NMNM\\1", "A lease number must not contain “\\”."),
            ("..", "A lease number must not contain “..”."),
            ("NM\x07NM", "A lease number must not contain control characters or invisible characters; type it again by hand."),
            (".", "A lease number must not be a single dot."),
        ],
    )  # fmt: skip
    def test_says_in_one_sentence_what_is_wrong_with_a_number(
        self, console: Client, number: str, sentence: str
    ) -> None:
        answer = console.post(ADD, {"agency": "BLM", "lease_number": number})

        assert answer.context["adminform"].form.errors == {"lease_number": [sentence]}
        assert not Lease.objects.exists()

    def test_leads_to_the_lease_that_differs_only_in_case(self, console: Client, olivia: User) -> None:
        existing = settled(olivia, lease_number="NMNM 1a")

        answer = console.post(ADD, {"agency": "BLM", "lease_number": "nmnm 1A"})

        errors = answer.context["adminform"].form.errors
        assert list(errors) == ["lease_number"]
        assert len(errors["lease_number"]) == 1
        assert f'<a href="{change_url(existing)}">NMNM 1a</a>' in answer.text
        assert Lease.objects.count() == 1

    @pytest.mark.parametrize(
        "number", ["NMNM  1A", "nmnm-1a", "NMNM1A", "NMNM 0001A", "NMN\N{CYRILLIC CAPITAL LETTER EM} 1A"]
    )
    def test_warns_of_a_lease_that_differs_in_next_to_nothing(self, console: Client, olivia: User, number: str) -> None:
        existing = settled(olivia, lease_number="NMNM 1A")

        answer = console.post(ADD, {"agency": "BLM", "lease_number": number}, follow=True)

        link = f'<a class="exact" href="{change_url(existing)}">NMNM 1A</a>'
        assert f"This agency also has the lease {link}, whose number differs in nothing but" in answer.text
        assert Lease.objects.filter(lease_number=number).exists()

    def test_says_how_many_more_such_leases_there_are(self, console: Client, olivia: User) -> None:
        for number in ("NMNM 1A", "NMNM-1A", "NMNM 01A"):
            settled(olivia, lease_number=number)

        answer = console.post(ADD, {"agency": "BLM", "lease_number": "NMNM1A"}, follow=True)

        assert (
            "blanks or dashes, and 2 others like it. If they are the same lease, delete or correct all but"
            in answer.text
        )

    def test_warns_of_what_only_looks_like_a_number(self, console: Client) -> None:
        answer = console.post(ADD, {"agency": "BLM", "lease_number": "B0\N{EN DASH}1"}, follow=True)

        assert (
            "See whether this is the number that is meant: “\N{EN DASH}” (en dash) only looks like “-”" in answer.text
        )

    @pytest.mark.parametrize("number", ["9.4E+06", "NMNM 0O28446A", "NMNM \u00d81", "NMNM 1;", "NMNM 1.", "Pending"])
    def test_warns_of_what_an_import_doubts_once(self, console: Client, number: str) -> None:
        (doubt,) = doubts_about_number(number)

        answer = console.post(ADD, {"agency": "BLM", "lease_number": number}, follow=True)

        assert answer.text.count(escape(doubt)) == 1

    def test_warns_who_goes_on_with_another_lease(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="NMNM 01")
        typed = {"agency": "BLM", "lease_number": "NMNM 1.", "_addanother": "1"}

        answer = console.post(ADD, typed, follow=True)

        assert answer.request["PATH_INFO"] == ADD
        assert "See whether this is the number that is meant: “.” (full stop)" in answer.text

        answer = console.post(ADD, typed | {"lease_number": "NMNM 1"}, follow=True)

        assert "This agency also has the lease" in answer.text

    def test_folds_what_nobody_sees(self, console: Client) -> None:
        console.post(ADD, {"agency": "BLM", "lease_number": "NM\u200bNM\u00a0\uff11\u00ad"})

        assert Lease.objects.get().lease_number == "NMNM 1"

    def test_does_not_warn_of_other_leases(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="NMNM 12")
        settled(olivia, lease_number="NMNM-1", agency="NMSLO")

        answer = console.post(ADD, {"agency": "BLM", "lease_number": "NMNM 1"}, follow=True)

        assert "This agency also has" not in answer.text

    def test_escapes_the_number_it_leads_to(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="<script>alert(1)<")

        answer = console.post(ADD, {"agency": "BLM", "lease_number": "<SCRIPT>alert(1)<"})

        assert "&lt;script&gt;alert(1)&lt;</a>" in answer.text
        assert "<script>alert(1)" not in answer.text

    def test_allows_the_same_number_at_another_agency(self, console: Client, olivia: User) -> None:
        settled(olivia)

        console.post(ADD, {"agency": "NMSLO", "lease_number": "NMNM 1"})

        assert Lease.objects.count() == 2

    def test_refuses_an_agency_that_does_not_exist(self, console: Client) -> None:
        answer = console.post(ADD, {"agency": "NASA", "lease_number": "NMNM 1"})

        assert list(answer.context["adminform"].form.errors) == ["agency"]

    def test_lets_nobody_type_what_the_engine_finds_out(self, console: Client, viewer: User) -> None:
        console.post(
            ADD,
            {
                "agency": "BLM", "lease_number": "NMNM 1", "state": "done", "tries": "4", "generation": "99",
                "runsheet_report_found": "on", "created_by": str(viewer.pk), "initiated_by": str(viewer.pk),
            },
        )  # fmt: skip

        lease = Lease.objects.get()
        assert (lease.state, lease.tries, lease.generation) == ("searching", 0, 1)
        assert not lease.runsheet_report_found
        assert lease.created_by != viewer
        assert lease.initiated_by != viewer

    def test_tells_when_somebody_else_was_faster(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def too_late(**_: object) -> Lease:
            raise DuplicateLease

        monkeypatch.setattr(services, "create_lease", too_late)

        answer = console.post(ADD, {"agency": "BLM", "lease_number": "NMNM 1"}, follow=True)

        assert DuplicateLease.sentence() in answer.text

    def test_is_for_who_may_add(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)

        answer = client.post(ADD, {"agency": "BLM", "lease_number": "NMNM 1"})

        assert answer.status_code == 403
        assert not Lease.objects.exists()

    def test_does_not_wait_for_redis(
        self,
        console: Client,
        settings: Settings,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        before = monotonic()

        with django_capture_on_commit_callbacks(execute=True):
            console.post(ADD, {"agency": "BLM", "lease_number": "NMNM 1"})

        lease = Lease.objects.get()
        assert monotonic() - before < 1
        assert (lease.state, lease.rung_at) == ("searching", None)
        assert console.get(change_url(lease)).status_code == 200
        assert console.get("/admin/leases/lease/").status_code == 200


class TestChangeForm:
    def test_searches_again_when_the_number_changes(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="done", runsheet_report_found=True, matching_files=["a.pdf"])

        console.post(change_url(lease), {"agency": "BLM", "lease_number": "NMNM 2"})

        changed = Lease.objects.get()
        assert (changed.lease_number, changed.state, changed.initiated_by) == ("NMNM 2", "searching", olivia)
        assert (changed.runsheet_report_found, changed.matching_files) == (False, [])
        assert TransitionLog.objects.of(changed).get().reason == "changed from BLM NMNM 1"

    def test_stops_a_run_under_way_and_searches_the_new_number(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        console.post(change_url(lease), {"agency": "NMSLO", "lease_number": "NMNM 1"})

        transitions = list(TransitionLog.objects.of(lease).values_list("transition", flat=True))
        assert transitions == ["start_search", "cancel", "start_search"]
        assert Lease.objects.get().agency == "NMSLO"

    @pytest.mark.parametrize("transition", ["fail", "start_search", "record_not_found", "cancel"])
    def test_does_nothing_when_nothing_differs(self, console: Client, olivia: User, transition: str) -> None:
        lease = settled(olivia, state="done")
        before = everything_of(lease)

        console.post(
            change_url(lease),
            {"agency": "BLM", "lease_number": "NMNM 1", "state": "failed", "_fsm_transition_to": transition},
        )

        assert everything_of(lease) == before
        assert not TransitionLog.objects.exists()

    def test_changes_nothing_when_the_number_is_bad(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="done")
        before = everything_of(lease)

        answer = console.post(change_url(lease), {"agency": "BLM", "lease_number": "a/b"})

        assert answer.context["adminform"].form.errors == {"lease_number": ["A lease number must not contain “/”."]}
        assert everything_of(lease) == before

    def test_is_open_and_in_sight_when_something_is_wrong(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="done")

        text = console.post(change_url(lease), {"agency": "BLM", "lease_number": "a/b"}).text

        assert '<details class="card record-correct no-print" id="record-correct" open>' in text
        assert text.index('id="record-correct"') < text.index('id="record-live"')

    def test_leads_to_nothing_but_the_lease(self, console: Client, olivia: User) -> None:
        text = console.get(change_url(settled(olivia))).text

        assert "_addanother" not in text
        assert "/history/" not in text

    def test_warns_of_a_lease_that_differs_in_next_to_nothing(self, console: Client, olivia: User) -> None:
        lease, other = settled(olivia, lease_number="NMNM 1"), settled(olivia, lease_number="NMNM 2-A")

        answer = console.post(change_url(lease), {"agency": "BLM", "lease_number": "NMNM 2A"}, follow=True)

        assert f'also has the lease <a class="exact" href="{change_url(other)}">NMNM 2-A</a>' in answer.text

    def test_changes_the_case_of_its_own_number(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="done")

        console.post(change_url(lease), {"agency": "BLM", "lease_number": "nmnm 1"})

        assert Lease.objects.get().lease_number == "nmnm 1"

    def test_is_read_only_for_who_may_only_look(self, client: Client, viewer: User) -> None:
        lease = settled(viewer, state="done")
        client.force_login(viewer)

        page = client.get(change_url(lease))
        answer = client.post(change_url(lease), {"agency": "BLM", "lease_number": "NMNM 2"})

        assert page.status_code == 200
        assert 'name="lease_number"' not in page.text
        assert answer.status_code == 403
        assert Lease.objects.get().lease_number == "NMNM 1"

    def test_needs_the_right_to_run_discovery_too(self, client: Client, viewer: User) -> None:
        """What is known is forgotten, and a run is started."""
        viewer.user_permissions.add(Permission.objects.get(codename="change_lease"))
        lease = settled(viewer, state="done")
        client.force_login(viewer)

        answer = client.post(change_url(lease), {"agency": "BLM", "lease_number": "NMNM 2"}, follow=True)

        assert "You do not have the permission to start and stop discovery" in answer.text
        assert (Lease.objects.get().lease_number, Lease.objects.get().state) == ("NMNM 1", "done")


class TestDelete:
    def test_is_for_who_may_delete(self, client: Client, viewer: User) -> None:
        lease = settled(viewer)
        client.force_login(viewer)
        url = reverse("admin:leases_lease_delete", args=[lease.pk])

        refused = client.post(url, {"post": "yes"}).status_code
        viewer.user_permissions.add(Permission.objects.get(codename="delete_lease"))
        client.post(url, {"post": "yes"})

        assert refused == 403
        assert not Lease.objects.exists()

    def test_keeps_the_log(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        console.post(reverse("admin:leases_lease_delete", args=[lease.pk]), {"post": "yes"})

        assert not Lease.objects.exists()
        assert TransitionLog.objects.filter(record_id=lease.pk).count() == 1

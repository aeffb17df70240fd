"""The list of leases: what it shows, how it is narrowed, how it follows the work, what it costs."""

from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.machine import lists
from leases.models import Lease
from leases.states import State
from statemachine.models import ActorKind
from statemachine.transitions import RECONCILER, Actor
from tests.factories import location, settled
from tests.leases.test_admin_page import take

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
WORKER = Actor(kind=ActorKind.WORKER, job_id="job")
LATER = "2100-01-01T00:00Z"


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def _same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One version of the counts for the whole test."""
    monkeypatch.setattr(lists, "COUNTS_LAST_S", 10**12)


def listed(client: Client, **wanted: Any) -> list[str]:
    """The numbers of the leases that the list shows."""
    answer = client.get(LIST, wanted)
    assert answer.status_code == 200
    return [lease.lease_number for lease in answer.context["cl"].result_list]


def counted(client: Client, **wanted: Any) -> dict[str, int]:
    """What stands over the list, but for the states that no lease is in."""
    counts = client.get(LIST, wanted).context["cl"].state_counts
    return {each.label: each.count for each in counts if each.count}


class TestRows:
    def test_tell_what_is_known(self, console: Client, olivia: User) -> None:
        where = location()
        settled(olivia, state="done", runsheet_directory=where, runsheet_report_found=True)

        text = console.get(LIST).text

        assert 'class="state state-done"' in text
        assert f'href="/archives/{where.pk}/" target="_blank" rel="noopener noreferrer"' in text
        assert "olivia" in text
        assert 'class="field-report">Found</td>' in text

    @pytest.mark.parametrize(("state", "said"), [("found", "Not known"), ("done", "None")])
    def test_never_say_no_before_the_directory_was_read(
        self, console: Client, olivia: User, state: str, said: str
    ) -> None:
        settled(olivia, state=state)

        assert f'class="field-report">{said}</td>' in console.get(LIST).text

    def test_tell_why_there_is_no_link(self, console: Client, olivia: User) -> None:
        settled(olivia, state="found", runsheet_directory=location(share_refusal="Your team forbids share links."))

        assert "Your team forbids share links." in console.get(LIST).text

    def test_tell_how_often_the_last_work_was_begun(self, console: Client, olivia: User) -> None:
        lease = settled(olivia)
        take(lease, "start_search", actor=RECONCILER)
        Lease.objects.filter(pk=lease.pk).update(tries=3)
        take(lease, "fail", actor=WORKER, arguments={"code": "bug", "message": "Broken."})

        assert 'class="field-tries_taken">3</td>' in console.get(LIST).text

    def test_tell_the_try_that_is_under_way(self, console: Client, olivia: User) -> None:
        settled(olivia, state="searching", due_at=LATER, tries=2)

        assert 'class="field-tries_taken">2</td>' in console.get(LIST).text

    def test_tell_of_no_try_where_there_was_none(self, console: Client, olivia: User) -> None:
        settled(olivia)

        assert 'class="field-tries_taken">\N{EN DASH}</td>' in console.get(LIST).text


class TestFilters:
    @pytest.mark.parametrize(
        "wanted",
        [
            {"state__exact": "failed"},
            {"agency__exact": "NMSLO"},
            {"failure_code": "configuration_missing"},
            {"runsheet_report_found__exact": "1"},
            {"created_at__gte": "2026-01-01 00:00:00+00:00", "created_at__lt": "2026-01-02 00:00:00+00:00"},
            {"entered_at__gte": "2026-01-03 00:00:00+00:00", "entered_at__lt": "2026-01-04 00:00:00+00:00"},
            {"q": "W AN ted"},
        ],
    )
    def test_narrow_the_list(self, console: Client, olivia: User, wanted: dict[str, str]) -> None:
        settled(olivia, lease_number="other", state="done")
        lease = settled(
            olivia,
            lease_number="wanted",
            agency="NMSLO",
            state="failed",
            failure_code="configuration_missing",
            runsheet_report_found=True,
        )
        Lease.objects.filter(pk=lease.pk).update(created_at="2026-01-01T12:00Z", entered_at="2026-01-03T12:00Z")

        assert listed(console, **wanted) == ["wanted"]
        assert console.get(LIST, wanted).context["cl"].result_count == 1

    def test_by_person_narrow_it_to_whose_runs_they_were(self, console: Client, olivia: User, viewer: User) -> None:
        settled(olivia, lease_number="1", initiated_by=olivia)
        settled(olivia, lease_number="2", initiated_by=viewer)

        assert listed(console, initiated_by__id__exact=viewer.pk) == ["2"]

    def test_offer_the_codes_that_there_are(self, console: Client, olivia: User) -> None:
        settled(olivia, state="failed", failure_code="took_too_long")

        text = console.get(LIST).text

        assert '<a href="?failure_code=took_too_long">took too long</a>' in text
        assert "Dropbox not connected" not in text

    def test_that_are_in_use_are_told(self, console: Client, olivia: User) -> None:
        wanted = {"agency__exact": "BLM", "failure_code": "connect_dropbox", "state__exact": "failed"}
        chosen = console.get(LIST, wanted).context["cl"].chosen

        assert [(each.title, each.choice) for each in chosen] == [
            ("agency", "BLM (Bureau of Land Management)"),
            ("failure", "Dropbox not connected"),
        ]
        assert [parse_qs(each.url.lstrip("?")) for each in chosen] == [
            {"failure_code": ["connect_dropbox"], "state__exact": ["failed"]},
            {"agency__exact": ["BLM"], "state__exact": ["failed"]},
        ]

    def test_by_a_code_that_is_gone_show_no_lease(self, console: Client, olivia: User) -> None:
        """Not all of them, which somebody would then run again."""
        settled(olivia)

        assert listed(console, failure_code="connect_dropbox") == []
        text = console.get(LIST, {"failure_code": "connect_dropbox"}).text
        assert "No lease matches." in text
        assert '<p><a href="?">Show all leases</a></p>' in text

    @pytest.mark.parametrize("wanted", [{"initiated_by__id__exact": "x"}, {"nothing": "1"}])
    def test_that_make_no_sense_lead_to_the_whole_list(self, console: Client, wanted: dict[str, str]) -> None:
        answer = console.get(LIST, wanted)

        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


class TestCounts:
    def test_are_links_to_the_state_within_what_is_wanted(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="1", state="done")
        settled(olivia, lease_number="2", state="done")
        settled(olivia, lease_number="3", state="found")
        settled(olivia, lease_number="4", state="done", agency="NMSLO")

        assert counted(console) == {"All": 4, "Done": 3, "Directory found": 1}
        assert counted(console, agency__exact="BLM") == {"All": 3, "Done": 2, "Directory found": 1}
        assert '<a href="?agency__exact=BLM&amp;state__exact=done">' in console.get(LIST, {"agency__exact": "BLM"}).text

    def test_tell_of_the_other_states_too_while_one_is_shown(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="1", state="done")
        settled(olivia, lease_number="2", state="found")

        assert listed(console, state__exact="found") == ["2"]
        assert counted(console, state__exact="found") == {"All": 2, "Done": 1, "Directory found": 1}

    def test_lead_to_every_state(self, console: Client, olivia: User) -> None:
        settled(olivia)

        counts = console.get(LIST).context["cl"].state_counts

        assert [each.state for each in counts] == ["", *State]


class TestPages:
    """Of ten leases each, that not every row of five full pages has to be drawn."""

    @pytest.fixture(autouse=True)
    def _leases(self, olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(site._registry[Lease], "list_per_page", 10)
        Lease.objects.bulk_create(
            Lease(
                agency="BLM",
                lease_number=f"{number:03}",
                due_at=None,
                created_by=olivia,
                state="done" if number % 2 else "found",
            )
            for number in range(46)
        )

    @pytest.mark.parametrize("order", [{}, {"o": "1"}, {"o": "-1"}, {"o": "3.-1"}, {"state__exact": "done"}])
    def test_together_show_every_lease_once_and_in_order(self, console: Client, order: dict[str, str]) -> None:
        first = console.get(LIST, order).context["cl"]
        wanted = list(first.queryset.values_list("lease_number", flat=True))

        found = [number for page in first.paginator.page_range for number in listed(console, p=page, **order)]

        assert found == wanted

    @pytest.mark.parametrize(("page", "expected"), [("0", "045"), ("x", "045"), ("5", "005"), ("99", "005")])
    def test_beyond_the_last_are_the_last(self, console: Client, page: str, expected: str) -> None:
        assert listed(console, p=page)[0] == expected


class TestSearch:
    def test_names_the_numbers_that_no_lease_has(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="NMNM 1")

        text = console.get(LIST, {"q": "nmnm1; NMNM 2, nmnm 3"}).text

        assert "No lease has these numbers: NMNM 2, nmnm 3" in text

    def test_that_finds_nothing_says_how_to_go_on(self, console: Client, olivia: User) -> None:
        settled(olivia)

        assert "Try a shorter part of the number" in console.get(LIST, {"q": "nowhere"}).text

    def test_is_not_what_an_empty_list_asks_for(self, console: Client) -> None:
        text = console.get(LIST).text

        assert "There is no lease yet." in text
        assert 'href="/admin/leases/lease/add/"' in text


def followed(answer: Any) -> str:
    """Where the list would look for what has changed; empty if it would not."""
    found = answer.text.partition('data-poll="')[2].partition('"')[0]
    return str(found).replace("&amp;", "&")


class TestFollowing:
    def test_ends_when_nothing_shown_is_owed(self, console: Client, olivia: User) -> None:
        settled(olivia, state="done")

        assert followed(console.get(LIST)) == ""

    @pytest.mark.usefixtures("_same_counts")
    def test_costs_two_queries_as_long_as_nothing_has_changed(self, console: Client, olivia: User) -> None:
        settled(olivia, state="searching", due_at=LATER)
        url = followed(console.get(LIST))

        with CaptureQueriesContext(connection) as asked:
            answer = console.get(url)

        assert answer.status_code == 204
        assert len(asked) == 2

    @pytest.mark.usefixtures("_same_counts")
    def test_shows_the_same_rows_as_they_are_now(self, console: Client, olivia: User) -> None:
        moving = settled(olivia, lease_number="moving", state="searching", due_at=LATER)
        settled(olivia, lease_number="other", state="done")
        url = followed(console.get(LIST, {"agency__exact": "BLM"}))
        settled(olivia, lease_number="new")
        take(moving, "record_not_found", actor=WORKER)

        answer = console.get(url)

        assert answer.status_code == 200
        assert [lease.lease_number for lease in answer.context["cl"].result_list] == ["other", "moving"]
        assert answer.text.count("<tr id=") == 2
        assert "state-not_found" in answer.text
        assert "shown=" not in answer.text
        assert followed(answer) == ""

    @pytest.mark.usefixtures("_same_counts")
    def test_goes_on_while_something_is_owed(self, console: Client, olivia: User) -> None:
        moving = settled(olivia, lease_number="1", state="searching", due_at=LATER)
        settled(olivia, lease_number="2", state="searching", due_at=LATER)
        url = followed(console.get(LIST))
        take(moving, "record_not_found", actor=WORKER)

        url = followed(console.get(url))

        assert console.get(url).status_code == 204

    def test_renews_the_counts_though_no_row_has_changed(
        self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(olivia, state="searching", due_at=LATER)
        other = settled(olivia, state="searching", agency="NMSLO", due_at=LATER)
        url = followed(console.get(LIST, {"agency__exact": "BLM"}))
        take(other, "record_not_found", actor=WORKER)
        assert console.get(url).status_code == 204
        monkeypatch.setattr(lists, "COUNTS_LAST_S", -1)

        with CaptureQueriesContext(connection) as asked:
            answer = console.get(url)

        assert answer.status_code == 200
        assert not any("auth_user" in query["sql"] and 'username" ASC' in query["sql"] for query in asked)

    def test_leaves_out_what_was_deleted(self, console: Client, olivia: User) -> None:
        gone = settled(olivia, lease_number="1", state="searching", due_at=LATER)
        settled(olivia, lease_number="2", state="searching", due_at=LATER)
        url = followed(console.get(LIST))
        gone.delete()

        answer = console.get(url)

        assert answer.text.count("<tr id=") == 1

    def test_is_refused_to_who_may_not_look(self, client: Client, console: Client, olivia: User) -> None:
        settled(olivia, state="searching", due_at=LATER)
        url = followed(console.get(LIST))
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert client.get(url).status_code == 403

    def test_leads_whoever_is_logged_out_to_the_login(self, console: Client, olivia: User) -> None:
        settled(olivia, state="searching", due_at=LATER)
        url = followed(console.get(LIST))
        console.logout()

        assert console.get(url).status_code == 302

    def test_of_a_list_that_makes_no_sense_leads_to_the_whole_list(self, console: Client) -> None:
        answer = console.get(f"{LIST}rows/", {"shown": ["x", "-1", "\u0665"], "nothing": "1"})

        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


class TestCosts:
    def test_are_the_same_for_many_as_for_few(self, console: Client, olivia: User, viewer: User) -> None:
        settled(olivia, lease_number="0", runsheet_directory=location())
        console.get(LIST)
        with CaptureQueriesContext(connection) as few:
            console.get(LIST)
        for number in range(1, 120):
            where = location(path=f"/a/{number}")
            settled(olivia if number % 2 else viewer, lease_number=str(number), runsheet_directory=where)

        with CaptureQueriesContext(connection) as many:
            console.get(LIST, {"p": "2", "o": "1"})

        assert len(many) == len(few) <= 15

    def test_is_for_who_may_look(self, client: Client) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert client.get(LIST).status_code == 403

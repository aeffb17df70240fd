"""What the page of a lease shows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from console.machine import progress
from console.machine.progress import progress_of
from leases import services
from leases.models import Lease
from leases.states import WORKING
from statemachine import claims
from statemachine.doorbell import Message
from statemachine.jobs import run
from statemachine.line import how_many_before
from statemachine.transitions import Actor, Step, advance, locked
from tests.factories import location, settled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

NOON = datetime(2026, 1, 1, 19, 0, tzinfo=UTC)  # 12:00 in Denver


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def page_of(client: Client, lease: Lease) -> Any:
    return client.get(reverse("admin:leases_lease_change", args=[lease.pk]))


def take(lease: Lease, transition: str, *, actor: Actor, **step: Any) -> Lease:
    with locked(Lease, lease.pk) as record:
        advance(record, Step(transition=transition, **step), actor)
    return record


class TestResult:
    def test_leads_to_the_location_and_to_dropbox(self, console: Client, olivia: User) -> None:
        where = location()
        lease = settled(
            olivia, state="done", runsheet_directory=where, runsheet_report_found=True, matching_files=["a <b>.pdf"]
        )

        text = page_of(console, lease).text

        assert f'<a class="exact" href="/admin/cloud/cloudlocation/{where.pk}/change/">/a/NMNM 1</a>' in text
        assert f'href="/archives/{where.pk}/" target="_blank" rel="noopener noreferrer"' in text
        assert "<li>a &lt;b&gt;.pdf</li>" in text

    def test_is_told_without_links_to_what_one_may_not_open(self, client: Client, viewer: User) -> None:
        lease = settled(viewer, state="found", runsheet_directory=location())
        client.force_login(viewer)

        text = page_of(client, lease).text

        assert "/a/NMNM 1" in text
        assert "/admin/cloud/cloudlocation/" not in text

    def test_tells_why_there_is_no_share_link(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="found", runsheet_directory=location(share_refusal="Forbidden by your team."))

        assert "Forbidden by your team." in page_of(console, lease).text

    def test_offers_no_link_that_is_not_a_web_address(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="found", runsheet_directory=location(share_url="javascript:alert(1)"))

        text = page_of(console, lease).text

        assert "javascript:alert" not in text
        assert "is not a web address" in text

    @pytest.mark.parametrize(
        ("state", "found", "words"),
        [
            ("done", True, "Found"),
            ("done", False, "None in the directory"),
            ("found", False, "Not known"),
            ("not_found", False, "Not looked for, since there is no directory"),
            ("searching", True, "Found when last looked for"),
            ("detecting", False, "Being looked for"),
        ],
    )
    def test_never_guesses_about_the_report(
        self, console: Client, olivia: User, state: str, found: bool, words: str
    ) -> None:
        due_at = "2100-01-01T00:00Z" if state in WORKING else None
        lease = settled(olivia, state=state, runsheet_report_found=found, due_at=due_at)

        assert page_of(console, lease).context["panel"].report == words

    def test_shows_where_there_was_nothing(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
        path = "/Federal Workspace/NMNM 1"
        take(
            lease,
            "record_not_found",
            actor=Actor.worker("job-1"),
            arguments={},
            evidence={
                "path": path,
                "nearest": ["NMNM 001", "NMNM\u00a01"],
                "nearest_reports": {"NMNM 001": True, "NMNM\u00a01": False},
            },
        )

        text = page_of(console, lease).text

        assert f'Dropbox has none at <code class="exact">{path}</code>' in text
        assert '<details class="record-why" id="record-why" open>' in text
        assert "Not found. The nearest archives are:" in text
        near = f'<a class="exact" href="https://www.dropbox.com/home{quote(path.rpartition("/")[0])}/NMNM%20001"'
        assert near in text
        assert "(looks the same, with no-break space; rename it in Dropbox)" in text
        assert ">has a report<" in text
        assert ">no report<" in text
        assert "“NMNM 001”: yes, “NMNM\u00a01”: no" in text

    @pytest.mark.parametrize(
        ("evidence", "words"),
        [
            ({"nearest": []}, "Not found. No archive has nearly this name."),
            (
                {"nearest_unknown": "nobody looked: it was late"},
                "Not found. Whether another archive has nearly this name is not known: nobody looked: it was late.",
            ),
        ],
    )
    def test_says_that_nothing_comes_near(
        self, console: Client, olivia: User, evidence: dict[str, Any], words: str
    ) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
        told = {"path": "/a/NMNM 1", **evidence}
        take(lease, "record_not_found", actor=Actor.worker("job-1"), arguments={}, evidence=told)

        assert words in page_of(console, lease).text

    @pytest.mark.parametrize(
        ("entries", "words"),
        [
            (0, "None, since the directory is empty"),
            (1, "None: the one entry of the directory is no report"),
            (37, "None among the 37 entries of the directory"),
        ],
    )
    def test_shows_among_how_many_there_was_no_report(
        self, console: Client, olivia: User, entries: int, words: str
    ) -> None:
        lease = settled(olivia, state="detecting", runsheet_directory=location(), due_at="2100-01-01T00:00Z")
        arguments: dict[str, Any] = {"matching_files": []}
        take(lease, "record_detection", actor=Actor.worker("job-1"), arguments=arguments, evidence={"entries": entries})

        assert page_of(console, lease).context["panel"].report == words

    @pytest.mark.parametrize(
        ("count", "words"),
        [
            (1, "; 1 file of a report's name was passed over as a program's remains"),
            (1_200, "; 1,200 files of a report's name were passed over as a program's remains"),
        ],
    )
    def test_says_beside_no_report_what_was_passed_over(
        self, console: Client, olivia: User, count: int, words: str
    ) -> None:
        lease = settled(
            olivia,
            state="detecting",
            runsheet_directory=location(),
            due_at="2100-01-01T00:00Z",
            report_folder_id="id:1",
        )
        step: dict[str, Any] = {
            "arguments": {"matching_files": []},
            "evidence": {"entries": 37, "passed_over_count": count},
        }

        take(lease, "record_detection", actor=Actor.worker("job-1"), **step)
        now = page_of(console, lease).context["panel"].report
        Lease.objects.update(state="failed", failure_code="bug", report_folder_id="id:1")
        later = page_of(console, lease).context["panel"].report

        assert now == f"None among the 37 entries of the directory{words}"
        assert later == f"None when last looked for{words}"


class TestDoubts:
    @pytest.mark.parametrize("state", ["pending", "searching", "not_found", "failed"])
    def test_are_told_until_an_archive_is_found(self, console: Client, olivia: User, state: str) -> None:
        others: dict[str, dict[str, Any]] = {
            "searching": {"due_at": "2100-01-01T00:00Z"},
            "failed": {"failure_code": "unreachable", "failure_message": "No answer."},
        }
        lease = settled(olivia, lease_number="9.4E+06", state=state, **others.get(state, {}))

        for _ in range(2):
            text = page_of(console, lease).text

            assert (
                text.count('<p class="record-doubt">See whether this is the number that is meant: “9.4E+06” looks') == 1
            )
            assert text.index("spreadsheet has shortened") > text.index('id="record-live"')

    @pytest.mark.parametrize("state", ["found", "done"])
    def test_are_over_once_it_is_found(self, console: Client, olivia: User, state: str) -> None:
        lease = settled(olivia, lease_number="9.4E+06", state=state, runsheet_directory=location())

        assert "number that is meant" not in page_of(console, lease).text

    def test_are_none_of_a_usual_number(self, console: Client, olivia: User) -> None:
        assert "record-doubt" not in page_of(console, settled(olivia, state="not_found")).text

    def test_name_another_lease_as_long_as_there_is_one(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, lease_number="NMNM 14321", state="done")
        other = settled(olivia, lease_number="NMNM 0014321")

        text = page_of(console, lease).text

        assert f'href="{reverse("admin:leases_lease_change", args=[other.pk])}">NMNM 0014321</a>' in text
        assert "differs in nothing but zeros" in text

    def test_escape_what_they_quote(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, lease_number="<b>;1", state="not_found")

        assert "“&lt;b&gt;;1” holds a separator" in page_of(console, lease).text


class TestProgress:
    @pytest.mark.parametrize(
        ("values", "sentences"),
        [
            ({"state": "done"}, ["Nothing is under way."]),
            ({"state": "pending"}, ["Nothing is under way."]),
            ({"state": "pending", "generation": 1}, ["Stopped. Nothing is done until somebody starts it again."]),
            ({"state": "pending", "due_at": NOON}, ["It starts by itself within seconds."]),
            (
                {"state": "searching", "due_at": NOON, "rung_at": NOON},
                ["Not tried yet (at most 5 tries).", "It waits for a worker."],
            ),
            (
                {"state": "searching", "due_at": NOON + timedelta(minutes=1), "tries": 2},
                [
                    "Try 2 of 5.",
                    'Next in <time datetime="2026-01-01T19:01:00+00:00" title="2026-01-01 12:01:00 MST" data-time="left">1:00</time>.',
                ],
            ),
            (
                {"state": "detecting", "due_at": NOON, "tries": 1, "claimed_until": NOON + timedelta(seconds=40)},
                ["Try 1 of 5.", "A worker is at it."],
            ),
            (
                {"state": "detecting", "due_at": NOON, "tries": 1, "claimed_until": NOON - timedelta(seconds=1)},
                ["Try 1 of 5.", "Its worker was lost. Another one takes over within seconds."],
            ),
        ],
    )
    def test_is_told_in_sentences(
        self, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], sentences: list[str]
    ) -> None:
        monkeypatch.setattr("console.shell.times.now", lambda: NOON)
        monkeypatch.setattr(progress, "obstacle", str)
        monkeypatch.setattr(progress, "how_many_before", lambda *_, **__: 0)
        lease = Lease(**{"due_at": None, "agency": "BLM", "lease_number": "NMNM 1", **values})

        assert list(progress_of(lease, at=NOON)) == sentences

    @pytest.mark.parametrize(
        ("count", "words"),
        [
            (9, "It starts by itself within seconds."),
            (10, "It starts by itself when it is its turn: 10 leases came before it."),
            (1_001, "It starts by itself when it is its turn: more than 1,000 leases came before it."),
        ],
    )
    def test_promises_seconds_only_where_few_come_first(
        self, monkeypatch: pytest.MonkeyPatch, olivia: User, count: int, words: str
    ) -> None:
        monkeypatch.setattr(progress, "obstacle", str)
        numbers = [f"NMNM {number}" for number in range(count + 1)]
        made = Lease.objects.bulk_create(Lease(agency="BLM", lease_number=number) for number in numbers)

        assert list(progress_of(Lease.objects.get(pk=made[-1].pk), at=NOON)) == [words]

    def test_counts_only_who_comes_first(self, olivia: User) -> None:
        mine, *_ = leases = [
            Lease.objects.create(agency="BLM", lease_number=f"NMNM {number}", background=background)
            for number, background in enumerate([True, True, False])
        ]
        Lease.objects.filter(pk=leases[1].pk).update(claimed_until=NOON)

        mine.refresh_from_db(fields=["due_at"])
        leases[2].refresh_from_db(fields=["due_at"])

        assert how_many_before(mine, at_most=10) == 1
        assert how_many_before(leases[2], at_most=10) == 0

    @pytest.mark.parametrize(
        "values",
        [
            {"state": "pending", "due_at": NOON},
            {"state": "searching", "due_at": NOON, "rung_at": NOON},
            {"state": "searching", "due_at": NOON, "claimed_until": NOON - timedelta(seconds=1)},
        ],
    )
    def test_names_what_stands_in_the_way(self, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> None:
        monkeypatch.setattr(progress, "obstacle", lambda: "No worker runs.")

        sentences = list(progress_of(Lease(agency="BLM", lease_number="NMNM 1", **values), at=NOON))

        assert sentences[-1].endswith("No worker runs.")
        assert "seconds" not in str(sentences)

    def test_is_shown_on_the_page(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        assert "Not tried yet (at most 5 tries)." in page_of(console, lease).text


class TestJob:
    def message(self, lease: Lease) -> Message:
        return Message(label="leases.lease", pk=lease.pk, state=lease.state, generation=lease.generation)

    def test_is_the_one_that_was_sent(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="searching", generation=3, due_at=NOON, rung_at=NOON)

        text = page_of(console, lease).text

        job_id = f"leases_lease-{lease.pk}-searching-3"
        url = reverse("admin:django_rq_job_detail", args=[0, job_id])
        assert f'<a href="{url}">{job_id}</a>' in text

    def test_exists_only_once_it_was_sent(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        assert page_of(console, lease).context["panel"].job is None

    def test_is_the_same_when_its_worker_went_straight_on(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="searching", generation=3, due_at=NOON)
        message = self.message(lease)
        claims.claim(message)
        worker = Actor.worker(message.job_id)
        take(lease, "record_found", actor=worker, arguments={"location_id": location().pk})

        take(lease, "start_detection", actor=worker, claim=True)

        assert page_of(console, lease).context["panel"].job.id == f"leases_lease-{lease.pk}-searching-3"

    def test_of_a_bug_is_kept(self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
        lease = settled(olivia, state="searching", generation=3, due_at=NOON)
        monkeypatch.setattr("discovery.reactions.gateway_for", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run("leases.lease", lease.pk, "searching", 3)

        panel = page_of(console, lease).context["panel"]

        assert panel.lease.failure_code == "bug"
        assert panel.job.id == f"leases_lease-{lease.pk}-searching-3"

    def test_is_no_link_for_who_may_not_look_at_the_queues(self, client: Client, viewer: User) -> None:
        lease = settled(viewer, state="searching", generation=3, due_at=NOON, rung_at=NOON)
        client.force_login(viewer)

        text = page_of(client, lease).text

        assert f"leases_lease-{lease.pk}-searching-3" in text
        assert "django_rq" not in text

    @pytest.mark.parametrize("state", ["pending", "found", "done", "failed"])
    def test_is_gone_when_all_went_well_or_was_refused(self, console: Client, olivia: User, state: str) -> None:
        lease = settled(olivia, state=state, failure_code="configuration_missing", tries=1)

        assert page_of(console, lease).context["panel"].job is None


class TestPage:
    def test_of_an_unknown_lease_leads_away(self, console: Client) -> None:
        answer = console.get("/admin/leases/lease/4711/change/", follow=True)

        assert answer.redirect_chain == [("/admin/", 302)]

    def test_holds_no_script_or_style_of_its_own(self, console: Client, olivia: User) -> None:
        text = page_of(console, settled(olivia, state="done", runsheet_directory=location())).text

        assert " style=" not in text
        assert "<style" not in text
        assert "console/console.css" in text

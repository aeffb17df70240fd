"""However much there is of something, what is kept and shown of it stays short, and says how much there is."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from console import reactions
from console.machine import panel
from console.models import FailureNotice
from console.notices import mail as notices
from leases.models import Lease
from statemachine.models import ActorKind, TransitionLog
from statemachine.reactions import Run
from statemachine.transitions import Actor, Step, advance, locked
from tests.factories import known_directory, settled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

MANY = 30_000
NAMES = [f"Master Documents {number}.pdf" for number in range(MANY)]


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def page_of(client: Client, lease: Lease) -> str:
    return client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text


class TestManyNamesThatMatch:
    @pytest.fixture
    def lease(self, olivia: User) -> Lease:
        made = settled(olivia, state="detecting", due_at=timezone.now(), runsheet_directory=known_directory())
        arguments: dict[str, Any] = {"matching_files": NAMES}
        step = Step(transition="record_detection", arguments=arguments, evidence={"matching": NAMES})
        with locked(Lease, made.pk) as record:
            advance(record, step, Actor.worker("job"))
        return Lease.objects.get()

    def test_are_counted_and_the_first_are_kept(self, lease: Lease) -> None:
        assert (lease.matching_count, lease.matching_files) == (MANY, NAMES[:50])
        assert lease.runsheet_report_found
        assert TransitionLog.objects.get().evidence["matching"] == [*NAMES[:50], "… and 29,950 more"]

    def test_are_told_on_the_lease_s_page(self, console: Client, lease: Lease) -> None:
        text = page_of(console, lease)

        assert "<li>Master Documents 49.pdf</li><li>… and 29,950 more</li>" in text
        assert "“Master Documents 49.pdf”, … and 29,950 more" in text
        assert "Master Documents 50.pdf" not in text
        assert len(text) < 100_000

    def test_are_told_in_a_download(self, console: Client, lease: Lease) -> None:
        content = b"".join(console.get(reverse("admin:leases_lease_download", args=["csv"])))
        (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))

        assert row["Matching files"].endswith("Master Documents 49.pdf; … and 29,950 more")

    def test_are_forgotten_with_the_result(self, lease: Lease) -> None:
        lease.forget_result()

        assert (lease.matching_files, lease.matching_count) == ([], 0)


class TestMuchEvidenceOfOlderTransitions:
    def test_is_shown_in_part(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="done", generation=1)
        log(lease, 1, evidence={"matching": NAMES})

        text = page_of(console, lease)

        assert "… and 29,950 more" in text
        assert len(text) < 100_000


def log(lease: Lease, generation: int, **values: Any) -> TransitionLog:
    return TransitionLog.objects.create(
        record_type="leases.lease",
        record_id=lease.pk,
        transition="record_detection",
        from_state="detecting",
        to_state="done",
        generation=generation,
        actor_kind=ActorKind.WORKER,
        lasted=timedelta(seconds=1),
        **values,
    )


class TestALongHistory:
    def test_is_counted_up_to_what_matters(
        self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(panel, "EARLIER_COUNTED", 3)
        lease = settled(olivia, state="done", generation=54)
        for generation in range(1, 54):
            log(lease, generation)
        exact = page_of(console, lease)
        log(lease, 54)

        assert "3 earlier transitions are not shown" in exact
        assert "More than 3 earlier transitions are not shown" in page_of(console, lease)

    def test_says_since_when_it_is_whole(self, console: Client, olivia: User, settings: Any) -> None:
        settings.TRANSITION_LOG_MONTHS, settings.TRANSITION_LOG_ENTRIES = 12, 3
        lease = settled(olivia, state="done", generation=54)
        young = page_of(console, lease)
        Lease.objects.filter(pk=lease.pk).update(created_at=timezone.now() - timedelta(days=800))
        few = page_of(console, lease)
        for generation in range(1, 4):
            log(lease, generation)
        old = page_of(console, lease)

        said = "only the last transitions are kept"
        assert (said in young, said in few, said in old) == (False, False, True)

    def test_is_read_from_its_end_by_its_index(self, olivia: User) -> None:
        """A lease may have a million of them; the page reads the newest."""
        lease = settled(olivia, state="done", generation=3_000)
        TransitionLog.objects.bulk_create(_unsaved(lease, generation) for generation in range(1, 3_001))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE statemachine_transitionlog")

        plan = TransitionLog.objects.of(lease).reverse()[:50].explain(analyze=True)

        assert re.search(r"Index Scan Backward using statemachine_log_\d+_\d+_record_type_record_id_generation", plan)
        assert "Sort Method" not in plan


def _unsaved(lease: Lease, generation: int) -> TransitionLog:
    return TransitionLog(
        record_type="leases.lease",
        record_id=lease.pk,
        transition="record_detection",
        from_state="detecting",
        to_state="done",
        generation=generation,
        actor_kind=ActorKind.WORKER,
        lasted=timedelta(seconds=1),
    )


class TestAMailAboutMany:
    def test_reads_no_more_than_it_names(
        self, olivia: User, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        monkeypatch.setattr(notices, "NAMED_AT_MOST", 2)
        monkeypatch.setattr(reactions, "NAMED_AT_MOST", 2)
        notice = FailureNotice.objects.create(
            initiated_by=olivia, record_type="leases.lease", reason="bug", state="sending"
        )
        for number in range(5):
            settled(olivia, lease_number=f"NMNM {number}", state="failed", failure_code="bug", failure_notice=notice)
        read: list[int] = []
        from_db = Lease.from_db.__func__  # type: ignore[attr-defined]

        def noting(model: type[Lease], *given: Any, **named: Any) -> Lease:
            read.append(1)
            return from_db(model, *given, **named)  # type: ignore[no-any-return]

        monkeypatch.setattr(Lease, "from_db", classmethod(noting))

        with django_assert_max_num_queries(4):
            outcome = reactions.tell(Run(record=notice, job_id="job"))

        assert len(read) == 2
        assert mail.outbox[0].subject.startswith("Runsheet: 5 leases have failed")
        assert "and 3 more" in mail.outbox[0].body
        assert outcome.record is not None
        assert outcome.record(notice) == {"told": 5}

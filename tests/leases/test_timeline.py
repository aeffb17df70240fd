"""How the page of a lease tells what happened to it, from how it came to be."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from core.base.clock import now
from leases import runs, services
from leases.batches import import_leases
from leases.models import AgencyStorageConfig, Lease
from leases.states import State
from statemachine.batches import run_again, run_many, stop
from statemachine.transitions import Actor
from tests.factories import location, settled
from tests.leases.starting import person_takes, start_by_itself
from tests.leases.test_admin_page import page_of, take
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def not_found(user: User, **values: Any) -> Lease:
    lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=user, **values)
    return take(lease, "record_not_found", actor=Actor.worker("job-1"), evidence={"path": "/a/NMNM 1"})


class TestOrigin:
    def test_is_who_created_it(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        text = page_of(console, lease).text

        assert "<span>Created by olivia</span>" in text
        assert "<span>The reconciler started the search for olivia</span>" in text

    def test_is_the_import(self, console: Client, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="many.xlsx")

        text = page_of(console, Lease.objects.get()).text

        assert (
            f'<span>Imported from <a href="/admin/leases/batch/{batch.pk}/change/">many.xlsx</a> by olivia</span>'
            in text
        )

    def test_is_told_of_a_lease_whose_maker_is_gone(self, console: Client) -> None:
        assert "<span>Created</span>" in page_of(console, settled(None)).text

    def test_is_not_told_below_a_history_that_is_cut_off(self, console: Client, olivia: User) -> None:
        lease = settled(olivia)
        for _ in range(26):
            take(lease, "start_search", actor=Actor.person(olivia))
            take(lease, "cancel", actor=Actor.person(olivia))

        assert "record-made" not in page_of(console, lease).text


class TestPassedOver:
    def test_is_told_of_a_lease_that_still_waited_when_its_batch_was_stopped(
        self, console: Client, olivia: User
    ) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1"), ("BLM", "NMNM 2")], user=olivia, title="many.xlsx")
        done, waiting = Lease.objects.order_by("lease_number")
        start_by_itself(done)
        take(done, "record_not_found", actor=Actor.worker("job-1"))

        before = page_of(console, waiting).text
        stop(batch_id=batch.pk, user=olivia)

        words = (
            f'olivia stopped <a href="/admin/leases/batch/{batch.pk}/change/">many.xlsx</a> before it was this lease'
        )
        assert "record-passed-over" not in before
        assert words in page_of(console, waiting).text
        assert "record-passed-over" not in page_of(console, done).text

    def test_stays_where_the_batch_goes_on_with_others(self, console: Client, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1"), ("BLM", "NMNM 2")], user=olivia, title="many.xlsx")
        stop(batch_id=batch.pk, user=olivia)

        run_again(batch_id=batch.pk, state=State.PENDING, user=olivia, at_most=1)

        texts = {lease.is_owed: page_of(console, lease).text for lease in Lease.objects.all()}
        words = f'<a href="/admin/leases/batch/{batch.pk}/change/">many.xlsx</a> was stopped before it was this lease'
        assert words in texts[False]
        assert "Somebody who is no longer here" not in texts[False]
        assert "record-passed-over" not in texts[True]

    def test_is_told_of_the_batch_that_owed_it_last(self, console: Client, olivia: User) -> None:
        first = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="many.xlsx")
        stop(batch_id=first.pk, user=olivia)
        second = run_many(Lease.objects.all(), olivia, title="All of them")
        stop(batch_id=second.pk, user=olivia)

        assert page_of(console, Lease.objects.get()).context["panel"].passed_over == second

    def test_is_of_no_batch_that_was_stopped_earlier(self, console: Client, olivia: User) -> None:
        first = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="many.xlsx")
        stop(batch_id=first.pk, user=olivia)
        lease = person_takes(runs.SEARCH, lease_id=Lease.objects.get().pk, user=olivia)
        person_takes(runs.STOP, lease_id=lease.pk, user=olivia)
        Lease.objects.update(generation=F("generation") + 1)  # as every other way of moving on

        assert page_of(console, lease).context["panel"].passed_over is None

    def test_is_history_once_it_was_started_after_all(self, console: Client, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="many.xlsx")
        stop(batch_id=batch.pk, user=olivia)

        lease = person_takes(runs.SEARCH, lease_id=Lease.objects.get().pk, user=olivia)
        person_takes(runs.STOP, lease_id=lease.pk, user=olivia)

        assert "record-passed-over" not in page_of(console, lease).text


class TestDuration:
    def test_is_left_out_where_nobody_would_have_noticed(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, entered_at=now() - timedelta(minutes=2, seconds=1))

        take(lease, "start_search", actor=Actor.person(olivia), reason="search")
        take(lease, "cancel", actor=Actor.person(olivia), reason="stopped")
        text = page_of(console, lease).text

        assert '<p class="quiet exact">after 2 min 1 s in “Pending”. Search</p>' in text
        assert '<p class="quiet exact">Stopped</p>' in text


class TestNotFound:
    def test_leads_to_the_number_and_to_the_configuration(self, client: Client) -> None:
        administrator = in_role("Administrator")
        config = AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path="/a", documents_base_path="/d", misc_index_base_path="/m"
        )
        lease = not_found(administrator)
        client.force_login(administrator)

        text = page_of(client, lease).text

        assert "Check the number, or the folder in the configuration of BLM." in text
        assert f'<a href="/admin/leases/agencystorageconfig/{config.pk}/change/">Look at the configuration</a>' in text
        assert f'href="/admin/leases/lease/{lease.pk}/change/#id_lease_number">Correct the lease number</a>' in text

    def test_leads_nobody_to_what_he_may_not_change(self, client: Client, olivia: User, viewer: User) -> None:
        lease = not_found(olivia)
        client.force_login(viewer)

        text = page_of(client, lease).text

        assert "Check the number, or the folder in the configuration of BLM." in text
        assert "#id_lease_number" not in text


class TestKnownFolder:
    def test_of_a_failed_lease_is_what_was_known_last(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="failed", failure_code="base_path_missing", runsheet_directory=location())

        assert '<span class="quiet">Last known:</span>' in page_of(console, lease).text

    def test_of_one_that_is_searched_again_is_what_was_known_last(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="searching", due_at=now(), runsheet_directory=location(), known_at=now())

        assert '<span class="quiet">Last known, ' in page_of(console, lease).text

    def test_that_was_not_there_is_told_as_last_known_too(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="failed", failure_code="bug", known_base_path="/Archives", known_at=now())

        assert f"/Archives/{lease.lease_number}" in page_of(console, lease).text

    @pytest.mark.parametrize(("negated", "shown"), [(False, True), (True, False)])
    def test_at_another_path_is_told_where_nothing_lies(
        self, console: Client, olivia: User, negated: bool, shown: bool
    ) -> None:
        worker = Actor.worker("job-1")
        lease = settled(olivia, state="detecting", due_at=now(), runsheet_directory=location())
        evidence = {"path": "/Old/NMNM 1", "matching": ["Master Documents.pdf"]}
        take(lease, "record_detection", actor=worker, arguments={"matching_files": []}, evidence=evidence)
        for path in (["/Old/NMNM 1"] if negated else []) + ["/New/NMNM 1"]:
            Lease.objects.update(state="searching", due_at=now())
            take(lease, "record_not_found", actor=worker, arguments={}, evidence={"path": path})

        text = page_of(console, lease).text

        assert ("Last known elsewhere" in text) is shown
        assert ("with Master Documents.pdf" in text) is shown

    def test_of_another_base_path_than_is_configured_is_doubted(self, console: Client, olivia: User) -> None:
        AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path="/New", documents_base_path="/d", misc_index_base_path="/m"
        )
        lease = settled(olivia, state="not_found", known_base_path="/Old", due_at=None)

        text = page_of(console, lease).text

        assert "lie elsewhere now" in text
        assert '<code class="exact">/Old</code>' in text
        assert "run it again to ask anew" in text

    def test_of_any_other_is_as_it_was_found(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="done", runsheet_directory=location())

        assert "Last known" not in page_of(console, lease).text

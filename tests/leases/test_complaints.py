"""What the users of other consoles complain about; the table in docs/console.md says where."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leases import runs
from leases.models import Batch, BatchLease, Lease
from leases.states import State
from statemachine.models import ActorKind
from statemachine.transitions import Actor
from tests.factories import settled
from tests.leases.starting import person_takes
from tests.leases.test_admin_page import take
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
MANY = 1_400  # one page of the list holds 50, one line of the summary a reason
LARGEST_PAGE_BYTES = 150_000


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def batch(olivia: User) -> Batch:
    """Of many leases that all have failed, for three reasons."""
    reasons = ("connect_dropbox", "configuration_missing", "took_too_long")
    leases = Lease.objects.bulk_create(
        Lease(
            agency="BLM",
            lease_number=f"NMNM {number}",
            state=State.FAILED,
            failure_code=reasons[number % 3],
            failure_message="It did not work.",
            due_at=None,
            created_by=olivia,
            initiated_by=olivia,
        )
        for number in range(MANY)
    )
    made: Batch = Batch.objects.create(kind=Batch.Kind.IMPORT, title="leases.csv", size=MANY, created_by=olivia)
    BatchLease.objects.bulk_create(BatchLease(batch=made, record=lease) for lease in leases)
    return made


@pytest.mark.long
class TestThousandsOfFailures:
    """paperless-ngx #3279: the page of tasks cannot be used."""

    def test_fit_into_pages_of_the_usual_size_and_cost(self, console: Client, batch: Batch) -> None:
        wanted = [
            LIST,
            f"{LIST}?state__exact=failed&batches={batch.pk}&p=28",
            reverse("admin:leases_batch_changelist"),
            reverse("admin:leases_batch_change", args=[batch.pk]),
            reverse("admin:console_failurenotice_mine"),
            reverse("admin:index"),
        ]
        for url in wanted:
            with CaptureQueriesContext(connection) as asked:
                answer = console.get(url)

            assert answer.status_code == 200, url
            assert len(asked) <= 15, url
            assert len(answer.content) < LARGEST_PAGE_BYTES, url

    def test_are_counted_by_reason_and_run_again_with_one_button(self, console: Client, batch: Batch) -> None:
        text = console.get(reverse("admin:leases_batch_change", args=[batch.pk])).text

        assert re.findall(r">([\d,]+) leases: ", text) == ["467", "467", "466"]
        assert "Run 1,400 failed again" in text


class TestOneOfMany:
    """Airflow #47450: “clear one” cleared all."""

    def test_is_named_by_its_number_before_and_is_all_that_starts(self, console: Client, olivia: User) -> None:
        one, *_ = (settled(olivia, lease_number=str(n), state="failed", failure_code="bug") for n in range(3))
        form = {"action": "run_chosen", "_selected_action": [one.pk], "index": "0", "select_across": "0"}

        asked = question_of(console, console.post(f"{LIST}?state__exact=failed", form))
        assert "<strong>1 lease</strong> will be searched for" in asked.text
        console.post(f"{LIST}?state__exact=failed", form | {"confirmed": asked.context["plan"].which})

        assert list(Lease.objects.filter(due_at__isnull=False)) == [one]


class TestCounters:
    """paperless-ngx #13330: they are stale."""

    def test_are_those_of_the_moment(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="failed", failure_code="bug")
        person_takes(runs.SEARCH, lease_id=lease.pk, user=olivia)
        take(lease, "record_not_found", actor=Actor(kind=ActorKind.WORKER, job_id="job"))

        counts = {each.state: each.count for each in console.get(LIST).context["cl"].state_counts if each.count}

        assert counts == {"": 1, "not_found": 1}


class TestRetry:
    """Flower #17: there is no button for it."""

    def test_is_a_button_beside_the_failure(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="failed", failure_code="took_too_long", failure_message="It took too long.")
        page = console.get(f"{LIST}{lease.pk}/change/")
        assert next(offer.button.name for offer in page.context["panel"].offered) == "discover"

        console.post(f"{LIST}{lease.pk}/discover/", {"generation": lease.generation})

        assert Lease.objects.get().state == State.SEARCHING

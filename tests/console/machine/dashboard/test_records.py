"""From a job to its record, and from a record to its jobs."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from redis import Redis

from console.machine import dashboard
from leases.models import Lease
from statemachine import doorbell
from statemachine.doorbell import Message
from tests.console.machine.dashboard.conftest import HOME, MESSAGE, page_of, permitted, queue_of
from tests.toy.models import Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestBoxes:
    """Else nobody is told what is ticked who does not see it, and Django's script breaks where it counts them."""

    def test_say_what_they_are_and_can_be_counted(self, keeper: Client, queued: None) -> None:
        text = keeper.get(f"{HOME}queues/0/").text

        assert 'id="action-toggle" aria-label="Select all jobs of this page"' in text
        assert f'value="{MESSAGE.job_id}" aria-label="Select job {MESSAGE.job_id}"' in text
        assert '<span class="action-counter" data-actions-icnt="1">' in text


class TestRecordOfAJob:
    @pytest.fixture
    def lease(self, redis: Redis) -> Lease:
        return Lease.objects.create(agency="BLM", lease_number="NMNM 1", due_at=None)

    def job_of(self, pk: int, *, label: str = "leases.lease", state: str = "searching") -> str:
        message = Message(label=label, pk=pk, state=state, generation=1)
        doorbell.ring(message, queue="discovery", soft_s=60)
        return message.job_id

    def test_is_linked_from_the_job(self, client: Client, lease: Lease) -> None:
        client.force_login(permitted("use_queues", "view_lease"))

        text = client.get(page_of(self.job_of(lease.pk))).text

        assert f'about <a href="/admin/leases/lease/{lease.pk}/change/">lease {lease}</a>' in text

    def test_is_linked_where_the_job_was(self, client: Client, lease: Lease) -> None:
        client.force_login(permitted("use_queues", "view_lease"))

        text = client.get(page_of(f"leases_lease-{lease.pk}-detecting-9")).text

        assert "no longer kept" in text
        assert f'<a href="/admin/leases/lease/{lease.pk}/change/">lease {lease}</a>' in text

    def test_is_only_numbered_for_who_may_not_see_it(self, keeper: Client, lease: Lease) -> None:
        for job_id in (self.job_of(lease.pk), f"leases_lease-{lease.pk}-detecting-9"):
            text = keeper.get(page_of(job_id)).text

            assert f"about lease {lease.pk}" in text
            assert "NMNM" not in text
            assert "/admin/leases/" not in text

    def test_is_only_numbered_when_it_has_no_page(self, client: Client, olivia: User, redis: Redis) -> None:
        kettle = Kettle.objects.create()
        client.force_login(olivia)

        assert (
            f"about kettle {kettle.pk}."
            in client.get(page_of(self.job_of(kettle.pk, label="toy.kettle", state="heating"))).text
        )

    @pytest.mark.parametrize("pk", [404, 10**30])
    def test_is_only_numbered_when_it_is_gone(self, client: Client, olivia: User, redis: Redis, pk: int) -> None:
        client.force_login(olivia)

        assert f"about lease {pk}." in client.get(page_of(self.job_of(pk))).text

    @pytest.mark.parametrize(
        "job_id",
        ["else", "leases_lease-7", "no_model-7-searching-1", "leases_lease-7-gone-1", "leases_lease-x-searching-1"],
    )
    def test_is_not_guessed(self, keeper: Client, redis: Redis, job_id: str) -> None:
        queue_of(redis).enqueue("time.time", job_id=job_id)

        there = keeper.get(page_of(job_id)).text
        redis.flushdb()
        gone = keeper.get(page_of(job_id)).text

        assert "message about" not in there
        assert "message about" not in gone


class TestJobUrl:
    def test_knows_the_queue_of_the_work(self, olivia: User) -> None:
        assert dashboard.job_url("toy_kettle-1-heating-1", user=olivia) == f"{HOME}queues/2/toy_kettle-1-heating-1/"
        assert (
            dashboard.job_url("leases_lease-1-searching-1", user=olivia)
            == f"{HOME}queues/0/leases_lease-1-searching-1/"
        )

    def test_is_a_page_for_any_job(self, olivia: User) -> None:
        assert dashboard.job_url("else", user=olivia) == f"{HOME}queues/0/else/"

    def test_is_empty_for_who_may_not_look(self, db: None) -> None:
        assert dashboard.job_url("else", user=permitted("view_lease")) == ""


class TestKeptJobs:
    def test_are_those_that_rq_knows(self, redis: Redis) -> None:
        doorbell.ring(MESSAGE, queue="discovery", soft_s=60)

        assert dashboard.kept_jobs({MESSAGE.job_id, "never-was"}) == {MESSAGE.job_id}

    def test_are_none_while_redis_is_silent(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert dashboard.kept_jobs({MESSAGE.job_id}) == set()

"""What somebody does to the queues in RQ's dashboard: every lease settles all the same, and once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from cloud.dropbox import gateway_for
from leases import runs, services
from leases.models import Lease
from statemachine.doorbell import Message
from statemachine.models import TransitionLog
from tests.flows.conftest import BLM, FULL_RUN, history
from tests.leases.starting import person_takes
from tests.workers import work_off

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

COUNT = 4
CALLS = {"files/list_folder": COUNT, "sharing/create_shared_link_with_settings": COUNT}


class Dashboard:
    """What an operator clicks."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def do(self, page: str, *args: object, **form: object) -> str:
        answer = self.client.post(
            reverse(f"admin:django_rq_{page}", args=[0, *args]), {"post": "yes", **form}, follow=True
        )
        assert answer.status_code == 200
        return answer.text

    def job(self, job_id: str) -> str:
        return self.client.get(reverse("admin:django_rq_job_detail", args=[0, job_id])).text


@pytest.fixture
def clicks(client: Client, operator: User) -> Dashboard:
    client.force_login(operator)
    return Dashboard(client)


@pytest.fixture
def leases(operator: User, dropbox: "Standin") -> list[Lease]:
    """Some that have been started and wait in the queue."""
    numbers = [f"NMNM {number}" for number in range(COUNT)]
    dropbox.put(*[f"{BLM}/{number}/Master Documents.pdf" for number in numbers])
    dropbox.clear_journal()
    for number in numbers:
        services.create_lease(agency="BLM", lease_number=number, created_by=operator)
    return list(Lease.objects.order_by("pk"))


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue("discovery", connection=redis, serializer=JSONSerializer)


def job_of(lease: Lease) -> str:
    return Message(label="leases.lease", pk=lease.pk, state=lease.state, generation=lease.generation).job_id


@pytest.fixture
def settles_once(leases: list[Lease], dropbox: "Standin", work_until_settled: Callable[[], None]) -> Callable[[], bool]:
    """Work, and say whether each lease ran once from its beginning to its end, and nothing was asked twice."""

    def look() -> bool:
        work_until_settled()
        return [history(lease) for lease in leases] == [FULL_RUN] * COUNT and dropbox.calls() == CALLS

    return look


@pytest.fixture
def failed(leases: list[Lease], queue: Queue, monkeypatch: pytest.MonkeyPatch) -> list[Lease]:
    """Leases whose jobs ended with a bug, which is mended now."""
    with monkeypatch.context() as broken:
        broken.setattr("discovery.reactions.gateway_for", lambda *_, **__: 1 / 0)
        work_off(queue)
    assert FailedJobRegistry(queue=queue).count == COUNT
    return list(Lease.objects.order_by("pk"))


class TestWhatWaits:
    def test_settles_once_though_the_queue_was_emptied(
        self, clicks: Dashboard, queue: Queue, leases: list[Lease], settles_once: Callable[[], bool]
    ) -> None:
        assert queue.count == COUNT

        clicks.do("clear")

        assert queue.count == 0
        assert settles_once()

    def test_settles_once_though_a_job_was_deleted(
        self, clicks: Dashboard, queue: Queue, leases: list[Lease], settles_once: Callable[[], bool]
    ) -> None:
        clicks.do("delete_job", job_of(leases[0]))

        assert queue.count == COUNT - 1
        assert settles_once()

    def test_settles_once_though_a_job_was_queued_twice(
        self, clicks: Dashboard, queue: Queue, leases: list[Lease], settles_once: Callable[[], bool]
    ) -> None:
        for lease in leases:
            clicks.do("enqueue_job", job_of(lease))

        assert queue.count == 2 * COUNT
        assert settles_once()

    @pytest.mark.parametrize("action", ["delete", "requeue", "stop"])
    def test_settles_once_though_the_jobs_were_selected(
        self, clicks: Dashboard, leases: list[Lease], settles_once: Callable[[], bool], action: str
    ) -> None:
        job_ids = [job_of(lease) for lease in leases]
        asked = clicks.do("confirm_action", action=action, _selected_action=job_ids)

        clicks.do("actions", action=action, job_ids=job_ids)

        assert all(job_id in asked for job_id in job_ids)
        assert settles_once()


class TestWhatIsUnderWay:
    @pytest.fixture(params=["stop_job", "delete_job", "enqueue_job", "clear"])
    def clicked(
        self,
        request: pytest.FixtureRequest,
        clicks: Dashboard,
        leases: list[Lease],
        monkeypatch: pytest.MonkeyPatch,
    ) -> list[str]:
        """What was answered when somebody clicked while a worker was at the first lease."""
        answers: list[str] = []

        def click(*args: Any, **kwargs: Any) -> object:
            if not answers:
                answers.append(clicks.do(request.param, *([] if request.param == "clear" else [job_of(leases[0])])))
            return gateway_for(*args, **kwargs)

        monkeypatch.setattr("discovery.reactions.gateway_for", click)
        return answers

    def test_settles_once(self, clicked: list[str], settles_once: Callable[[], bool]) -> None:
        assert settles_once()
        assert clicked


class TestWhatHasFailed:
    def stays_failed(self, leases: list[Lease]) -> bool:
        """Only a person may start it again, on the lease's own page."""
        assert {(lease.state, lease.failure_code) for lease in Lease.objects.all()} == {("failed", "bug")}
        return True

    @pytest.mark.parametrize("page", ["requeue_job", "enqueue_job", "delete_job"])
    def test_is_not_run_by_its_job(
        self, clicks: Dashboard, queue: Queue, failed: list[Lease], dropbox: "Standin", page: str
    ) -> None:
        last = TransitionLog.objects.of(failed[0]).reverse()[0]

        clicks.do(page, last.job_id)
        work_off(queue)

        assert self.stays_failed(failed)
        assert not Job.exists(last.job_id, connection=queue.connection)

    @pytest.mark.parametrize("page", ["requeue_all", "delete_failed_jobs"])
    def test_is_not_run_by_all_jobs(
        self, clicks: Dashboard, queue: Queue, failed: list[Lease], dropbox: "Standin", page: str
    ) -> None:
        clicks.client.post(reverse(f"admin:django_rq_{page}", args=[0]))
        work_off(queue)

        assert self.stays_failed(failed)
        assert dropbox.calls() == {}
        assert FailedJobRegistry(queue=queue).count == 0

    def test_settles_once_when_started_again_beside_its_old_jobs(
        self, clicks: Dashboard, operator: User, failed: list[Lease], dropbox: "Standin",
        work_until_settled: Callable[[], None],
    ) -> None:  # fmt: skip
        for lease in failed:
            person_takes(runs.FULL_DISCOVERY, lease_id=lease.pk, user=operator, generation=lease.generation)

        clicks.do("requeue_all")
        work_until_settled()

        assert [history(lease)[-len(FULL_RUN) :] for lease in failed] == [FULL_RUN] * COUNT
        assert dropbox.calls() == CALLS

    def test_leads_from_lease_to_job_and_back(self, clicks: Dashboard, failed: list[Lease]) -> None:
        lease = failed[0]
        last = TransitionLog.objects.of(lease).reverse()[0]
        page = reverse("admin:leases_lease_change", args=[lease.pk])
        job = reverse("admin:django_rq_job_detail", args=[0, last.job_id])

        on_lease, on_job = clicks.client.get(page).text, clicks.client.get(job).text
        clicks.do("delete_job", last.job_id)
        then_on_lease, then_on_job = clicks.client.get(page).text, clicks.client.get(job).text

        assert f'<a href="{job}"><code>{last.job_id}</code></a>' in on_lease
        assert "statemachine.jobs.run" in on_job
        assert f'href="{page}"' in on_job
        assert f'<a href="{job}"><code>' not in then_on_lease
        assert "no longer kept" in then_on_job
        assert f'href="{page}"' in then_on_job

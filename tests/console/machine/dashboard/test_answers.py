"""What is not there, or cannot be read, is answered in a sentence and never with an error page."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django_rq import views
from redis import Redis
from rq import Callback
from rq.job import Job

from console.machine import dashboard
from statemachine import doorbell
from tests.console.machine.dashboard.conftest import HOME, MESSAGE, page_of, queue_of, urls, work

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestWhatIsNotThere:
    """Each is answered with a page that says so in one sentence."""

    @pytest.mark.matrix
    @pytest.mark.usefixtures("unframed")
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("number", [len(settings.RQ_QUEUES), 99, 10**30])
    def test_a_queue(self, keeper: Client, redis: Redis, method: str, number: int) -> None:
        for url in urls(queue_index=number):
            assert dashboard.NO_SUCH_QUEUE in getattr(keeper, method)(url, follow=True).text, url

    @pytest.mark.matrix
    @pytest.mark.usefixtures("unframed")
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("job_id", ["never-was", "not a name", "a:b", "%00", "ü", "x" * 500])
    def test_a_job(self, keeper: Client, redis: Redis, method: str, job_id: str) -> None:
        for url in urls(job_id=job_id):
            answer = getattr(keeper, method)(url)

            assert answer.status_code == 200, url
            assert "RQ forgets a job as soon as it is done" in answer.text, url

    def test_a_job_that_was_selected(self, keeper: Client, redis: Redis) -> None:
        url = reverse("admin:django_rq_actions", args=[0])

        answer = keeper.post(url, {"action": "delete", "job_ids": ["never-was"]}, follow=True)

        assert dashboard.NO_LONGER_THERE in answer.text

    @pytest.mark.parametrize("page", ["job_detail", "delete_job"])
    def test_a_job_that_goes_while_it_is_looked_at(
        self, keeper: Client, redis: Redis, queued: None, monkeypatch: pytest.MonkeyPatch, page: str
    ) -> None:
        monkeypatch.setattr(views, "get_queue_by_index", lambda _: redis.flushdb() and queue_of(redis))

        answer = keeper.get(reverse(f"admin:django_rq_{page}", args=[0, MESSAGE.job_id]))

        assert "RQ forgets a job as soon as it is done" in answer.text

    def test_a_job_without_any_data(self, keeper: Client, redis: Redis, queued: None) -> None:
        redis.hdel(Job.key_for(MESSAGE.job_id), "data")

        answer = keeper.get(page_of(MESSAGE.job_id))

        assert "RQ forgets a job as soon as it is done" in answer.text

    def test_a_result(self, keeper: Client, queued: None) -> None:
        url = reverse("admin:django_rq_result_detail", args=[0, MESSAGE.job_id, "1-0"])

        assert dashboard.NO_LONGER_THERE in keeper.get(url, follow=True).text

    @pytest.mark.parametrize("key", ["rq:worker:ended", "ended"])
    def test_a_worker(self, keeper: Client, redis: Redis, key: str) -> None:
        answer = keeper.get(reverse("admin:django_rq_worker_details", args=[0, key]), follow=True)

        assert dashboard.WORKER_ENDED in answer.text
        assert answer.request["PATH_INFO"] == reverse("admin:django_rq_workers", args=[0])

    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("number", [0, 99])
    def test_rq_scheduler(self, keeper: Client, redis: Redis, method: str, number: int) -> None:
        """A package of its own, which is not installed."""
        url = reverse("admin:django_rq_scheduler_jobs", args=[number])

        assert dashboard.NO_RQ_SCHEDULER in getattr(keeper, method)(url, follow=True).text

    @pytest.mark.parametrize("number", [0, 99])
    def test_a_cron_scheduler(self, keeper: Client, redis: Redis, number: int) -> None:
        for url in urls(connection_index=number):
            assert dashboard.NO_LONGER_THERE in keeper.get(url, follow=True).text


@pytest.mark.usefixtures("queued")
class TestRequeueing:
    def test_is_refused_for_a_job_that_has_not_failed(self, keeper: Client, redis: Redis) -> None:
        url = reverse("admin:django_rq_requeue_job", args=[0, MESSAGE.job_id])

        assert dashboard.NOT_IN_THIS_STATE in keeper.post(url, follow=True).text
        assert queue_of(redis).count == 1


NONSENSE: list[dict[str, str | bytes]] = [
    {"status": "dancing"},
    {"created_at": "yesterday"},
    {"timeout": "soon"},
    {"origin": b"\xff"},
    {"meta": b"\xff"},
    {"enqueued_at": ""},
]


class TestUnreadableJob:
    def spoil(self, redis: Redis, **values: str | bytes) -> None:
        doorbell.ring(MESSAGE, queue="discovery", soft_s=60)
        for name, value in values.items():
            redis.hset(Job.key_for(MESSAGE.job_id), name, value)

    @pytest.mark.parametrize("data", [b"\xff\xfe", b"", b"[1]", b"null", pickle.dumps(("os.getcwd", None, (), {}))])
    def test_without_a_call_is_shown_and_deleted_all_the_same(self, keeper: Client, redis: Redis, data: bytes) -> None:
        self.spoil(redis, data=data)

        answers = [
            keeper.get(url) for url in (HOME, reverse("admin:django_rq_jobs", args=[0]), page_of(MESSAGE.job_id))
        ]
        keeper.post(reverse("admin:django_rq_delete_job", args=[0, MESSAGE.job_id]))

        assert [MESSAGE.job_id in answer.text for answer in answers] == [False, True, True]
        assert queue_of(redis).count == 0

    @pytest.mark.matrix
    @pytest.mark.usefixtures("unframed")
    @pytest.mark.parametrize("values", NONSENSE, ids=str)
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_no_error_page(self, keeper: Client, redis: Redis, method: str, values: dict[str, str | bytes]) -> None:
        for url in urls():
            self.spoil(redis, **values)
            assert getattr(keeper, method)(url).status_code in (200, 302, 405), url

    @pytest.mark.parametrize("values", NONSENSE, ids=str)
    def test_is_listed_and_can_be_deleted(self, keeper: Client, redis: Redis, values: dict[str, str | bytes]) -> None:
        self.spoil(redis, **values)

        listed = keeper.get(reverse("admin:django_rq_jobs", args=[0])).text
        shown = keeper.get(page_of(MESSAGE.job_id)).text
        keeper.post(reverse("admin:django_rq_delete_job", args=[0, MESSAGE.job_id]))

        assert ("statemachine.jobs.run" in listed) is ("origin" not in values)  # RQ lists a queue's own jobs only
        assert "statemachine.jobs.run" in shown
        assert not Job.exists(MESSAGE.job_id, connection=redis)
        assert queue_of(redis).count == 0

    def test_can_be_deleted_with_all_that_failed(self, keeper: Client, redis: Redis) -> None:
        queue_of(redis).enqueue("no.such.function", job_id="failed")
        work(redis)
        redis.hset(Job.key_for("failed"), "status", "dancing")

        listed = keeper.get(reverse("admin:django_rq_failed_jobs", args=[0])).text
        keeper.post(reverse("admin:django_rq_delete_failed_jobs", args=[0]))

        assert "no.such.function" in listed
        assert "no.such.function" not in keeper.get(reverse("admin:django_rq_failed_jobs", args=[0])).text
        assert not Job.exists("failed", connection=redis)

    def test_is_never_read_as_a_pickle(self, keeper: Client, redis: Redis, tmp_path: Path) -> None:
        """Which would run what it says, here."""
        trace = tmp_path / "trace"
        queue_of(redis).enqueue("no.such.function", job_id="failed")
        work(redis)
        redis.hset(Job.key_for("failed"), "meta", pickle.dumps(_Touch(trace)))

        for url in urls(job_id="failed"):
            keeper.get(url)
        keeper.post(reverse("admin:django_rq_delete_failed_jobs", args=[0]))

        assert not Job.exists("failed", connection=redis)
        assert not trace.exists()


class TestUnreadableQueue:
    def test_is_no_error_page(self, keeper: Client, redis: Redis) -> None:
        redis.set("rq:queue:discovery", "a text")

        texts = [keeper.get(url).text for url in urls(queue_index=0)]

        assert sum("Redis holds something that RQ cannot read" in text for text in texts) > 1

    def test_leaves_a_way_out(self, keeper: Client, redis: Redis) -> None:
        redis.rpush("rq:queue:discovery", b"\xff")

        text = keeper.get(HOME).text
        keeper.post(reverse("admin:django_rq_clear", args=[0]))

        assert f'href="{reverse("admin:django_rq_clear", args=[0])}"' in text
        assert "Active Jobs" in keeper.get(HOME).text

    def test_is_told_in_the_log(self, keeper: Client, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
        redis.rpush("rq:queue:discovery", b"\xff")

        keeper.get(HOME)

        [record] = [record for record in caplog.records if record.name == "console.machine.dashboard"]
        assert record.exc_info


class _Touch:
    """Pickled, a call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self._path,)


class TestJobOfCodeThatIsGone:
    def test_is_shown_wherever_it_stands(self, keeper: Client, redis: Redis) -> None:
        queue_of(redis).enqueue("no.such.function", job_id="waits", on_failure=Callback("no.such.callback"))

        waiting = keeper.get(page_of("waits")).text
        work(redis)
        answers = {url: keeper.get(url).status_code for url in urls(job_id="waits")}
        failed = keeper.get(reverse("admin:django_rq_failed_jobs", args=[0])).text

        assert "no.such.function" in waiting
        assert "no.such.function" in failed
        assert set(answers.values()) <= {200, 302, 405}
        assert answers[page_of("waits")] == 200

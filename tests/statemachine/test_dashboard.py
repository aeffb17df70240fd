"""RQ's dashboard: closed to who may not, no error page for who may, and from a job to its record."""

import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_rq import views
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Callback, Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from leases.models import Lease
from statemachine import dashboard, doorbell, looking
from statemachine.doorbell import Message
from tests.deaf import deaf_server
from tests.toy.models import Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
    # django-rq's page of a failed job reads what RQ would rather have it read elsewhere.
    pytest.mark.filterwarnings("ignore:job.exc_info is deprecated"),
]

type Ask = Callable[[str], Any]

HOME = "/admin/django_rq/dashboard/"
MESSAGE = Message(label="leases.lease", pk=7, state="searching", generation=3)
THERE: dict[str, Any] = {
    "queue_index": 0,
    "job_id": MESSAGE.job_id,
    "result_id": "1-0",
    "key": "rq:worker:w",
    "scheduler_index": 0,
    "connection_index": 0,
    "scheduler_name": "s",
    "cron_job_name": "c",
    "token": "t",
}


def pages(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address that the project answers, with its pattern."""
    for each in (resolver or get_resolver()).url_patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from pages(each, route)
        else:
            yield route, each


def urls(**values: Any) -> list[str]:
    """Every address of the dashboard that speaks of what is named here; without any, every one."""
    found = []
    for route, page in pages():
        if "django_rq/" in route or page.callback.__module__.startswith("django_rq"):
            names = page.pattern.regex.groupindex.keys()
            if values.keys() <= names:
                found.append(reverse(f"admin:{page.name}", kwargs={name: (THERE | values)[name] for name in names}))
    return found


def page_of(job_id: str) -> str:
    return reverse("admin:django_rq_job_detail", args=[0, job_id])


def queue_of(redis: Redis) -> Queue:
    return Queue("discovery", connection=redis, serializer=JSONSerializer)


def work(redis: Redis) -> None:
    """Let a worker do all that is queued."""
    SimpleWorker([queue_of(redis)], connection=redis, serializer=JSONSerializer).work(
        burst=True, logging_level="CRITICAL"
    )


def permitted(*names: str) -> User:
    """Staff who may do this and nothing else."""
    user = User.objects.create_user("-".join(("may", *names)), is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert user.user_permissions.count() == len(names)
    return user


def noted(job: Job, redis: Redis, *_: Any) -> None:
    """A job's callback, which leaves a trace."""
    redis.set("noted", job.id)


@pytest.fixture
def keeper(db: None, client: Client) -> Client:
    """Somebody who looks after the queues, and is nothing else."""
    client.force_login(permitted("use_queues"))
    return client


@pytest.fixture
def queued(redis: Redis) -> None:
    """A message of a lease, and a worker."""
    doorbell.ring(MESSAGE, queue="discovery")
    SimpleWorker(["discovery"], name="w", connection=redis, serializer=JSONSerializer).register_birth()  # type: ignore[no-untyped-call]


@pytest.mark.usefixtures("queued")
class TestWhoMayUseIt:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_not_staff_with_every_other_permission(self, client: Client, redis: Redis, method: str) -> None:
        staff = User.objects.create_user("staff", is_staff=True)
        staff.user_permissions.set(Permission.objects.exclude(codename="use_queues"))
        client.force_login(staff)

        answers = {url: getattr(client, method)(url, {"post": "yes"}).status_code for url in urls()}

        assert len(answers) > 25
        assert answers == dict.fromkeys(answers, 403)
        assert queue_of(redis).count == 1

    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("token", ["", "sesame"])
    def test_is_nobody_who_is_not_logged_in(
        self, client: Client, redis: Redis, settings: Settings, method: str, token: str
    ) -> None:
        """Not with RQ's own token either, which would be a second way in."""
        settings.RQ_API_TOKEN = token
        bearer = {"Authorization": f"Bearer {token}"}

        answers = {
            url: getattr(client, method)(url, headers=bearer) for url in urls(**({"token": token} if token else {}))
        }
        answers |= {url: getattr(client, method)(url, headers=bearer) for url in urls()}

        assert {answer.status_code for answer in answers.values()} == {302}
        assert {answer["Location"].partition("?")[0] for answer in answers.values()} == {"/admin/login/"}
        assert queue_of(redis).count == 1

    def test_is_nobody_who_is_not_staff(self, client: Client) -> None:
        user = permitted("use_queues")
        User.objects.update(is_staff=False)
        client.force_login(user)

        assert {client.get(url).status_code for url in urls()} == {302}

    def test_is_who_holds_the_permission(self, keeper: Client) -> None:
        answers = {url: keeper.get(url).status_code for url in (HOME, page_of(MESSAGE.job_id), f"{HOME}stats.json")}

        assert answers == dict.fromkeys(answers, 200)

    def test_are_the_ones_to_whom_it_is_offered(self, keeper: Client) -> None:
        assert f'href="{HOME}"' in keeper.get("/admin/").text

    def test_are_not_others_who_would_be_offered_it(self, client: Client) -> None:
        client.force_login(permitted("view_lease", "admin"))

        assert "django_rq" not in client.get("/admin/").text
        assert client.get("/admin/django_rq/").status_code == 404

    def test_is_asked_for_the_token_against_forgery(self, olivia: User, redis: Redis) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(olivia)

        answer = client.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"})

        assert answer.status_code == 403
        assert queue_of(redis).count == 1


@pytest.mark.usefixtures("queued")
class TestPages:
    def test_show_a_job_with_its_arguments(self, keeper: Client) -> None:
        text = keeper.get(page_of(MESSAGE.job_id)).text

        assert "statemachine.jobs.run" in text
        assert "<li>leases.lease</li>" in text

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_break_nowhere(self, keeper: Client, method: str) -> None:
        answers = {url: getattr(keeper, method)(url).status_code for url in urls()}

        assert {url: status for url, status in answers.items() if status not in (200, 302, 405)} == {}

    def test_are_not_rqs_metrics(self, keeper: Client) -> None:
        """They change what they count; the project has its own."""
        assert keeper.get(f"{HOME}metrics").status_code == 404
        assert "Metrics" not in keeper.get(HOME).text

    def test_are_none_of_a_table_that_does_not_exist(self, keeper: Client) -> None:
        for page in ("add", "1/change", "1/delete", "1/history", "1"):
            assert keeper.get(f"{HOME}{page}/").status_code == 404

    def test_of_a_worker_lead_to_it_by_its_bare_name_too(self, keeper: Client) -> None:
        answer = keeper.get(reverse("admin:django_rq_worker_details", args=[0, "w"]), follow=True)

        assert "Worker Info" in answer.text


class TestWhatIsNotThere:
    """Each is answered with a page that says so in one sentence."""

    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("number", [2, 99, 10**30])
    def test_a_queue(self, keeper: Client, redis: Redis, method: str, number: int) -> None:
        for url in urls(queue_index=number):
            assert dashboard.NO_SUCH_QUEUE in getattr(keeper, method)(url, follow=True).text, url

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

        assert dashboard.JOB_GONE in answer.text

    def test_a_job_that_goes_while_it_is_looked_at(
        self, keeper: Client, redis: Redis, queued: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(views, "get_queue_by_index", lambda _: redis.flushdb() and queue_of(redis))

        assert (
            dashboard.JOB_GONE
            in keeper.get(reverse("admin:django_rq_delete_job", args=[0, MESSAGE.job_id]), follow=True).text
        )

    def test_a_result(self, keeper: Client, queued: None) -> None:
        url = reverse("admin:django_rq_result_detail", args=[0, MESSAGE.job_id, "1-0"])

        assert dashboard.NO_SUCH_PAGE in keeper.get(url, follow=True).text

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
            assert dashboard.NO_SUCH_PAGE in keeper.get(url, follow=True).text


@pytest.mark.usefixtures("queued")
class TestRequeueing:
    def test_is_refused_for_a_job_that_has_not_failed(self, keeper: Client, redis: Redis) -> None:
        url = reverse("admin:django_rq_requeue_job", args=[0, MESSAGE.job_id])

        assert dashboard.NOT_IN_THIS_STATE in keeper.post(url, follow=True).text
        assert queue_of(redis).count == 1


class TestUnreadableJob:
    def spoil(self, redis: Redis, **values: str | bytes) -> None:
        doorbell.ring(MESSAGE, queue="discovery")
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

    @pytest.mark.parametrize(
        "values",
        [
            {"status": "dancing"},
            {"created_at": "yesterday"},
            {"timeout": "soon"},
            {"origin": b"\xff"},
            {"meta": b"\xff"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_no_error_page(self, keeper: Client, redis: Redis, method: str, values: dict[str, str | bytes]) -> None:
        self.spoil(redis, **values)
        changing = ("clear", "delete", "actions", "requeue", "enqueue", "stop", "empty")

        for url in [url for url in urls() if method == "get" or not any(word in url for word in changing)]:
            assert getattr(keeper, method)(url).status_code in (200, 302, 405), url

    def test_leaves_a_way_out(self, keeper: Client, redis: Redis) -> None:
        self.spoil(redis, status="dancing")

        text = keeper.get(reverse("admin:django_rq_jobs", args=[0])).text
        keeper.post(reverse("admin:django_rq_clear", args=[0]))

        assert "Redis holds a job that RQ cannot read" in text
        assert f'href="{reverse("admin:django_rq_clear", args=[0])}"' in text
        assert queue_of(redis).count == 0

    def test_is_told_in_the_log(self, keeper: Client, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
        self.spoil(redis, status="dancing")

        keeper.get(page_of(MESSAGE.job_id))

        [record] = [record for record in caplog.records if record.name == "statemachine.dashboard"]
        assert record.exc_info

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


@pytest.fixture(params=["here", "in a thread"])
def asked(request: pytest.FixtureRequest, keeper: Client) -> Ask:
    """Ask for a page as a test does, and as a server with threads does."""

    def ask(url: str) -> Any:
        try:
            return keeper.get(url)
        finally:
            connections.close_all()

    def ask_in_a_thread(url: str) -> Any:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(ask, url).result()

    return ask if request.param == "here" else ask_in_a_thread


@pytest.mark.django_db(transaction=True)
class TestAbandonedJob:
    """Its worker was killed, and the time by which it should have been heard of again is over."""

    @pytest.fixture(params=[f"{__name__}.noted", "no.such.callback", None])
    def abandoned(self, request: pytest.FixtureRequest, redis: Redis, settings: Settings) -> Job:
        callback = request.param and Callback(request.param)
        job = queue_of(redis).enqueue("time.sleep", 600, job_id="abandoned", on_failure=callback, meta={"a": 1})
        worker = subprocess.Popen([sys.executable, "-c", _WORKER, settings.REDIS_URL], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not job.is_started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        worker.kill()
        worker.wait()
        redis.zunionstore("rq:wip:discovery", {"rq:wip:discovery": 0})  # long ago, instead of waiting
        return job

    def test_is_shown_on_every_page(self, abandoned: Job, asked: Ask) -> None:
        answers = {url: asked(url) for url in urls() + urls(job_id="abandoned")}

        assert {url for url, answer in answers.items() if answer.status_code not in (200, 302, 405)} == set()
        assert "Active Jobs" in answers[HOME].text
        assert "abandoned" in answers[reverse("admin:django_rq_started_jobs", args=[0])].text
        assert answers[f"{HOME}stats.json/"].json()["queues"][0]["started_jobs"] == 1

    def test_is_not_touched_by_looking(self, abandoned: Job, asked: Ask, redis: Redis) -> None:
        """Its callback is for a worker to run, and its data stays JSON."""
        before = redis.hgetall(abandoned.key)

        for url in urls() + urls(job_id="abandoned"):
            asked(url)

        assert redis.get("noted") is None
        assert redis.hgetall(abandoned.key) == before

    def test_is_no_hindrance_when_its_data_is_gone(self, abandoned: Job, asked: Ask, redis: Redis) -> None:
        redis.delete(abandoned.key)

        assert "Started Job Executions in discovery" in asked(reverse("admin:django_rq_started_jobs", args=[0])).text


_WORKER = """
import sys
from redis import Redis
from rq import Queue, SimpleWorker
redis = Redis.from_url(sys.argv[1])
SimpleWorker([Queue("discovery", connection=redis)], connection=redis, serializer="json").work()
"""


class TestRedisAway:
    @pytest.fixture(params=["down", "hanging"])
    def _away(self, request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
        with deaf_server() as port:
            settings.REDIS_URL = f"redis://127.0.0.1:{port if request.param == 'hanging' else 1}/0"
            settings.RQ_QUEUES = {"discovery": {"URL": settings.REDIS_URL, "SERIALIZER": "json"}}
            yield

    @pytest.mark.usefixtures("_away")
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_said_soon_and_at_every_address(self, keeper: Client, method: str) -> None:
        begun = time.monotonic()

        answers = {url: getattr(keeper, method)(url, follow=True) for url in urls() if "/schedulers/" not in url}

        assert {url for url, answer in answers.items() if dashboard.REDIS_SILENT not in answer.text} == set()
        assert time.monotonic() - begun < 10

    @pytest.mark.usefixtures("_away")
    def test_is_said_soon_when_it_goes_while_it_is_looked_at(
        self, keeper: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dashboard, "ask", lambda _question: True)
        begun = time.monotonic()

        answers = [
            keeper.get(url, follow=True) for url in (HOME, page_of("any"), reverse("admin:django_rq_workers", args=[0]))
        ]

        assert all(dashboard.REDIS_SILENT in answer.text for answer in answers)
        assert time.monotonic() - begun < 5


class TestRecordOfAJob:
    @pytest.fixture
    def lease(self, redis: Redis) -> Lease:
        return Lease.objects.create(agency="BLM", lease_number="NMNM 1", due_at=None)

    def job_of(self, pk: int, *, label: str = "leases.lease", state: str = "searching") -> str:
        message = Message(label=label, pk=pk, state=state, generation=1)
        doorbell.ring(message, queue="discovery")
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
        assert dashboard.job_url("toy_kettle-1-heating-1", user=olivia) == f"{HOME}queues/1/toy_kettle-1-heating-1/"
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
        doorbell.ring(MESSAGE, queue="discovery")

        assert dashboard.kept_jobs({MESSAGE.job_id, "never-was"}) == {MESSAGE.job_id}

    def test_are_none_while_redis_is_silent(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert dashboard.kept_jobs({MESSAGE.job_id}) == set()


class TestReplacements:
    def test_are_refused_when_there_is_nothing_to_replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(views, "StartedJobRegistry")

        with pytest.raises(AttributeError):
            looking.change_nothing()

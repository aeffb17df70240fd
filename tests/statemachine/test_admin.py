"""The log to look at, and RQ's dashboard for superusers only."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse
from django_rq.models import Dashboard
from pytest_django.fixtures import Settings
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from statemachine import doorbell
from statemachine.doorbell import Message
from statemachine.models import TransitionLog
from statemachine.transitions import Actor, Step, take
from tests.toy.models import Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LOG = "/admin/statemachine/transitionlog/"
MESSAGE = Message(label="leases.lease", pk=7, state="searching", generation=3)


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def staff(db: None) -> User:
    """Staff with every permission that django-rq and the records know, but no superuser."""
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(*Permission.objects.all())
    return user


@pytest.fixture
def kettle(olivia: User) -> Kettle:
    made = Kettle.objects.create(litres=1)
    step = Step(transition="switch_on", reason="thirsty", evidence={"cup": "<big>"})
    return take(model=Kettle, pk=made.pk, step=step, actor=Actor.person(olivia))


def job_count(redis: Redis) -> int:
    return int(Queue("discovery", connection=redis, serializer=JSONSerializer).count)


class TestTransitionLogAdmin:
    def test_lists_who_did_what(self, console: Client, kettle: Kettle) -> None:
        text = console.get(LOG).text

        assert "switch_on" in text
        assert "thirsty" in text
        assert f"toy.kettle {kettle.pk}" in text

    def test_leads_to_the_record_where_it_has_a_page(self, console: Client, olivia: User) -> None:
        TransitionLog.objects.create(
            record_type="leases.lease", record_id=7, transition="cancel", from_state="searching", to_state="pending",
            generation=1, actor_kind="user", lasted=timedelta(),
        )  # fmt: skip

        assert '<a href="/admin/leases/lease/7/change/">Lease 7</a>' in console.get(LOG).text

    def test_names_a_record_of_a_machine_that_is_gone(self, console: Client) -> None:
        TransitionLog.objects.create(
            record_type="gone.thing", record_id=7, transition="x", from_state="a", to_state="b", generation=1,
            actor_kind="worker", lasted=timedelta(),
        )  # fmt: skip

        assert "gone.thing 7" in console.get(LOG).text

    @pytest.mark.parametrize("name", ["actor_kind", "transition", "record_type"])
    def test_filters(self, console: Client, kettle: Kettle, name: str) -> None:
        value = getattr(TransitionLog.objects.get(), name)

        there = console.get(LOG, {name: value}).context["cl"].result_count
        elsewhere = console.get(LOG, {f"{name}__exact": "reconciler"}, follow=True).context["cl"].result_count

        assert (there, elsewhere) == (1, 0)

    def test_shows_the_evidence(self, console: Client, kettle: Kettle) -> None:
        text = console.get(f"{LOG}{TransitionLog.objects.get().pk}/change/").text

        assert "&quot;cup&quot;: &quot;&lt;big&gt;&quot;" in text

    @pytest.mark.parametrize("page", ["add/", "{pk}/change/", "{pk}/delete/"])
    def test_changes_nothing_by_a_hand_made_post(self, console: Client, kettle: Kettle, page: str) -> None:
        row = TransitionLog.objects.get()

        answer = console.post(LOG + page.format(pk=row.pk), {"reason": "forged", "post": "yes"})

        assert answer.status_code == 403
        assert TransitionLog.objects.get().reason == "thirsty"

    def test_is_for_who_may_look(self, client: Client) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert client.get(LOG).status_code == 403

    def test_asks_the_database_as_often_for_many_as_for_few(
        self, console: Client, olivia: User, kettle: Kettle
    ) -> None:
        console.get(LOG)
        with CaptureQueriesContext(connection) as few:
            console.get(LOG)
        for _ in range(20):
            take(
                model=Kettle,
                pk=Kettle.objects.create().pk,
                step=Step(transition="switch_on"),
                actor=Actor.person(olivia),
            )

        with CaptureQueriesContext(connection) as many:
            console.get(LOG)

        assert len(many) == len(few)


def dashboard_urls() -> list[str]:
    """Every address of the dashboard, for a job that is queued."""
    values: dict[str, Any] = {
        "queue_index": 0,
        "job_id": MESSAGE.job_id,
        "result_id": "r",
        "key": "rq:worker:w",
        "scheduler_index": 0,
        "connection_index": 0,
        "scheduler_name": "s",
        "cron_job_name": "c",
    }
    pages = [page for page in admin.site._registry[Dashboard].get_urls() if isinstance(page, URLPattern)]
    return [
        reverse(f"admin:{page.name}", kwargs={name: values[name] for name in page.pattern.converters}) for page in pages
    ]


class TestQueueDashboard:
    @pytest.fixture(autouse=True)
    def _queued(self, redis: Redis) -> None:
        doorbell.ring(MESSAGE, queue="discovery")
        # django-rq's page of a worker asserts that the worker exists.
        SimpleWorker(["discovery"], name="w", connection=redis, serializer=JSONSerializer).register_birth()  # type: ignore[no-untyped-call]

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_closed_to_staff_at_every_address(self, client: Client, staff: User, redis: Redis, method: str) -> None:
        client.force_login(staff)
        urls = dashboard_urls()

        answers = {url: getattr(client, method)(url, {"post": "yes"}).status_code for url in urls}

        assert len(urls) > 20
        assert answers == dict.fromkeys(urls, 403)
        assert job_count(redis) == 1

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_leads_nobody_to_the_login(self, client: Client, redis: Redis, method: str) -> None:
        for url in dashboard_urls():
            answer = getattr(client, method)(url)

            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")
        assert job_count(redis) == 1

    def test_is_not_offered_to_staff(self, client: Client, staff: User) -> None:
        client.force_login(staff)

        assert "django_rq" not in client.get("/admin/").text

    def test_is_offered_to_a_superuser(self, console: Client) -> None:
        assert 'href="/admin/django_rq/dashboard/"' in console.get("/admin/").text

    def test_breaks_at_no_address(self, console: Client) -> None:
        # rq-scheduler is another package, which is not installed; nothing leads to its page.
        urls = [url for url in dashboard_urls() if "/schedulers/" not in url]

        answers = {url: console.get(url).status_code for url in urls}

        assert {url: status for url, status in answers.items() if status >= 500} == {}

    def test_shows_a_job_with_its_arguments(self, console: Client) -> None:
        url = reverse("admin:django_rq_job_detail", args=[0, MESSAGE.job_id])

        text = console.get(url).text

        assert "statemachine.jobs.run" in text
        assert "leases.lease" in text

    def test_has_no_page_of_a_table_that_does_not_exist(self, console: Client) -> None:
        for page in ("add", "1/change", "1/delete", "1/history", "1"):
            assert console.get(f"/admin/django_rq/dashboard/{page}/").status_code == 404

    def test_is_asked_for_the_token_against_forgery(self, olivia: User, redis: Redis) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(olivia)

        answer = client.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"})

        assert answer.status_code == 403
        assert job_count(redis) == 1

    def test_empties_a_queue_for_a_superuser(self, console: Client, redis: Redis) -> None:
        console.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"})

        assert job_count(redis) == 0

    def test_says_that_redis_does_not_answer(self, console: Client, settings: Settings) -> None:
        settings.RQ_QUEUES = {"discovery": {"URL": "redis://127.0.0.1:1/0", "SERIALIZER": "json"}}

        answer = console.get("/admin/django_rq/dashboard/", follow=True)

        assert "Redis does not answer" in answer.text

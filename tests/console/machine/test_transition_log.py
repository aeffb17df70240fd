"""The log to look at, and RQ's dashboard for superusers only."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from console.machine import badges
from leases.models import Lease
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


def logged(record_type: str, record_id: int) -> TransitionLog:
    return TransitionLog.objects.create(
        record_type=record_type, record_id=record_id, transition="cancel", from_state="searching", to_state="pending",
        generation=1, actor_kind="worker", lasted=timedelta(),
    )  # fmt: skip


def job_count(redis: Redis) -> int:
    return int(Queue("discovery", connection=redis, serializer=JSONSerializer).count)


class TestTransitionLogAdmin:
    def test_lists_who_did_what(self, console: Client, kettle: Kettle) -> None:
        text = console.get(LOG).text

        assert '<td data-label="What" class="field-what">Switch on</td>' in text
        assert '<td data-label="Who" class="field-who">olivia</td>' in text
        assert "thirsty" in text
        assert f"Kettle {kettle}" in text
        assert f"{badges.state_badge(Kettle, 'cold')} → {badges.state_badge(Kettle, 'heating')}" in text

    def test_leads_to_the_record_where_it_has_a_page(self, console: Client, olivia: User) -> None:
        lease = Lease.objects.create(agency="BLM", lease_number="NMNM 7", created_by=olivia)
        row = logged("leases.lease", lease.pk)
        link = f'<a href="/admin/leases/lease/{lease.pk}/change/">Lease BLM NMNM 7</a>'

        assert link in console.get(LOG).text
        assert link in console.get(f"{LOG}{row.pk}/change/").text

    @pytest.mark.parametrize("kind", ["gone.thing", "leases.lease"])
    def test_names_a_record_that_is_gone(self, console: Client, kind: str) -> None:
        logged(kind, 7)

        assert f"{kind} 7, which is gone" in console.get(LOG).text

    @pytest.mark.parametrize(
        ("name", "other"),
        [("actor_kind__exact", "reconciler"), ("transition", "start_search"), ("record_type", "leases.lease")],
    )
    def test_filters(self, console: Client, kettle: Kettle, name: str, other: str) -> None:
        value = getattr(TransitionLog.objects.get(), name.removesuffix("__exact"))

        there = console.get(LOG, {name: value}).context["cl"].result_count
        elsewhere = console.get(LOG, {name: other}).context["cl"].result_count

        assert (there, elsewhere) == (1, 0)

    @pytest.mark.parametrize("name", ["transition", "record_type"])
    def test_filters_by_nothing_that_the_code_does_not_know(self, console: Client, kettle: Kettle, name: str) -> None:
        """All the rows would be read to find none."""
        assert console.get(LOG, {name: "elsewhere"})["Location"] == f"{LOG}?e=1"

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

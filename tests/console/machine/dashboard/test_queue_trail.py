"""The way to each of RQ's pages begins where the main navigation does, and ends at the page."""

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from redis import Redis

from console.machine.queue_trail import trail_of
from tests.console.machine.dashboard.conftest import HOME, MESSAGE, queue_of, work

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

BEFORE = ["Start", "System", "Queues"]


def trail(client: Client, page: str, *args: Any) -> list[str]:
    """The words of the trail on a page, in which only the last is no link."""
    text = client.get(reverse(f"admin:django_rq_{page}", args=args)).text
    assert text.count('<ol class="breadcrumbs">') == 1
    assert '<div class="breadcrumbs">' not in text
    steps = text.partition('<ol class="breadcrumbs">')[2].partition("</ol>")[0].split("</li>")[:-1]
    assert ["<a href=" in step for step in steps] == [True] * (len(steps) - 1) + [False]
    return [unescape(step.removesuffix("</a>").rpartition(">")[2]) for step in steps]


@pytest.mark.usefixtures("queued")
class TestTrail:
    @pytest.mark.parametrize(
        ("page", "args", "end"),
        [
            ("home", [], []),
            ("queue_details", [0], ["discovery"]),
            ("jobs", [0], ["discovery", "Jobs"]),
            ("failed_jobs", [0], ["discovery", "Failed jobs"]),
            ("clear", [0], ["discovery", "Clear"]),
            ("job_detail", [0, MESSAGE.job_id], ["discovery", MESSAGE.job_id]),
            ("job_detail", [0, "never-was"], ["discovery", "never-was"]),
            ("delete_job", [0, MESSAGE.job_id], ["discovery", MESSAGE.job_id, "Delete job"]),
            ("workers", [0], ["discovery", "Workers"]),
            ("worker_details", [0, "rq:worker:w"], ["discovery", "Workers", "w"]),
        ],
    )
    def test_ends_at_the_page(self, client: Client, olivia: User, page: str, args: list[Any], end: list[str]) -> None:
        client.force_login(olivia)

        assert trail(client, page, *args) == [*BEFORE, *end]

    def test_ends_at_a_result(self, client: Client, olivia: User, redis: Redis) -> None:
        job = queue_of(redis).enqueue("time.time", result_ttl=60)
        work(redis)
        client.force_login(olivia)

        result = job.results()[0].id

        assert trail(client, "result_detail", 0, job.id, result) == [*BEFORE, "discovery", job.id, result]

    def test_leads_over_the_system_only_whom_it_is_for(self, olivia: User, keeper: Client) -> None:
        assert trail(keeper, "home") == BEFORE

    @pytest.mark.parametrize(
        ("address", "end"),
        [
            ("cron-schedulers/0/s/", ["s"]),
            ("cron-schedulers/0/s/jobs/nightly/tidy/", ["s", "nightly/tidy"]),
            ("queues/99/", ["Jobs"]),
        ],
    )
    def test_knows_what_is_not_used_here_and_what_is_not_there(
        self, olivia: User, rf: RequestFactory, address: str, end: list[str]
    ) -> None:
        asked = rf.get(f"{HOME}{address}")
        asked.user = olivia
        asked.resolver_match = resolve(asked.path)

        assert [step.words for step in trail_of(asked)] == [*BEFORE, *end]

    def test_is_none_where_there_is_no_page(self, rf: RequestFactory) -> None:
        assert trail_of(rf.get(HOME)) == []

"""When the watched archives are seen to: every few seconds, and at once when Dropbox tells of a change."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from redis import Redis

from cloud.models import DropboxAccount
from discovery.services.archive_watches import ARCHIVE_WATCH
from statemachine import duties, jobs
from tests.cloud.test_webhooks import signature
from tests.discovery.watching import absent, owed, rung, told, work
from tests.factories import BLM, configured, watched

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture(autouse=True)
def _every_five_seconds(settings: Settings) -> None:
    settings.ARCHIVE_WATCH_EVERY_S = 5


def notify(client: Client, account_id: str) -> None:
    body = json.dumps({"list_folder": {"accounts": [account_id]}}).encode()
    headers = {"X-Dropbox-Signature": signature(body)}
    assert client.post("/dropbox/webhook/", body, content_type="application/json", headers=headers).status_code == 200


class TestDuty:
    def test_is_due_as_often_as_the_settings_say(self, settings: Settings) -> None:
        duty = duties.named(ARCHIVE_WATCH)

        assert duty is not None
        assert (duty.queue, duty.every_s(), duty.at_start) == ("discovery", 5, False)

    def test_notices_what_appears(self, operator: User, dropbox: "Standin", redis: Redis) -> None:
        configured()
        absent(operator, "NMNM 1")
        jobs.attend(ARCHIVE_WATCH)
        work()
        jobs.attend(ARCHIVE_WATCH)
        assert owed() == {}
        dropbox.put(f"{BLM}/NMNM 1/")
        told()

        jobs.attend(ARCHIVE_WATCH)
        work()
        jobs.attend(ARCHIVE_WATCH)

        assert owed() == {"NMNM 1": "an archive appeared"}

    def test_is_rung_for_when_a_run_has_ended(
        self, operator: User, dropbox: "Standin", redis: Redis, django_capture_on_commit_callbacks: Any
    ) -> None:
        configured()
        absent(operator, "NMNM 1")
        jobs.attend(ARCHIVE_WATCH)
        assert not rung(redis)

        with django_capture_on_commit_callbacks(execute=True):
            work()

        assert rung(redis)


class TestNotification:
    def test_rings_at_once_for_an_account_whose_archives_are_watched(
        self, client: Client, operator: User, redis: Redis
    ) -> None:
        account = DropboxAccount.objects.get()
        watched(account)

        notify(client, account.account_id)

        assert rung(redis) == [ARCHIVE_WATCH]

    def test_does_not_ring_for_another_account(self, client: Client, operator: User, redis: Redis) -> None:
        notify(client, DropboxAccount.objects.get().account_id)

        assert rung(redis) == []

    def test_does_not_ring_where_nothing_is_watched_by_the_settings(
        self, client: Client, operator: User, redis: Redis, settings: Settings
    ) -> None:
        settings.ARCHIVE_WATCH_EVERY_S = 0
        account = DropboxAccount.objects.get()
        watched(account)

        notify(client, account.account_id)

        assert rung(redis) == []

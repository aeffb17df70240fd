"""What the watched folders of archives tell at a scrape."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery import metrics
from leases.models import AgencyStorageConfig
from storage.models import IndexRun, RunState, StorageRoot
from tests.discovery.watching import absent
from tests.factories import configured, watched

pytestmark = pytest.mark.django_db

TOKEN = "scrape-me-if-you-can"


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def told(client: Client) -> dict[str, float]:
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    samples = [each for family in text_string_to_metric_families(answer.text) for each in family.samples]
    return {
        each.name.removeprefix("runsheet_archives_"): each.value
        for each in samples
        if each.name.startswith("runsheet_archives_")
    }


def test_nothing_is_watched(client: Client) -> None:
    assert told(client) == {"watched": 0}


def test_the_age_of_what_is_known(client: Client, operator: User) -> None:
    configured()
    absent(operator)
    watched(DropboxAccount.objects.get(), read_at=now() - timedelta(minutes=2))

    found = told(client)

    assert 120 <= found.pop("read_age_seconds") < 180
    assert found == {"watched": 1, "stuck": 0}


def test_a_refused_run_is_told(client: Client, operator: User) -> None:
    configured()
    absent(operator)
    root = watched(DropboxAccount.objects.get(), read_at=None).root
    IndexRun.objects.create(root=root, state=RunState.REFUSED, refusal="Gone.", due_at=None)

    assert told(client) == {"watched": 1, "stuck": 1}


def test_what_nobody_needs_any_more_is_not_counted(client: Client, operator: User) -> None:
    configured()
    absent(operator)
    watched(DropboxAccount.objects.get())
    AgencyStorageConfig.objects.update(watched=False)

    assert told(client)["watched"] == 0
    assert StorageRoot.objects.exists()


def test_without_the_database_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(metrics, "watches_standing", away)

    assert list(metrics.ArchiveCollector().collect()) == []

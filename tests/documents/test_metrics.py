"""What is told of the rooms for documents at a scrape."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from pytest_django.fixtures import Settings

from documents import metrics
from documents.models import Quota

pytestmark = pytest.mark.django_db
FULLEST, FULL = "runsheet_documents_quota_fullest_ratio", "runsheet_documents_quota_nearly_full"


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    """Of who has none of their own: people 1,000 bytes, agencies as much as there is."""
    settings.DOCUMENTS_QUOTA_BYTES, settings.DOCUMENTS_AGENCY_QUOTA_BYTES = 1_000, 0


def room(name: str, **values: int) -> None:
    Quota.objects.create(user=User.objects.create(username=name), **values)


def told(name: str) -> dict[str, float]:
    return {
        each.labels["whose"]: each.value
        for family in metrics.QuotaCollector().collect()
        for each in family.samples
        if each.name == name
    }


def test_nobody_has_anything() -> None:
    assert told(FULLEST) == told(FULL) == {"people": 0, "agencies": 0}


def test_the_fullest_tells(settings: Settings) -> None:
    room("olivia", used_bytes=300)
    room("paul", used_bytes=700, reserved_bytes=200)
    room("quinn", used_bytes=2_000, limit_bytes=1_000_000)
    Quota.objects.create(agency="BLM", used_bytes=40, limit_bytes=80)

    assert told(FULLEST) == {"people": 0.9, "agencies": 0.5}
    assert told(FULL) == {"people": 1, "agencies": 0}


def test_what_has_no_limit_and_what_may_have_nothing_is_not_full() -> None:
    room("olivia", limit_bytes=0, used_bytes=500)
    Quota.objects.create(agency="BLM", used_bytes=10**15)

    assert told(FULLEST) == {"people": 0, "agencies": 0}


def test_without_the_database_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dict[str, float]:
        raise OperationalError

    monkeypatch.setattr(metrics, "_fullest", away)

    assert list(metrics.QuotaCollector().collect()) == []

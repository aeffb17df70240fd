"""What is told of the connections to Dropbox at a scrape."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings

from cloud.metrics import ConnectionCollector
from core.base.clock import now
from tests.factories import account

pytestmark = pytest.mark.django_db


def connected(name: str, *, is_active: bool = True, **values: object) -> None:
    user = User.objects.create(username=name, is_active=is_active)
    account(user=user, account_id=f"dbid:{name}", **values).save()


def told() -> dict[str, float]:
    return {each.labels["state"]: each.value for family in ConnectionCollector().collect() for each in family.samples}


def test_nobody_is_connected() -> None:
    assert told() == {"working": 0, "paused": 0, "broken": 0, "unreadable": 0}


def test_each_is_in_one_state() -> None:
    connected("olivia")
    connected("paul", paused_until=now() + timedelta(minutes=5))
    connected("quinn", paused_until=now() - timedelta(minutes=5))
    connected("rosa", paused_until=now() + timedelta(minutes=5), needs_reconnect_reason="It was revoked.")

    assert told() == {"working": 2, "paused": 1, "broken": 1, "unreadable": 0}


def test_tokens_that_no_key_opens_are_told() -> None:
    connected("olivia")

    with override_settings(TOKEN_ENCRYPTION_KEYS=[Fernet.generate_key().decode()]):
        assert told()["unreadable"] == 1


def test_who_has_left_counts_no_more() -> None:
    connected("olivia", is_active=False, needs_reconnect_reason="It was revoked.")

    assert sum(told().values()) == 0


def test_without_the_database_nothing_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cloud_dropboxaccount RENAME TO gone")

    assert told() == {}

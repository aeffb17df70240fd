"""After everything that can go right and wrong: no token and no key in the database, Redis, the logs or the mails."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection

from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account
from leases import services
from leases.models import Lease
from tests.live import BLM, METRICS_TOKEN, PASSWORD, System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

# Dropbox's short-lived tokens, whichever was issued meanwhile.
ANY_ACCESS_TOKEN = re.compile(rb"\bsl\.[\w-]{20,}")


def dump_of_the_database() -> bytes:
    """Every row of every table as text, and what lies encoded in it."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT each::text FROM "{table}" AS each')
            rows += [f"{table}: {text}" for (text,) in cursor.fetchall()]
    sessions = [row.get_decoded() for row in Session.objects.all()]
    return "\n".join([*rows, json.dumps(sessions)]).encode()


def dump_of_redis(system: System) -> bytes:
    """Every key by its value, and the file that Redis writes."""
    redis = system.valkey.client()
    readers: dict[Any, Callable[[Any], object]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
        b"none": lambda key: "gone meanwhile",
    }
    values = [(key, readers[redis.type(key)](key)) for key in redis.scan_iter()]
    redis.save()
    files = [path.read_bytes() for path in system.valkey.directory.rglob("*") if path.is_file()]
    return repr(values).encode() + b"".join(files)


def logs_of(system: System) -> bytes:
    return b"".join(path.read_bytes() for path in system.logs.iterdir())


def spellings(secret: str) -> Iterator[bytes]:
    """The secret as it stands, and as it looks inside of what encodes it."""
    plain = secret.encode()
    yield plain
    yield quote(secret, safe="").encode()
    yield plain.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        # Of each alignment only what does not depend on the neighbours.
        yield encoded[4 if shift else 0 : len(encoded) - 4]


def found(secrets: dict[str, str], where: bytes) -> list[str]:
    named = [name for name, secret in secrets.items() if any(each in where for each in spellings(secret))]
    return named + [match.decode() for match in ANY_ACCESS_TOKEN.findall(where)]


@pytest.fixture
def lived(person: User, dropbox: "Standin", system: System) -> dict[str, str]:
    """Leases have ended in every way; returned are the secrets that played a part, by name."""
    account = connect_account(user=person, refresh_token=dropbox.issue_tokens("olivia").refresh_token)
    dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf", f"{BLM}/NMNM 2/", f"{BLM}/NMNM 4/", f"{BLM}/NMNM 5/")
    dropbox.policy("access_denied", path=f"{BLM}/NMNM 2")
    echo = {"error_summary": account.access_token, "error": {".tag": account.access_token}}
    dropbox.fault("files/list_folder", status=409, body=echo, times=9, path=f"{BLM}/NMNM 4")
    text = f"Error in call: the token {account.access_token} of {account.refresh_token} is odd"
    dropbox.fault("files/list_folder", status=400, body=text, path=f"{BLM}/NMNM 5")
    numbers = [f"NMNM {number}" for number in range(1, 6)]
    for number in numbers:
        services.create_lease(agency="BLM", lease_number=number, created_by=person)
    await_that(lambda: Lease.objects.filter(due_at__isnull=True).count() == len(numbers), within_s=30)
    dropbox.revoke("olivia")
    services.create_lease(agency="BLM", lease_number="NMNM 6", created_by=person)
    await_that(lambda: Lease.objects.filter(failure_code="connect_dropbox").count() == 1, within_s=30)
    await_that(lambda: any("NMNM 6" in mail for mail in system.mails()), within_s=30)
    return {
        "refresh token": account.refresh_token,
        "access token": account.access_token,
        "app secret": system.environment["DROPBOX_APP_SECRET"],
        "encryption key": django_settings.TOKEN_ENCRYPTION_KEYS[0],
        "password": PASSWORD,
        "metrics token": METRICS_TOKEN,
    }


class TestSecrets:
    def test_are_nowhere_after_a_run(self, lived: dict[str, str], system: System) -> None:
        logs = logs_of(system)
        places = {
            "database": dump_of_the_database(),
            "redis": dump_of_redis(system),
            "logs": logs,
            "mails": "".join(system.mails()).encode(),
        }

        assert {name: found(lived, where) for name, where in places.items()} == {name: [] for name in places}
        # What was searched is what was written.
        account = DropboxAccount.objects.get()
        assert account.account_id.encode() in places["database"]
        assert b"rq:" in places["redis"]
        assert account.account_id.encode() in logs

    def test_of_an_answer_of_dropbox_are_not_in_the_log_of_requests(self, system: System) -> None:
        """Who was logged out meanwhile leaves a code unused, in two addresses."""
        secrets = {"state": "s" * 43, "code": "c" * 43}

        requests.get(f"{system.url}/dropbox/callback/", params=secrets, timeout=30)

        await_that(lambda: b"/login/?next=" in logs_of(system), within_s=10)
        assert b"/dropbox/callback/?state=" in logs_of(system)
        assert found(secrets, logs_of(system)) == []

    @pytest.mark.parametrize("encode", [str, lambda text: quote(text, safe=""), lambda text: text.encode().hex()])
    def test_would_be_found(self, encode: object) -> None:
        assert callable(encode)

        assert found({"key": "a key/with=signs"}, f"before {encode('a key/with=signs')} after".encode()) == ["key"]

    @pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
    def test_would_be_found_inside_of_base64(self, before: str) -> None:
        where = base64.b64encode(f"{before}a-secret-of-some-length, and more".encode())

        assert found({"key": "a-secret-of-some-length"}, where) == ["key"]

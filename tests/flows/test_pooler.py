"""Web, workers and reconciler through Debian's PgBouncer, which hands each transaction to another connection."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import requests
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db import connection as django_connection
from psycopg.conninfo import make_conninfo

from core.base.database import in_words
from leases.models import Lease
from statemachine.models import TransitionLog
from tests import live, pooler
from tests.api.conftest import made
from tests.flows.conftest import BLM
from tests.live import System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.process,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(pooler.PROGRAM is None, reason="PgBouncer is not on this machine: apt-get install pgbouncer"),
    pooler.unpooled,
]
MANY = 30
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def pooler_at(database_url: str) -> Iterator[Path]:
    """Where its socket and its log are."""
    with tempfile.TemporaryDirectory(prefix="pooler-") as directory, pooler.pooled(database_url, Path(directory)):
        yield Path(directory)


@pytest.fixture
def address(pooler_at: Path, database_url: str) -> str:
    """Of the test's database, through the pooler, for whoever works."""
    dbname = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    return pooler.address(pooler_at, dbname=str(dbname))


@pytest.fixture
def through_it(operator: User, address: str, standin_process: "Standin") -> Iterator[System]:
    told = {"DATABASE_URL": address, "DATABASE_POOLER": "transaction"}
    with live.site(standin_process, **told) as running, running.working() as system:
        yield system


def test_leases_are_found_and_shown(through_it: System, operator: User, dropbox: "Standin", pooler_at: Path) -> None:
    numbers = [f"NMNM {each}" for each in range(MANY)]
    dropbox.put(*[f"{BLM}/{number}/Master Documents.pdf" for number in numbers])
    asking = {"Authorization": f"Bearer {made(operator).secret}"}
    leases = f"{through_it.url}/api/v1/leases/"

    sent = requests.post(
        f"{leases}bulk/",
        json={"items": [{"agency": "BLM", "number": each} for each in numbers]},
        headers=asking,
        timeout=30,
    )
    await_that(lambda: Lease.objects.filter(state="done").count() == MANY, within_s=90)
    listed = requests.get(leases, params={"state": "done", "total": "true"}, headers=asking, timeout=30)

    assert sent.status_code < 400, sent.text
    assert listed.json()["total"] == MANY
    assert TransitionLog.objects.filter(to_state="done").count() == MANY
    logins = (pooler_at / "log").read_text().count("login attempt")
    assert logins >= 4, "web, two workers and the reconciler came this way"


class TestWhatItSays:
    @pytest.mark.parametrize(("name", "seconds"), [("runsheet_web", "15s"), ("runsheet", "0")])
    def test_is_how_long_a_statement_may_take(self, pooler_at: Path, name: str, seconds: str) -> None:
        with psycopg.connect(pooler.address(pooler_at, dbname=name), autocommit=True) as connection:
            found = [connection.execute(f"SHOW {each}").fetchone() for each in LIMITS]

        assert found == [(seconds,), ("10s",), ("40s",)]

    def test_is_that_it_may_open_as_many_files_as_it_needs(self, pooler_at: Path) -> None:
        said = (pooler_at / "log").read_text()

        (told,) = re.findall(r"file descriptor limit: (\d+) .* max expected fd use: (\d+)", said)

        assert int(told[0]) >= int(told[1]) > 1000, said

    def test_is_that_it_is_one_to_who_connects_as_to_none(self, address: str) -> None:
        own, given = django_connection.copy(), psycopg.conninfo.conninfo_to_dict(address)
        told = {"HOST": given["host"], "PORT": given["port"], "USER": given["user"], "PASSWORD": given["password"]}
        own.settings_dict = {**own.settings_dict, **told}

        with pytest.raises(OperationalError) as refused:
            own.ensure_connection()

        assert in_words(refused.value).startswith(
            "A pooler stands before PostgreSQL, and does not take how we connect (unsupported startup parameter"
        )

    def test_is_nothing_that_migrations_mind(self, address: str) -> None:
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as connection:
            connection.execute("CREATE TABLE migrated (id int)")
            try:
                connection.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON migrated (id)")
                found = connection.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'once'::regclass")
                assert found.fetchall() == [(True,)]
            finally:
                connection.execute("DROP TABLE migrated")

    def test_is_who_asks(self, address: str) -> None:
        with psycopg.connect(address, fallback_application_name="runsheet reconciler") as connection:
            found = connection.execute("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            assert found.fetchall() == [("runsheet reconciler",)]
        with psycopg.connect(address, fallback_application_name="runsheet worker") as connection:
            assert connection.execute("SHOW application_name").fetchall() == [("runsheet worker",)]

    def test_is_nothing_to_who_has_another_password(self, pooler_at: Path) -> None:
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(make_conninfo(pooler.address(pooler_at, dbname="runsheet"), password="guessed"))

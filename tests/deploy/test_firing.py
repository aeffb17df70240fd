"""The alerts are tried by breaking the house: a real Prometheus sees them fire over the real /metrics.

What is not tried so, and why: `NOT_TRIED`. All of them are tried by promtool.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.db import connections

from bench.outages import postgres_closed
from core.base import redis_client
from tests.deploy import breaking, firing, reading
from tests.deploy.firing import House, Prometheus
from tests.live import await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

NOT_TRIED = {
    "RunsheetConnectionsNearlyUsedUp": "the server is that of all tests, which would find no connection any more",
    "RunsheetArchivingFails": "the server is that of all tests, and archives nothing",
    "RunsheetTransactionOpen": "it takes four hours",
    "RunsheetReplicaBehind": "the replica of the house is away; tests/core/ops/test_replica.py has one that is behind",
}
# From the beginning, and as long as the house stands.
ALWAYS = {"RunsheetDiskNearlyFull", "RunsheetReplicaAway"}
MANY = 100

pytestmark = [
    pytest.mark.process,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(firing.PROMETHEUS is None, reason="there is no prometheus (Debian: apt-get install prometheus)"),
]


@pytest.fixture
def house(tmp_path: Path, dropbox: "Standin", settings: Any) -> Iterator[House]:
    """One of this test alone, which may be broken."""
    with firing.house(tmp_path, dropbox) as found:
        settings.REDIS_URL = found.valkey.url
        place = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": {"directory": str(found.documents)}}
        settings.STORAGES = settings.STORAGES | {"documents": place}
        redis_client._silent_until.clear()
        yield found


def test_alerts_fire_when_the_house_breaks(house: House, tmp_path: Path, olivia: User, database_url: str) -> None:
    with firing.prometheus(tmp_path / "prometheus", target=house.url) as prometheus:
        with house.answering():
            prometheus.await_firing("RunsheetNoReconciler", "RunsheetNoWorkers", *ALWAYS)
            with house.working():
                await_that(lambda: prometheus.firing() == ALWAYS, within_s=firing.WITHIN_S)

            break_what_is_counted(house, prometheus, olivia)
            empty = panels_without_anything(prometheus)
            break_what_lies_in_storage(house, prometheus)
            empty &= panels_without_anything(prometheus)

            with postgres_closed(database_url):
                prometheus.await_firing("RunsheetDatabaseDown")
                ask_in_vain(house, prometheus)
            connections.close_all()  # ours was ended, too
            prometheus.await_firing("RunsheetWebErrors")
            assert empty & panels_without_anything(prometheus) == set()

            house.valkey.kill()
            prometheus.await_firing("RunsheetRedisDown")
        prometheus.await_firing("RunsheetUnreachable")

    assert {rule["alert"] for rule in reading.rules()} - prometheus.seen == set(NOT_TRIED)


def break_what_is_counted(house: House, prometheus: Prometheus, olivia: User) -> None:
    """What stands in tables, in Redis and in tallies."""
    breaking.break_connections()
    breaking.owe_for_long(olivia)
    breaking.lose_archives()
    breaking.fill_quota(olivia)
    breaking.leave_mails_unsent(olivia)
    breaking.leave_backup_old()
    breaking.tally_all(1)
    prometheus.await_scrape()
    breaking.fail_documents(olivia)
    breaking.tally_all(MANY)
    with house.valkey.client() as redis:
        breaking.keep_worker_busy(redis)

    prometheus.await_firing(
        "RunsheetArchivesOld",
        "RunsheetArchivesStuck",
        "RunsheetBug",
        "RunsheetConnectionBroken",
        "RunsheetDocumentsFail",
        "RunsheetDropboxFails",
        "RunsheetDropboxPaused",
        "RunsheetFailuresRising",
        "RunsheetLinksGuessed",
        "RunsheetMailsNotSent",
        "RunsheetMessagesLost",
        "RunsheetQueueBehind",
        "RunsheetQuotaNearlyFull",
        "RunsheetScannerAway",
        "RunsheetTokensUnreadable",
        "RunsheetTooFewWorkers",
        "RunsheetWebSlow",
        "RunsheetWorkByHandWaits",
        "RunsheetWorkStuck",
        "RunsheetWorkersLost",
    )


def break_what_lies_in_storage(house: House, prometheus: Prometheus) -> None:
    breaking.fill_documents(house)
    prometheus.await_scrape()
    breaking.delete_documents(house)
    prometheus.await_firing("RunsheetFilesMissing")
    breaking.find_unreadable()
    prometheus.await_firing("RunsheetIndexErrors", "RunsheetIndexOld")
    breaking.unmount(house)
    prometheus.await_firing("RunsheetIndexStuck", "RunsheetStorageUnreachable")


def panels_without_anything(prometheus: Prometheus) -> set[str]:
    """Queries of the dashboard that are answered with nothing just now."""
    return {f"{each.where}: {each.text}" for each in reading.queries_of_dashboard() if not prometheus.values(each.text)}


def ask_in_vain(house: House, prometheus: Prometheus) -> None:
    """A page that cannot be shown without the database, which is away."""
    for _ in range(2):  # an increase is seen from the second scrape on
        for _ in range(10):
            with pytest.raises(HTTPError, match="503"):
                urlopen(f"{house.url}/public/nothing/", timeout=10)
        prometheus.await_scrape()

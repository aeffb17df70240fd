"""A file that somebody lays into storage stands in the index within a minute, and nobody has pressed anything."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from redis import Redis

from core.local.processes import child_environment
from core.local.programs import RECONCILER, worker
from core.local.servers import ServerUrls
from statemachine.models import Heartbeat
from storage.models import ACTIVE, IndexRun, Occasion, StoredFile
from tests.forking import Forks
from tests.storage.trees import Tree

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]
# A minute is what people are told; here it is looked more often, on a machine that may be busy.
WITHIN_S = 60


def eventually(condition: Callable[[], object], *, what: str, logs: Path) -> None:
    until = time.monotonic() + WITHIN_S
    while not condition():
        said = "\n".join(path.read_text()[-2_000:] for path in logs.glob("*.log"))
        assert time.monotonic() < until, f"{what}: never\n{said}"
        time.sleep(0.05)


def is_quiet() -> bool:
    return not IndexRun.objects.filter(state__in=sorted(ACTIVE)).exists()


@pytest.fixture
def system(tree: Tree, redis: Redis, prepared: Forks, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The reconciler and a worker, as real programs, on this test's root; where their logs are."""
    logs, of = tmp_path / "logs", connection.settings_dict
    logs.mkdir()
    url = f"postgresql://{of['USER']}:{of['PASSWORD']}@{quote(of['HOST'], safe='')}:{of['PORT']}/{of['NAME']}"
    environment = child_environment(
        ServerUrls(database_url=url, redis_url=settings.REDIS_URL),
        DOCUMENTS_DIRECTORY=str(tree.path),
        STORAGE_LOOK_EVERY_S="1",
        RECONCILE_INTERVAL_S="0.2",
    )
    with ExitStack() as stack:
        for program in (worker(count=1, queue="storage"), RECONCILER):
            log = logs / f"{program.name}.log"
            stack.enter_context(prepared.serving(*program.command, environment=environment, log=log))
        yield logs


def test_without_anybodys_help(tree: Tree, system: Path) -> None:
    eventually(IndexRun.objects.filter(state="done").exists, what="the first run", logs=system)
    eventually(is_quiet, what="rest", logs=system)

    tree.put("7/scans/deed.pdf")
    eventually(StoredFile.objects.filter(key="7/scans/deed.pdf").exists, what="the file", logs=system)

    def is_at_rest() -> bool:
        """Two looks have come and gone, and have left nothing."""
        count, looked = IndexRun.objects.count(), looked_at()
        eventually(lambda: looked_at() != looked, what="another look", logs=system)
        looked = looked_at()
        eventually(lambda: looked_at() != looked, what="another look", logs=system)
        return IndexRun.objects.count() == count

    eventually(is_at_rest, what="rest", logs=system)
    occasions = set(IndexRun.objects.values_list("occasion", flat=True))
    assert Occasion.SEEN in occasions
    assert Occasion.ASKED not in occasions


def looked_at() -> object:
    return Heartbeat.objects.get(name="duty storage_look").at

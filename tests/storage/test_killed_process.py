"""`kill -9` of a real program in the middle of a run; whoever comes next goes on from there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.db.models.functions import Now
from redis import Redis

from core.local.processes import child_environment
from core.local.servers import ROOT, ServerUrls
from storage.models import IndexRun
from storage.services import IndexSyncService
from tests.storage.conftest import changes, rows
from tests.storage.trees import Tree

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]
FILES, WITHIN_S = 12_000, 90


@pytest.fixture
def program(tree: Tree, redis: Redis, settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, at the root of this test; it rests after each batch, so that it can be met in the middle."""
    settings.STORAGE_ROOTS = {"documents": {"kind": "files", "path": tree.path, "owned": True}}
    for owner in ("7", "8"):
        tree.fill(f"{owner}/scans", FILES // 2)
    of = connection.settings_dict
    url = f"postgresql://{of['USER']}:{of['PASSWORD']}@{quote(of['HOST'], safe='')}:{of['PORT']}/{of['NAME']}"
    environment = child_environment(
        ServerUrls(database_url=url, redis_url=settings.REDIS_URL),
        DOCUMENTS_DIRECTORY=str(tree.path),
        STORAGE_INDEX_ENTRIES_PER_S="5000",
    )
    command = [sys.executable, "manage.py", "rebuild_index", "--mode", "sync"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as running:
        yield running
        running.kill()


def test_is_survived_by_its_run(tree: Tree, program: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WITHIN_S
    while not IndexRun.objects.filter(state="planning", planned_up_to__gte=5_000).exists():
        assert time.monotonic() < until
        assert program.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    run = IndexRun.objects.get()
    kept = run.planned_up_to

    # Instead of waiting until its claim has run out.
    IndexRun.objects.update(claimed_until=Now(), due_at=Now())
    done = IndexSyncService().work(run_id=run.pk)

    assert done.state == "done"
    assert kept >= 5_000, "what it had planned was not lost"
    assert len(changes(done)) == FILES + 4
    assert rows() == tree.oracle()

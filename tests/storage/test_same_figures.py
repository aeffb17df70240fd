"""Whatever way a run is started, it comes to the same figures and the same rows."""

import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from storage.models import IndexRun, StorageRoot
from storage.services import IndexSyncService, RunReport
from storage.tasks import rebuild_storage_index
from tests.storage.conftest import NO_GRACE
from tests.storage.trees import LONG_AGO_NS, Tree
from tests.workers import work_off

pytestmark = pytest.mark.django_db

type Way = Callable[[str, str], dict[str, Any]]
MODES = ("audit", "sync", "clean", "full")


@pytest.fixture
def ways(redis: Redis, client: Client, olivia: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, Way]:
    """Each takes a mode and a root, and returns what it says at the end."""
    queue = Queue("storage", connection=redis, serializer=JSONSerializer)
    client.force_login(olivia)

    def by_service(mode: str, root: str) -> dict[str, Any]:
        service = IndexSyncService()
        run = service.start(mode=mode, root=root, force=True, grace=NO_GRACE, rings=False)
        return RunReport.of(service.work(run_id=run.pk)).document

    def by_command(mode: str, root: str) -> dict[str, Any]:
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("rebuild_index", mode=mode, root=root, force=True, grace_days=0, format="json", stdout=out)
        return dict(json.loads(out.getvalue()))

    def by_interface(mode: str, root: str) -> dict[str, Any]:
        def work(_seconds: float) -> None:
            IndexSyncService().work(run_id=IndexRun.objects.latest("pk").pk)

        with monkeypatch.context() as patch:
            patch.setattr("storage.services.sleep", work)
            wish = {"mode": mode, "root": root, "force": True, "grace_days": 0}
            answer = client.post("/api/v1/index/rebuild/?wait=20", json.dumps(wish), content_type="application/json")
        assert answer.status_code == 200
        return dict(answer.json())

    def by_task(mode: str, root: str) -> dict[str, Any]:
        result = rebuild_storage_index.enqueue(mode=mode, root=root, force=True, grace_days=0)
        work_off(queue)
        result.refresh()
        return dict(result.return_value)

    def by_console(mode: str, root: str) -> dict[str, Any]:
        said = {"mode": mode, "root": root, "force": "on", "grace_days": "0"}
        assert client.post("/admin/storage/indexrun/add/", said).status_code == 302
        run = IndexRun.objects.latest("pk")
        return RunReport.of(IndexSyncService().work(run_id=run.pk)).document

    return {
        "service": by_service,
        "command": by_command,
        "interface": by_interface,
        "task": by_task,
        "console": by_console,
    }


def roots(tree: Tree, settings: Any, names: list[str]) -> dict[str, Tree]:
    """As many copies of the same files as there are names, each a root that is known as it was, and then changed alike."""
    tree.put(*(f"7/scans/{number:02}.pdf" for number in range(12)), "8/deed.pdf", at_ns=LONG_AGO_NS)
    copies = {}
    for name in names:
        path = tree.path.with_name(name)
        shutil.copytree(tree.path, path)
        settings.STORAGE_ROOTS[name] = {"kind": "files", "path": path, "owned": True}
        service = IndexSyncService()
        service.work(run_id=service.start(mode="sync", root=name, rings=False).pk)
        copies[name] = Tree(path)
    for copy in copies.values():
        copy.put("7/new", "8/scans/new", at_ns=LONG_AGO_NS + 1_000)
        copy.put("7/scans/00.pdf", text="longer than before", at_ns=LONG_AGO_NS + 2_000)
        copy.remove("7/scans/01.pdf", "7/scans/02.pdf")
        copy.move("8/deed.pdf", "8/scans/deed.pdf")
        Path(copy.path, "7/dangling").symlink_to("nowhere")
    return copies


def figures(said: dict[str, Any]) -> dict[str, Any]:
    """All but the run's own number, root and pace."""
    stats = {name: value for name, value in said["stats"].items() if name != "seconds"}
    return {**said, "run_id": None, "root": None, "stats": stats}


def rows_of(root: str) -> list[tuple[Any, ...]]:
    found = StorageRoot.objects.get(name=root).files.order_by("key")
    return list(found.values_list("key", "state", "size", "is_directory", "modified_ns"))


@pytest.mark.matrix
@pytest.mark.parametrize("mode", MODES)
def test_each_way_comes_to_the_same(mode: str, ways: dict[str, Way], tree: Tree, settings: Any) -> None:
    copies = roots(tree, settings, list(ways))

    said = {name: way(mode, name) for name, way in ways.items()}

    assert said["service"]["stats"]["missing_in_db"] > 0
    assert said["service"]["stats"]["orphaned_in_db"] > 0
    for name in copies:
        assert figures(said[name]) == figures(said["service"]), name
        files = [row for row in rows_of(name) if not row[3]]
        assert files == [row for row in rows_of("service") if not row[3]], name

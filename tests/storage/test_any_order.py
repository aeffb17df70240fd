"""Whatever happens in a root, in whatever order: after a full run the rows say what `os.walk` says."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from redis import Redis

from storage.models import IndexChange, IndexRun, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import changes, dump, rows
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db

OWNERS = ("7", "8", "9")  # nobody is 9
NAMES = ("a", "a.b", "a-b", "a0", "ä", "A", "line\nfeed", "back\\slash", "tab\t", "\x01", "z" * 40)
keys = st.builds(
    lambda owner, parts: "/".join([owner, *parts]),
    st.sampled_from(OWNERS),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
)
texts = st.sampled_from(("", "one", "two", "three"))


class AnyOrder(RuleBasedStateMachine):
    """Files and directories come, go, move and change; rows drift; runs look now and then."""

    where: Path

    def __init__(self) -> None:
        super().__init__()
        shutil.rmtree(self.where, ignore_errors=True)
        self.where.mkdir()
        self.tree = Tree(self.where)
        for model in (IndexChange, StoredFile, IndexRun, StorageRoot):
            model.objects.all().delete()

    def teardown(self) -> None:
        self.full_comes_to_what_lies_there()

    @rule(key=keys, text=texts)
    def put(self, key: str, text: str) -> None:
        path = self.where / key
        if not path.is_dir() and all(above.is_dir() or not _is_there(above) for above in _above(path, self.where)):
            if path.is_symlink():
                path.unlink()
            self.tree.put(key, text=text)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if found := self._some(data):
            self.tree.remove(found)

    @rule(data=st.data(), to=keys)
    def move(self, data: st.DataObject, to: str) -> None:
        found = self._some(data)
        target = self.where / to
        if found and not to.startswith(found) and target.parent.is_dir() and not _is_there(target):
            (self.where / found).rename(target)

    @rule(key=keys, leads_to=st.sampled_from(("a", "nowhere", "..", ".")))
    def link(self, key: str, leads_to: str) -> None:
        path = self.where / key
        if path.parent.is_dir() and not path.parent.is_symlink() and not _is_there(path):
            path.symlink_to(leads_to)

    @rule(data=st.data())
    def drift(self, data: st.DataObject) -> None:
        """Somebody has deleted or changed a row without the index."""
        known = list(StoredFile.objects.order_by("key"))
        if known:
            row = data.draw(st.sampled_from(known))
            if data.draw(st.booleans()):
                row.delete()
            else:
                StoredFile.objects.filter(pk=row.pk).update(size=4711, modified_ns=1, changed_at=Now())

    @rule(mode=st.sampled_from(("audit", "sync", "clean")), incremental=st.booleans(), days=st.sampled_from((0, 30)))
    def look(self, mode: str, incremental: bool, days: int) -> None:
        before = dump()
        dry = self._run(mode, dry_run=True, incremental=incremental, grace=timedelta(days=days))
        assert dump() == before, "a dry run changes nothing"

        real = self._run(mode, incremental=incremental, grace=timedelta(days=days))

        assert changes(dry) == changes(real)
        assert _figures(dry) == _figures(real)

    @precondition(lambda self: StoredFile.objects.exists())
    @rule()
    def undo(self) -> None:
        before = dump()
        run = self._run("full")
        if run.applied_up_to:
            IndexSyncService().undo(run_id=run.pk)
            assert IndexSyncService().work(run_id=run.pk).state == "undone"
        assert dump() == before, "an undone run leaves the exact rows"

    @rule()
    def full_comes_to_what_lies_there(self) -> None:
        self._run("full")
        hidden = self._hidden()
        assert {key: row for key, row in rows().items() if not _is_below(key, hidden)} == self.tree.oracle()
        again = self._run("full")
        assert [each for each in changes(again) if each[0] != "anomaly"] == [], "a second run finds nothing"

    def _hidden(self) -> set[str]:
        """Where links are: what was known there before is left alone."""
        return {str(path.relative_to(self.where)) for path in self.where.rglob("*") if path.is_symlink()}

    def _run(self, mode: str, **said: Any) -> IndexRun:
        service = IndexSyncService()
        run = service.start(mode=mode, rings=False, **{"force": True, "grace": timedelta(), **said})
        ended = service.work(run_id=run.pk)
        assert ended.state in {"done", "planned"}, ended.failure_message or ended.refusal
        return ended

    def _some(self, data: st.DataObject) -> str:
        there = sorted(str(path.relative_to(self.where)) for path in self.where.rglob("*"))
        there = [each for each in there if each != ".runsheet-root"]
        return data.draw(st.sampled_from(there)) if there else ""


@pytest.mark.matrix
def test_any_order_of_what_happens_comes_to_what_lies_there(
    tmp_path: Path, settings_of_roots: None, redis: Redis
) -> None:
    for number in (7, 8):
        User.objects.create(pk=number, username=f"user {number}")
    AnyOrder.where = tmp_path / "documents"

    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=8, stateful_step_count=10, deadline=None, database=None, derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.fixture
def settings_of_roots(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_ROOTS = {"documents": {"kind": "files", "path": tmp_path / "documents", "owned": True}}


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _above(path: Path, top: Path) -> list[Path]:
    return [each for each in path.parents if each != top and top in each.parents]


def _is_below(key: str, hidden: set[str]) -> bool:
    return any(key == each or key.startswith(f"{each}/") for each in hidden)


def _figures(run: IndexRun) -> dict[str, Any]:
    return {name: count for name, count in run.counts.items() if name not in {"seconds", "left"}}

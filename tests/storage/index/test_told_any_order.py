"""Whatever happens in a place that tells of it, and wherever a run is broken off: the rows come to what lies there."""

import random
from typing import Any

import pytest

from storage.index import applying, merging, planning, rows, words
from storage.index.concluding import conclude
from storage.models import IndexRun, StorageRoot, StoredFile
from tests.storage.telling import Place, root_of

pytestmark = pytest.mark.django_db

CASES = 100
NAMES = ("a", "a-b", "a.b", "A0", "b", "ä")


class Killed(Exception):
    """Nothing is put in order."""


class Case:
    """One place, and runs over it, as the dice have it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.place = Place(page=self.dice.randint(1, 6), order=self.dice)
        self.root = root_of(f"case-{seed}")

    def happens(self) -> None:
        dice, place = self.dice, self.place
        there = sorted(place.nodes)
        path = "/".join(dice.choices(NAMES, k=dice.randint(1, 3)))
        match dice.choice(("put", "put", "make", "remove", "move", "move")):
            case "put":
                place.put(path, size=dice.randint(0, 9))
            case "make":
                place.make(path, is_partial=dice.random() < 0.1)
            case "remove" if there:
                place.remove(dice.choice(there))
            case "move" if there:
                old = dice.choice(there)
                if path.lower() not in place.nodes and not f"{path.lower()}/".startswith(f"{old}/"):
                    self._move(old, path)

    def _move(self, old: str, new: str) -> None:
        above = new.rpartition("/")[0].lower()
        if above == old or above.startswith(f"{old}/") or f"{old}/".startswith(f"{above}/" if above else "\0"):
            return
        self.place.move(old, new)

    def run(self, *, incremental: bool) -> str:
        """A run from its beginning; what became of it."""
        root = StorageRoot.objects.get(pk=self.root.pk)
        made = IndexRun.objects.create(root=root, mode="sync", incremental=incremental)
        IndexRun.objects.filter(pk=made.pk).update(state="planned")  # the machine is another test's
        how = self.dice.random()
        while True:
            try:
                return self._slices(made, is_refused=how < 0.15, stops_early=0.15 <= how < 0.25)
            except Killed:
                continue

    def _slices(self, made: IndexRun, *, is_refused: bool, stops_early: bool) -> str:
        while True:
            run = IndexRun.objects.select_related("root").get(pk=made.pk)
            keep = self._keeper(run)
            at_work = planning.Planning(run, lister=self.place, keep=keep)
            if self.dice.random() < 0.3:
                self.place.told_at = self._perhaps
            whole = at_work.work(is_time_up=lambda: self.dice.random() < 0.3)
            self.place.told_at = None
            if stops_early:
                return "stopped"
            if whole:
                break
        run = IndexRun.objects.select_related("root").get(pk=made.pk)
        conclude(run, keep=self._keeper(run))
        if is_refused:
            return "refused"
        while not applying.apply(run, lister=self.place, keep=self._keeper(run), is_time_up=lambda: True):
            pass
        return "done"

    def _perhaps(self, _: str) -> None:
        if self.dice.random() < 0.3:
            self.happens()

    def _keeper(self, run: IndexRun) -> planning.Keep:
        def keep(**reached: Any) -> None:
            IndexRun.objects.filter(pk=run.pk).update(**reached)
            if self.dice.random() < 0.1:
                raise Killed

        return keep

    def rows(self) -> dict[str, tuple[Any, ...]]:
        found = StoredFile.objects.filter(root=self.root, state="present")
        return {row.key: (row.size, row.modified_ns, row.etag, row.name) for row in found}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (merging, applying, rows, planning, words):
        monkeypatch.setattr(module, "BATCH", 3)
    monkeypatch.setattr(words, "STRETCHES", 3)
    monkeypatch.setattr(words, "FIRST", 2)


@pytest.mark.parametrize("tens", range(CASES // 10))
def test_rows_come_to_what_lies_there(tens: int) -> None:
    for seed in range(tens * 10, tens * 10 + 10):
        case = Case(seed)
        for _ in range(case.dice.randint(0, 12)):
            case.happens()
        for _ in range(case.dice.randint(1, 4)):
            case.run(incremental=case.dice.random() < 0.7)
            for _ in range(case.dice.randint(0, 6)):
                case.happens()
        while case.run(incremental=True) != "done":
            pass

        assert case.rows() == case.place.oracle(), seed

"""Whatever happens in a place that tells of it, and wherever a run is broken off: the rows come to what lies there."""

import random
from typing import Any

import pytest

from storage.index import applying, planning, words
from storage.index.concluding import conclude
from storage.models import IndexRun, StorageRoot, StoredFile
from tests.storage.conftest import in_batches
from tests.storage.telling import Place, root_of

pytestmark = pytest.mark.django_db

SEEDS = 12
# Each of them is a small case of its own; one run looks at all.
PARTS = "abcdefghij"
NAMES = ("a", "a-b", "a.b", "A0", "b", "ä")
BATCH = 9


class Killed(Exception):
    """Nothing is put in order."""


class Case:
    """One place, and runs over it, as the dice have it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.place = Place(page=self.dice.randint(1, 25), order=self.dice)
        self.root = root_of(f"case-{seed}")
        self.kept = 0

    # --- What happens -----------------------------------------------------------------------------------------------

    def happens(self) -> None:
        dice, place = self.dice, self.place
        part = f"{dice.choice(PARTS)}/"
        there = sorted(path for path in place.nodes if path.startswith(part))
        path = part + "/".join(dice.choices(NAMES, k=dice.randint(1, 3)))
        match dice.choice(("put", "put", "make", "remove", "move", "move")):
            case "put":
                place.put(path, size=dice.randint(0, 9))
            case "make":
                place.make(path, is_partial=dice.random() < 0.1)
            case "remove" if there:
                place.remove(dice.choice(there))
            case "move" if there:
                self._move(dice.choice(there), path)

    def _move(self, old: str, new: str) -> None:
        """Where Dropbox would let it be moved."""
        above = f"{new.lower().rpartition('/')[0]}/"
        file_above = any(f"{path}/" in above and not node.is_directory for path, node in self.place.nodes.items())
        if new.lower() not in self.place.nodes and not above.startswith(f"{old}/") and not file_above:
            self.place.move(old, new)

    # --- Runs -------------------------------------------------------------------------------------------------------

    def run(self, *, incremental: bool) -> str:
        """A run from its beginning; what became of it."""
        root = StorageRoot.objects.get(pk=self.root.pk)
        made = IndexRun.objects.create(root=root, mode="sync", incremental=incremental)
        IndexRun.objects.filter(pk=made.pk).update(state="planned")  # the machine is another test's
        how = self.dice.random()
        before = self.known()
        while True:
            try:
                ended = self._slices(made, is_refused=how < 0.15, stops_early=0.15 <= how < 0.25)
            except Killed:
                continue
            if ended == "done":
                self._moved_rows_are_kept(before)
            return ended

    def _slices(self, made: IndexRun, *, is_refused: bool, stops_early: bool) -> str:
        while True:
            run = IndexRun.objects.select_related("root").get(pk=made.pk)
            at_work = planning.Planning(run, lister=self.place, keep=self._keeper(run))
            self.place.told_at = self._perhaps if self.dice.random() < 0.3 else None
            whole = at_work.work(is_time_up=lambda: self.dice.random() < 0.2)
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
            if self.dice.random() < 0.05:
                raise Killed

        return keep

    # --- What came of them ------------------------------------------------------------------------------------------

    def rows(self) -> dict[str, tuple[Any, ...]]:
        found = StoredFile.objects.filter(root=self.root, state="present")
        return {row.key: (row.size, row.modified_ns, row.etag, row.name) for row in found}

    def known(self) -> dict[str, tuple[int, str]]:
        """The row at each key, and the lasting id of what is there; none if it is missing."""
        found = StoredFile.objects.filter(root=self.root)
        return {row.key: (row.pk, row.etag.split()[0] if row.state == "present" else "") for row in found}

    def _moved_rows_are_kept(self, before: dict[str, tuple[int, str]]) -> None:
        """Of what went from where nothing came to where nothing was known."""
        after = self.known()
        was_at = {lasting: key for key, (_, lasting) in before.items() if lasting}
        present = {key for key, (_, lasting) in after.items() if lasting}
        for key, (pk, lasting) in after.items():
            old = was_at.get(lasting, key)
            if old != key and old not in present and key not in before:
                assert pk == before[old][0], (old, key)
                self.kept += 1


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches(monkeypatch, BATCH)
    monkeypatch.setattr(words, "STRETCHES", 5)
    monkeypatch.setattr(words, "FIRST", 2)


def test_rows_come_to_what_lies_there() -> None:
    kept = 0
    for seed in range(SEEDS):
        case = Case(seed)
        for _ in range(case.dice.randint(0, 40)):
            case.happens()
        for _ in range(case.dice.randint(1, 3)):
            case.run(incremental=case.dice.random() < 0.7)
            for _ in range(case.dice.randint(0, 20)):
                case.happens()
        while case.run(incremental=True) != "done":
            pass

        assert case.rows() == case.place.oracle(), seed
        kept += case.kept

    assert kept > SEEDS, "something was moved"

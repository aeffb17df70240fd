"""What forks of a process go on sharing."""

import subprocess
import sys

import pytest

from core.base.shared_memory import leave_uncounted
from core.local.servers import ROOT

# Tells whether anybody counts who uses what was there before, or what has come since; and whether that still ends.
PROGRAM = """
import sys, weakref
from core.base.shared_memory import leave_uncounted

class Kettle:
    def boil(self):
        return (2.5, "a text of this method's")

def counts(each):
    before = sys.getrefcount(each)
    more = [each] * 9
    return sys.getrefcount(each) == before + 9

old = Kettle()
shelf = {"of": [old]}
old.name = "tea".join(["", "pot"])
told = [counts(each) for each in (old, shelf, old.name, Kettle, Kettle.boil.__code__, old.boil())]
assert leave_uncounted() > 1000
told += [counts(each) for each in (old, shelf, old.name, Kettle, Kettle.boil.__code__, old.boil())]
new = Kettle()
told.append(counts(new))
gone = weakref.ref(new)
del new
told.append(gone() is None)
assert leave_uncounted() < 1000
old.name += "!"
print(told, old.name)
"""


@pytest.mark.process
class TestWhatIsLeftUncounted:
    def test_is_all_that_was_there_and_nothing_that_comes_later(self) -> None:
        told = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )

        before, after, later = [True] * 6, [False] * 6, [True] * 2
        assert (told.stdout.strip(), told.stderr) == (f"{before + after + later} teapot!", "")


class TestAnotherPython:
    def test_counts_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.implementation, "name", "pypy")

        assert leave_uncounted() == 0

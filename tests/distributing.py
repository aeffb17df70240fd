"""A pytest plugin: what xdist's controller and its workers tell each other, of which there is much with thousands of tests.

The controller works on the same two processors as the tests.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.remote import Producer, WorkerInteractor
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController


class Numbered(list[str]):
    """The names of all tests, of which each is found at once."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self._numbers = {name: number for number, name in enumerate(names)}

    def index(self, name: str, *_: Any) -> int:
        return self._numbers[name]


class Scheduling(LoadGroupScheduling):  # type: ignore[misc]  # untyped
    """As xdist's, which looks through all tests that were done whenever it is told of one, and through all names for each."""

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = Numbered(collection)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        name = self.registered_collections[node][item_index]
        scope = self._split_scope(name)
        assigned = self.assigned_work[node]
        assigned[scope][name] = True
        if all(assigned[scope].values()):
            del assigned[scope]
        self._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


def is_news(config: pytest.Config, report: pytest.TestReport) -> bool:
    """Whether anybody needs it: that a set-up and an end went well is said by the test itself, unless times are asked for."""
    asked = config.option.durations is not None or config.option.xmlpath
    return bool(asked) or report.when == "call" or not report.passed


_told_by_xdist = WorkerInteractor.pytest_runtest_logreport


def _tell_news(self: WorkerInteractor, report: pytest.TestReport) -> None:
    if is_news(self.config, report):
        _told_by_xdist(self, report)


# Before xdist makes the one of this worker; in all other processes nobody is made.
WorkerInteractor.pytest_runtest_logreport = pytest.hookimpl(_tell_news)

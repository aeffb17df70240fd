"""What tests/distributing.py leaves out between xdist's processes, and what not."""

from types import SimpleNamespace as Some
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from tests import distributing
from tests.distributing import Scheduling, is_news

NAMES = [
    "a.py::test_1",
    "a.py::test_2@browser",
    "b.py::test_3",
    "b.py::test_4@browser",
    *(f"c.py::test_{n}" for n in range(8)),
]


class Worker:
    """Who only notes what it is given."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = Some(id=name)
        self.given: list[int] = []

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.given += numbers

    def shutdown(self) -> None:
        self.shutting_down = True


@pytest.fixture
def workers(pytestconfig: pytest.Config) -> tuple[Any, Any]:
    return Worker("gw0"), Worker("gw1")


@pytest.fixture
def scheduling(pytestconfig: pytest.Config, workers: tuple[Any, Any]) -> Scheduling:
    """With the tests of `NAMES`, and two workers that know them."""
    option = Some(loadscopereorder=True, tx=["popen", "popen"])
    config: Any = Some(option=option, getvalue=lambda _: option.tx, hook=pytestconfig.hook)
    made = Scheduling(config)
    for worker in workers:
        made.add_node(worker)
    for worker in workers:
        made.add_node_collection(worker, NAMES)
    made.schedule()
    return made


class TestScheduling:
    def test_gives_each_test_to_one_worker_and_a_group_to_the_same(
        self, scheduling: Scheduling, workers: tuple[Worker, Worker]
    ) -> None:
        done: dict[str, list[str]] = {"gw0": [], "gw1": []}
        while any(worker.given for worker in workers):
            for worker in workers:
                if worker.given:
                    number = worker.given.pop(0)
                    done[worker.gateway.id].append(NAMES[number])
                    scheduling.mark_test_complete(worker, number)

        assert sorted(done["gw0"] + done["gw1"]) == sorted(NAMES)
        assert done["gw0"][:2] == ["a.py::test_2@browser", "b.py::test_4@browser"]
        assert done["gw1"]
        assert scheduling.tests_finished
        assert not scheduling.has_pending

    def test_gives_what_a_worker_left_to_the_other_one(
        self, scheduling: Scheduling, workers: tuple[WorkerController, WorkerController]
    ) -> None:
        lost, other = workers
        scheduling.mark_test_complete(lost, 1)

        assert scheduling.remove_node(lost) == "b.py::test_4@browser"
        assert "browser" in scheduling.workqueue
        assert other in scheduling.nodes


class TestIsNews:
    @pytest.mark.parametrize(
        ("when", "passed", "asked", "told"),
        [
            ("call", True, None, True),
            ("setup", True, None, False),
            ("teardown", True, None, False),
            ("setup", False, None, True),
            ("teardown", False, None, True),
            ("setup", True, 0, True),
        ],
    )
    def test_is_what_went_wrong_and_each_test_itself(
        self, when: str, passed: bool, asked: int | None, told: bool
    ) -> None:
        config: Any = Some(option=Some(durations=asked, xmlpath=None))
        report: Any = Some(when=when, passed=passed)

        assert is_news(config, report) == told


class TestPlugin:
    def test_is_the_scheduler_of_groups_only(self, pytestconfig: pytest.Config) -> None:
        def made(dist: str) -> Any:
            option = Some(loadscopereorder=True, tx=["popen"])
            config: Any = Some(option=option, getvalue=lambda _: option.tx, getoption=lambda _: dist)
            return distributing.pytest_xdist_make_scheduler(config, Producer("test"))

        assert isinstance(made("loadgroup"), Scheduling)
        assert made("load") is None

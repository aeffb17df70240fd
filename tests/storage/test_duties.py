"""What is done about storage so often as the settings say."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from statemachine import duties as engine
from statemachine import jobs
from storage.index.walking import DirectoryWalk
from tests.storage.conftest import began, later
from tests.storage.trees import Tree

DAY, WEEK = timedelta(days=1), timedelta(days=7)


pytestmark = pytest.mark.usefixtures("by_itself")


class TestDuties:
    def test_are_rung_for_by_the_settings(self, redis: Redis) -> None:
        duty = engine.named("storage_look")

        assert duty is not None
        assert (duty.queue, duty.every_s()) == ("storage", 60)
        assert {name for name, each in engine._registry.items() if each.at_start} == {"storage_start"}

    def test_are_rung_for_at_a_start_that_waits_for_no_storage(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that stalls is met by the worker alone."""
        for name in ("marker", "walk", "look", "directory"):
            monkeypatch.setattr(DirectoryWalk, name, Mock(side_effect=AssertionError("the start has looked there")))

        assert engine.ring(is_start=True)

        waiting = Queue("storage", connection=redis, serializer=JSONSerializer).jobs
        assert {"storage_forget", "storage_look", "storage_start"} <= {job.args[0] for job in waiting}

    def test_can_all_be_switched_off(self, settings: Any) -> None:
        settings.STORAGE_LOOK_EVERY_S = settings.STORAGE_INCREMENTAL_EVERY_HOURS = settings.STORAGE_WHOLE_EVERY_DAYS = 0
        settings.STORAGE_LOOK_AT_START = False
        settings.STORAGE_RUNS_KEPT_DAYS = 0

        assert {name: each.every_s() for name, each in engine._registry.items() if name.startswith("storage")} == {
            "storage_look": 0, "storage_start": 0, "storage_forget": 0
        }  # fmt: skip

    def test_do_what_they_are_called(self, indexed: Tree) -> None:
        later(WEEK)

        assert [jobs.attend(name) for name in ("storage_start", "storage_look", "storage_forget")] == ["attended"] * 3
        assert began()[1:] == [("audit", False, "start")]

"""Nobody waits for a run that nobody asked for, and that no worker has begun."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from statemachine.models import TransitionLog
from statemachine.transitions import locked
from storage import schedule, services
from storage.errors import RootBusy
from storage.models import IndexRun
from storage.services import IndexSyncService
from tests.storage.conftest import Index, later
from tests.storage.trees import Tree

DAY, WEEK = timedelta(days=1), timedelta(days=7)


pytestmark = pytest.mark.usefixtures("by_itself")


class TestWhoAsks:
    """Nobody has to wait for what nobody asked for, and no worker has begun."""

    @pytest.fixture
    def waiting(self, indexed: Tree) -> IndexRun:
        later(WEEK)
        schedule.look_after_all()
        return IndexRun.objects.latest("pk")

    def test_goes_first(self, waiting: IndexRun, index: Index) -> None:
        assert index("audit").state == "planned"

        assert IndexRun.objects.get(pk=waiting.pk).state == "aborted"
        assert TransitionLog.objects.get(to_state="aborted").reason == "what somebody has asked for goes first"

    def test_goes_first_with_an_earlier_plan_too(self, indexed: Tree, index: Index) -> None:
        indexed.put("7/b.pdf")
        audit = index("audit")
        later(WEEK)
        schedule.look_after_all()
        service = IndexSyncService()

        assert service.work(run_id=service.apply(run_id=audit.pk).pk).state == "done"

    def test_waits_for_what_a_worker_has_begun(self, waiting: IndexRun, service: IndexSyncService) -> None:
        IndexRun.objects.filter(pk=waiting.pk).update(tries=1)

        with pytest.raises(RootBusy, match=f"Run {waiting.pk} "):
            service.start(mode="audit")

    def test_waits_for_who_has_asked_before(self, indexed: Tree, service: IndexSyncService) -> None:
        first = service.start(mode="audit")

        with pytest.raises(RootBusy, match=f"Run {first.pk} "):
            service.start(mode="audit")

    def test_stops_nothing_without_the_right(self, waiting: IndexRun) -> None:
        with pytest.raises(Exception, match="permission"):
            IndexSyncService(by=User.objects.get(pk=7)).start(mode="audit")

        assert IndexRun.objects.get(pk=waiting.pk).state == "planning"

    def test_goes_on_where_a_worker_was_faster(
        self, waiting: IndexRun, service: IndexSyncService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between the look and the lock it was stopped, or has begun."""

        def begun(model: type[IndexRun], pk: int) -> Any:
            model.objects.filter(pk=pk).update(tries=1)
            return locked(model, pk)

        monkeypatch.setattr(services, "locked", begun)

        with pytest.raises(RootBusy):
            service.start(mode="audit")

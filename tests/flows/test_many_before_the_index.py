"""Many leases are about to be asked for, and what is known of their folder is old, or nothing is known yet."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from pytest_django.fixtures import Settings
from redis import Redis

from cloud.models import DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.waiting import FEW, ArchivesBeingRead
from leases.models import AgencyStorageConfig, Lease
from statemachine.models import TransitionLog
from statemachine.transitions import RECONCILER, Step, take
from storage.models import IndexRun, StorageRoot
from tests.discovery.watching import work
from tests.flows.conftest import BLM, Work
from tests.flows.test_many_from_the_index import MANY, imported, ring_for

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

CONTINUE, LIST = "files/list_folder/continue", "files/list_folder"


@pytest.fixture(autouse=True)
def _watched(settings: Settings, redis: Redis) -> None:
    settings.ARCHIVE_WATCH_EVERY_S = 5


@pytest.fixture
def archives(operator: User, dropbox: "Standin") -> None:
    dropbox.put(*(f"{BLM}/{number}/Master Documents.pdf" for number in MANY))
    dropbox.clear_journal()


@pytest.fixture
def read(operator: User, archives: None, dropbox: "Standin") -> list[Lease]:
    """The folder was read for an earlier import, an hour ago; other leases are imported."""
    first = imported(operator)
    ring_for(begun(first[0]))
    work()
    Lease.objects.all().delete()
    an_hour_ago = Now() - timedelta(hours=1)
    StorageRoot.objects.update(read_at=an_hour_ago)
    ArchiveWatch.objects.update(looked_at=an_hour_ago)
    dropbox.clear_journal()
    return imported(operator)


def begun(lease: Lease) -> Lease:
    """One that is owed its search, be it that a worker has had it started; others are owed their start."""
    now = Lease.objects.get(pk=lease.pk)
    if now.is_working:
        return now
    return take(model=Lease, pk=lease.pk, step=Step(transition="start_search", rings=False), actor=RECONCILER)


def states() -> set[tuple[str, str]]:
    return set(Lease.objects.values_list("state", "failure_code"))


class TestOfWhichNothingIsKnown:
    def test_let_the_folder_be_read_and_wait_for_it(
        self, operator: User, archives: None, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        leases = imported(operator)

        assert ring_for(begun(leases[0])) == "waiting"

        assert states() == {("searching", ArchivesBeingRead.code)}
        assert not dropbox.journal()
        assert TransitionLog.objects.of(IndexRun.objects.get()).filter(reason="nothing is known of it yet").exists()
        work()
        assert dropbox.calls()[LIST] == 1
        dropbox.clear_journal()
        assert ring_for(leases[0]) == "done"
        work_until_settled()
        assert states() == {("done", "")}
        assert dropbox.calls().keys() <= {CONTINUE}, "no archive was asked for; what has changed since may be"

    def test_ask_dropbox_where_they_are_few(self, operator: User, archives: None, dropbox: "Standin") -> None:
        leases = imported(operator, MANY[:FEW])

        assert ring_for(begun(leases[0])) == "done"

        assert not ArchiveWatch.objects.exists()
        assert dropbox.calls()[LIST] == 1

    def test_ask_dropbox_where_nothing_is_watched(
        self, operator: User, archives: None, dropbox: "Standin", settings: Settings
    ) -> None:
        leases = imported(operator)
        AgencyStorageConfig.objects.update(watched=False)
        assert ring_for(begun(leases[0])) == "done"

        AgencyStorageConfig.objects.update(watched=True)
        settings.ARCHIVE_WATCH_EVERY_S = 0
        assert ring_for(begun(leases[1])) == "done"

        assert not ArchiveWatch.objects.exists()

    def test_hear_of_a_lost_connection_as_any_other(self, operator: User, archives: None) -> None:
        leases = imported(operator)
        DropboxAccount.objects.update(needs_reconnect_reason="It was revoked.")

        ring_for(begun(leases[0]))

        assert not ArchiveWatch.objects.exists()
        assert ("searching", "connect_dropbox") in states()


class TestOfWhichSomethingIsKnown:
    def test_take_one_call_where_nothing_has_changed(self, read: list[Lease], dropbox: "Standin") -> None:
        assert ring_for(begun(read[0])) == "done"

        assert dropbox.calls() == {CONTINUE: 1}
        assert states() == {("done", "")}

    def test_wait_for_what_has_changed(self, read: list[Lease], dropbox: "Standin", work_until_settled: Work) -> None:
        dropbox.delete(f"{BLM}/NMNM 1")

        assert ring_for(begun(read[0])) == "waiting"

        work()
        assert ring_for(read[1]) == "done"
        work_until_settled()
        assert dict(Lease.objects.exclude(state="done").values_list("lease_number", "state")) == {"NMNM 1": "not_found"}

    def test_wait_while_somebody_else_asks(self, read: list[Lease], dropbox: "Standin") -> None:
        ArchiveWatch.objects.update(looked_at=Now())

        assert ring_for(begun(read[0])) == "waiting"

        assert not dropbox.journal()

    def test_ask_dropbox_where_what_has_changed_cannot_be_told(self, read: list[Lease], dropbox: "Standin") -> None:
        dropbox.fault(CONTINUE, status=503)
        first, second = begun(read[0]), begun(read[1])

        assert ring_for(first) == "done"
        assert ring_for(second) == "done"

        assert dropbox.calls()[CONTINUE] == 1, "it is left alone for a while"
        assert dropbox.calls()[LIST] == 2

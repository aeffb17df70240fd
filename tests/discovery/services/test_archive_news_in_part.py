"""Leases are owed one run where their answer rests on all of an archive of which only a part is seen by now."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.errors import ArchiveOutOfSight
from discovery.models import ArchiveWatch
from discovery.services.archive_news import ADDED, IN_PART, tell
from leases.models import Lease
from leases.states import State
from storage.models import IndexRun, RunState, StorageRoot
from tests.discovery.watching import done, owed
from tests.factories import configured, indexed, watched

pytestmark = pytest.mark.django_db

REPORT = "Master Documents.pdf"
SECOND = "Master Documents 2.pdf"


@pytest.fixture
def watch(operator: User) -> ArchiveWatch:
    configured()
    return watched(DropboxAccount.objects.get())


def whole(watch: ArchiveWatch) -> None:
    """All leases are to be compared."""
    IndexRun.objects.create(root=watch.root, mode="sync", state=RunState.DONE, due_at=None)
    tell(watch, is_time_up=lambda: False)


@pytest.mark.parametrize(
    ("files", "known", "reason"),
    [
        ([], [], IN_PART),
        ([], [REPORT], IN_PART),
        ([SECOND], [REPORT], IN_PART),
        ([SECOND], [REPORT, SECOND], IN_PART),
        ([REPORT], [REPORT], ""),
        ([REPORT], [], ADDED),
    ],
)
def test_of_an_archive_that_is_seen_in_part_are_asked_for_where_they_rest_on_all_of_it(
    operator: User, watch: ArchiveWatch, files: list[str], known: list[str], reason: str
) -> None:
    """It is neither said that a report is gone, nor that there is none."""
    indexed(watch, {"NMNM 1": files}, partial=True)
    done(operator, "NMNM 1", reports=known)

    whole(watch)

    assert owed() == ({"NMNM 1": reason} if reason else {})


@pytest.mark.parametrize("state", [State.DONE, State.FAILED])
def test_of_an_archive_that_is_seen_in_part_are_asked_for_once(operator: User, watch: ArchiveWatch, state: str) -> None:
    """Whatever Dropbox has said since then stands, however often all is compared."""
    indexed(watch, {"NMNM 1": []}, partial=True)
    done(operator, "NMNM 1", state=state, failure_code=ArchiveOutOfSight.code if state == State.FAILED else "")
    Lease.objects.update(known_at=now())

    for read_at in (now() - timedelta(minutes=1), now() + timedelta(minutes=1)):
        StorageRoot.objects.update(read_at=read_at)
        whole(ArchiveWatch.objects.select_related("root").get())

    assert owed() == {}
    assert ArchiveWatch.objects.get().unsettled == []


def test_that_only_an_archive_is_there_are_left_alone_where_that_is_seen_in_part(
    operator: User, watch: ArchiveWatch
) -> None:
    indexed(watch, {"NMNM 1": []}, partial=True)
    done(operator, "NMNM 1", state=State.FOUND)

    whole(watch)

    assert owed() == {}

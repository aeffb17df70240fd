"""Which leases are owed a run for what the index says of what lies beside their archives."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from discovery.models import ArchiveWatch
from discovery.services.archive_news import APPEARED, tell
from leases.models import AgencyStorageConfig, Beside, Lease, Seen
from leases.states import State
from storage.models import IndexChange, IndexRun, RunState, StorageRoot
from tests.discovery.watching import absent, owed
from tests.factories import BLM, configured, indexed, watched

pytestmark = pytest.mark.django_db

DOCUMENTS, INDEX = "/Federal Workspace/^Document Archive", "/Federal Workspace/^MI Index"
THERE, NONE = "the document archive appeared", "the document archive is gone"


@pytest.fixture
def watch(operator: User) -> ArchiveWatch:
    configured(documents_base_path=DOCUMENTS, misc_index_base_path=INDEX)
    return watched(DropboxAccount.objects.get(), DOCUMENTS)


def lease_that_knows(user: User, seen: Seen, *, which: Beside = Beside.DOCUMENTS, **values: Any) -> Lease:
    """A lease to whom it was told before the index was read."""
    base_path = DOCUMENTS if which == Beside.DOCUMENTS else INDEX
    lease = absent(user, "NMNM 1", **{name: value for name, value in values.items() if name not in {"account", "at"}})
    if seen != Seen.UNKNOWN:
        path = f"{base_path}/NMNM 1"
        place = CloudLocation.objects.create(path=path, name="NMNM 1") if seen == Seen.FOUND else None
        account = values.get("account", DropboxAccount.objects.get().account_id if seen != Seen.UNSEEN else "")
        lease.remember_beside(
            which,
            path=path,
            seen=seen,
            at=values.get("at", now() - timedelta(hours=1)),
            directory_id=place.pk if place else None,
            origin={"account": account} if account else {},
            why="It could not be seen." if seen == Seen.UNSEEN else "",
        )
        lease.save(
            update_fields=[
                "documents_state",
                "documents_directory",
                "misc_index_state",
                "misc_index_directory",
                "beside",
            ]
        )
    return lease


def touched(watch: ArchiveWatch, *keys: str) -> None:
    run = IndexRun.objects.create(root=watch.root, mode="sync", state=RunState.DONE, due_at=None, incremental=True)
    for number, key in enumerate(keys, start=1):
        IndexChange.objects.create(run=run, number=number, action="create", key=key)


def told(watch: ArchiveWatch, *keys: str) -> dict[str, str]:
    """What is owed once a run has touched that, and whether it is looked at again."""
    if keys:
        touched(watch, *keys)
    tell(ArchiveWatch.objects.select_related("root").get(pk=watch.pk), is_time_up=lambda: False)
    return owed()


def unsettled(watch: ArchiveWatch) -> list[str]:
    found: list[str] = ArchiveWatch.objects.get(pk=watch.pk).unsettled
    return found


class TestAnswers:
    @pytest.mark.parametrize(
        ("seen", "is_there", "reason"),
        [
            (Seen.UNKNOWN, True, THERE),
            (Seen.UNSEEN, True, THERE),
            (Seen.NOT_FOUND, True, THERE),
            (Seen.FOUND, True, ""),
            (Seen.FOUND, False, NONE),
            (Seen.NOT_FOUND, False, ""),
            (Seen.UNKNOWN, False, ""),
            (Seen.UNSEEN, False, ""),
        ],
    )
    def test_that_are_others_by_now_are_asked_for(
        self, operator: User, watch: ArchiveWatch, seen: Seen, *, is_there: bool, reason: str
    ) -> None:
        indexed(watch, {"NMNM 1": ["deed.pdf"]} if is_there else {})
        lease_that_knows(operator, seen)

        assert told(watch, "nmnm 1/") == ({"NMNM 1": reason} if reason else {})

    def test_are_those_of_all_leases_once_all_was_read(self, operator: User, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": []})
        lease_that_knows(operator, Seen.NOT_FOUND)
        IndexRun.objects.create(root=watch.root, mode="sync", state=RunState.DONE, due_at=None)

        assert told(watch) == {"NMNM 1": THERE}

    def test_of_one_folder_that_is_both_are_one_reason(self, operator: User, watch: ArchiveWatch) -> None:
        AgencyStorageConfig.objects.update(misc_index_base_path=DOCUMENTS)
        indexed(watch, {"NMNM 1": []})
        lease_that_knows(operator, Seen.NOT_FOUND)

        assert told(watch, "nmnm 1/") == {"NMNM 1": f"{THERE} and the miscellaneous index appeared"}

    def test_of_one_folder_that_holds_anothers_archives_are_each_agencys_own(
        self, operator: User, watch: ArchiveWatch
    ) -> None:
        configured("NMSLO", DOCUMENTS)
        indexed(watch, {"NMNM 1": [], "B0-1": []})
        lease_that_knows(operator, Seen.NOT_FOUND)
        absent(operator, "B0-1", agency="NMSLO", known_base_path=DOCUMENTS)

        assert told(watch, "nmnm 1/", "b0-1/") == {"NMNM 1": THERE, "B0-1": APPEARED}

    @pytest.mark.parametrize("what", ["a part", "a file"])
    def test_are_not_told_by_what_the_index_may_not_say(self, operator: User, watch: ArchiveWatch, what: str) -> None:
        indexed(watch, {"NMNM 1": []}, partial=what == "a part")
        if what == "a file":
            watch.root.files.update(is_directory=False, key="nmnm 1")
        lease_that_knows(operator, Seen.NOT_FOUND)

        assert told(watch, "nmnm 1/") == {}

    @pytest.mark.parametrize(
        "values",
        [
            {"state": State.PENDING, "generation": 2},
            {"state": State.FAILED, "failure_code": "dropbox_unavailable"},
        ],
        ids=["stopped", "failed"],
    )
    def test_of_others_are_left_alone(self, operator: User, watch: ArchiveWatch, values: dict[str, Any]) -> None:
        indexed(watch, {"NMNM 1": []})
        lease_that_knows(operator, Seen.NOT_FOUND, **values)

        assert told(watch, "nmnm 1/") == {}
        assert unsettled(watch) == []

    @pytest.mark.parametrize(
        ("seen", "is_there", "expected"), [(Seen.NOT_FOUND, True, {"NMNM 1": THERE}), (Seen.FOUND, False, {})]
    )
    def test_of_another_account_are_outdone_by_what_is_there_only(
        self, operator: User, watch: ArchiveWatch, seen: Seen, *, is_there: bool, expected: dict[str, str]
    ) -> None:
        indexed(watch, {"NMNM 1": []} if is_there else {})
        lease_that_knows(operator, seen, account="dbid:another")

        assert told(watch, "nmnm 1/") == expected

    def test_are_compared_when_something_more_is_looked_for_in_the_folder(
        self, operator: User, watch: ArchiveWatch
    ) -> None:
        indexed(watch, {"NMNM 1": []})
        lease_that_knows(operator, Seen.FOUND)
        AgencyStorageConfig.objects.update(misc_index_base_path=BLM)
        assert told(watch, "nmnm 1/") == {}

        AgencyStorageConfig.objects.update(misc_index_base_path=DOCUMENTS)

        assert told(watch) == {"NMNM 1": "the miscellaneous index appeared"}

    def test_of_the_archive_itself_are_none_of_this_folder(self, operator: User, watch: ArchiveWatch) -> None:
        """What lies among the documents says nothing of the archive."""
        indexed(watched(DropboxAccount.objects.get(), BLM), {"NMNM 1": []})
        lease_that_knows(operator, Seen.NOT_FOUND)

        assert told(watch, "nmnm 1/") == {}


class TestLookedAtAgain:
    """A run asks for what lies beside only while the folder's index is fresh, so it may have missed it."""

    @pytest.fixture
    def lease(self, operator: User, watch: ArchiveWatch) -> Lease:
        indexed(watch, {"NMNM 1": []})
        return lease_that_knows(operator, Seen.NOT_FOUND)

    def test_until_the_lease_knows_it(self, lease: Lease, watch: ArchiveWatch) -> None:
        assert told(watch, "nmnm 1/") == {"NMNM 1": THERE}
        assert told(watch) == {"NMNM 1": THERE}
        assert unsettled(watch) == ["nmnm 1"]
        Lease.objects.update(due_at=None, due_reason="", documents_state=Seen.FOUND)

        assert told(watch) == {}
        assert unsettled(watch) == []

    def test_where_the_run_has_missed_it(self, lease: Lease, watch: ArchiveWatch) -> None:
        told(watch, "nmnm 1/")
        Lease.objects.update(due_at=None, due_reason="")

        assert told(watch) == {"NMNM 1": THERE}

    @pytest.mark.parametrize("why", ["told of a change", "read long ago", "not connected"])
    def test_where_the_index_is_not_fresh(self, lease: Lease, watch: ArchiveWatch, why: str) -> None:
        if why == "told of a change":
            DropboxAccount.objects.update(changed_at=now() + timedelta(seconds=1))
        elif why == "read long ago":
            StorageRoot.objects.update(read_at=now() - timedelta(hours=1))
            Lease.objects.update(beside={})
        else:
            DropboxAccount.objects.update(root_namespace_id="4711")

        assert told(watch, "nmnm 1/") == {}
        assert unsettled(watch) == ([] if why == "not connected" else ["nmnm 1"])

    def test_where_somebody_has_asked_since_the_index_was_read(self, operator: User, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": []})
        lease_that_knows(operator, Seen.NOT_FOUND, at=now() + timedelta(minutes=1))

        assert told(watch, "nmnm 1/") == {}
        assert unsettled(watch) == ["nmnm 1"]

    def test_some_minutes_later_where_dropbox_was_asked_in_vain(self, operator: User, watch: ArchiveWatch) -> None:
        lease = lease_that_knows(operator, Seen.FOUND)
        lease.remember_beside(
            Beside.DOCUMENTS, path=f"{DOCUMENTS}/NMNM 1", seen=Seen.UNSEEN, at=now(), why="Dropbox is down."
        )
        lease.save(update_fields=["beside"])

        assert told(watch, "nmnm 1/") == {}
        assert unsettled(watch) == ["nmnm 1"]
        Lease.objects.update(entered_at=now() - timedelta(minutes=6))

        assert told(watch) == {"NMNM 1": NONE}

"""Attacks on the index of archives: what makes it say a false “not found”, a false “no report”, or nothing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud.dropbox import gateway_for
from cloud.errors import NotFound
from cloud.models import DropboxAccount
from core.base.errors import Permanent, Temporary
from discovery.services import archive_lister, archive_looks
from discovery.services.archive_index import index_of
from discovery.services.archive_lister import EACH
from discovery.services.archive_news import APPEARED
from discovery.services.indexed_sightings import sightings_in_index
from discovery.services.report_names import reports_among
from leases.models import AgencyStorageConfig, Lease
from statemachine import jobs
from statemachine.claims import message_of
from storage.index import applying
from storage.models import IndexRun, StoredFile
from storage.services import IndexSyncService
from tests.cloud.dropbox.conftest import LIST, union
from tests.discovery.services.names import BLANKS, ODD_ARCHIVES, ODD_REPORTS
from tests.discovery.watching import absent, attend, done, owed, told, watch
from tests.factories import ARCHIVE, BLM, configured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.flow, pytest.mark.django_db, pytest.mark.usefixtures("redis")]

REPORT = "Master Documents.pdf"
SILENT = "asks Dropbox"


def fresh() -> bool:
    found = index_of(account=DropboxAccount.objects.get(), base_path=BLM, poll_minutes=5)
    return found is not None and found.is_fresh


def says(user: User, number: str) -> Any:
    """What a new lease in the background is told by the index: “not found”, its reports, or that Dropbox is asked."""
    account, configuration = DropboxAccount.objects.get(user=user), AgencyStorageConfig.objects.get()
    lease = Lease.objects.filter(lease_number=number).first() or Lease.objects.create(
        agency="BLM", lease_number=number, created_by=user, initiated_by=user, background=True
    )
    index = index_of(account=account, base_path=BLM, poll_minutes=5)
    found = sightings_in_index([lease], index=index, account=account, configuration=configuration).get(lease.pk)
    if found is None:
        return SILENT
    if found.archive is None:
        return "not found"
    return list(reports_among(each.name for each in found.archive.files).names)


@pytest.fixture
def operator(operator: User, dropbox: "Standin") -> User:
    configured()
    dropbox.put(f"{ARCHIVE}/{REPORT}", f"{BLM}/NMNM 2/{REPORT}")
    absent(operator, "NMNM 9")
    return operator


def each_by_itself(dropbox: "Standin") -> None:
    dropbox.fault(LIST, status=503, body="down", times=2)


class TestDirectoryByDirectory:
    def test_an_archive_that_may_not_be_listed_is_not_missing(self, operator: User, dropbox: "Standin") -> None:
        each_by_itself(dropbox)
        dropbox.fault(LIST, status=409, body=union("path", "restricted_content"), path=f"{BLM}/nmnm 2")

        attend()

        assert watch().root.cursor == EACH
        assert fresh()
        assert says(operator, "NMNM 2") != "not found"
        assert says(operator, "NMNM 2") != []

    def test_what_comes_while_they_are_listed_is_not_missing(
        self, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Dropbox tells of it by the webhook, and the last directory is asked about later."""
        each_by_itself(dropbox)
        listed, left = archive_lister.ArchiveLister._listed, ["once"]

        def slowly(self: Any, directory: Any, *more: Any) -> Any:
            found = listed(self, directory, *more)
            if left and not directory:
                left.pop()
                dropbox.put(f"{BLM}/NMNM 7/{REPORT}")
                told()
            return found

        monkeypatch.setattr(archive_lister.ArchiveLister, "_listed", slowly)
        attend()

        assert watch().root.cursor == EACH
        assert says(operator, "NMNM 7") != "not found"


class TestWhole:
    def test_what_comes_while_it_is_listed_is_not_missing(
        self, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropbox.put(*(f"{BLM}/NMNM 10{n}/x.pdf" for n in range(6)))
        dropbox.page_size(3)
        ask, left = archive_lister.ArchiveLister._ask, [3]

        def slowly(self: Any, path: str, **given: Any) -> Any:
            found = ask(self, path, **given)
            left[0] -= 1
            if left[0] == 0:
                dropbox.put(f"{BLM}/NMNM 1/{REPORT}")
                told()
            return found

        monkeypatch.setattr(archive_lister.ArchiveLister, "_ask", slowly)
        attend()

        assert says(operator, "NMNM 1") != "not found"

    @pytest.mark.parametrize("sight", ["traverse_only", "no_access"])
    def test_a_base_that_is_seen_in_part_by_now_proves_nothing(
        self, operator: User, dropbox: "Standin", sight: str
    ) -> None:
        attend()
        assert fresh()
        dropbox.sight("olivia", BLM, sight)
        dropbox.put(f"{BLM}/NMNM 7/{REPORT}")
        told()
        attend()

        assert says(operator, "NMNM 7") != "not found"

    def test_an_archive_that_is_seen_in_part_by_now_has_no_lack_of_reports(
        self, operator: User, dropbox: "Standin"
    ) -> None:
        sights = {"NMNM 31": "traverse_only", "NMNM 32": "no_access", "NMNM 33": "none"}
        dropbox.put(*(f"{BLM}/{number}/{REPORT}" for number in sights))
        for number in sights:
            done(operator, number, reports=[REPORT])
        attend()
        for number, sight in sights.items():
            dropbox.sight("olivia", f"{BLM}/{number}", sight)
        told()
        attend()

        Lease.objects.filter(lease_number__in=sights).update(background=True)
        said = {sight: says(operator, number) for number, sight in sights.items()}
        assert {sight: each for sight, each in said.items() if each not in (SILENT, [REPORT])} == {}

    def test_an_archive_that_was_known_and_is_hidden_is_not_missing_for_a_new_lease(
        self, operator: User, dropbox: "Standin"
    ) -> None:
        """The index itself remembers that it lay there; that it was deleted nobody has seen."""
        attend()
        assert says(operator, "NMNM 2") == [REPORT]
        Lease.objects.filter(lease_number="NMNM 2").delete()
        dropbox.sight("olivia", f"{BLM}/NMNM 2", "none")
        told()
        attend()
        assert fresh()

        assert says(operator, "NMNM 2") != "not found"


class TestRuns:
    def test_a_dry_run_that_is_applied_is_told(self, operator: User, dropbox: "Standin") -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        root = watch().root.name
        run = IndexSyncService().start(mode="sync", root=root, dry_run=True, incremental=True)
        IndexSyncService().work(run_id=run.pk)
        IndexSyncService().apply(run_id=run.pk)
        IndexSyncService().work(run_id=run.pk)
        assert StoredFile.objects.filter(key="nmnm 9/").exists()
        attend()
        told()
        attend()

        assert owed() == {"NMNM 9": APPEARED}

    @pytest.mark.parametrize("whole", [True, False])
    def test_an_audit_that_is_applied_is_told(self, operator: User, dropbox: "Standin", whole: bool) -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        root = watch().root.name
        run = IndexSyncService().start(mode="audit", root=root, incremental=not whole)
        IndexSyncService().work(run_id=run.pk)
        IndexSyncService().apply(run_id=run.pk)
        IndexSyncService().work(run_id=run.pk)
        attend()
        told()
        attend()

        assert owed() == {"NMNM 9": APPEARED}

    @pytest.mark.parametrize("mode", ["clean", "full"])
    def test_deleting_modes_make_nothing_missing(self, operator: User, dropbox: "Standin", mode: str) -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        run = IndexSyncService().start(mode=mode, root=watch().root.name, force=True, grace=timedelta(0))
        IndexSyncService().work(run_id=run.pk)

        assert says(operator, "NMNM 2") in (SILENT, [REPORT])
        assert says(operator, "NMNM 9") in (SILENT, [REPORT])
        archive_looks.look_after_all()
        assert says(operator, "NMNM 9") in (SILENT, [REPORT])
        told()
        attend()
        assert says(operator, "NMNM 2") == [REPORT]
        assert owed()["NMNM 9"] == APPEARED

    def test_undo_makes_nothing_missing(self, operator: User, dropbox: "Standin") -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        told()
        attend()
        last = IndexRun.objects.latest("pk")
        IndexSyncService().undo(run_id=last.pk)
        IndexSyncService().work(run_id=last.pk)

        assert says(operator, "NMNM 9") == SILENT
        attend()
        attend()
        assert says(operator, "NMNM 9") in (SILENT, [REPORT])
        assert owed() == {"NMNM 9": APPEARED}


class TestPlansOfYesterday:
    def test_that_are_stopped_half_way_leave_no_index_that_answers(
        self, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was missing when it was planned had come back before it was carried out."""
        attend()
        root = watch().root.name
        dropbox.sight("olivia", f"{BLM}/NMNM 2", "none")
        dropbox.put(f"{BLM}/NMNM 4/", f"{BLM}/NMNM 5/")
        run = IndexSyncService().start(mode="audit", root=root)
        IndexSyncService().work(run_id=run.pk)
        dropbox.clear_sights()
        dropbox.put(f"{BLM}/NMNM 3/")
        told()
        attend()
        assert says(operator, "NMNM 2") == [REPORT]
        _apply_half(run, monkeypatch)
        told()
        attend()
        attend()

        assert says(operator, "NMNM 2") in (SILENT, [REPORT])

    def test_directory_by_directory_are_not_taken_for_those_of_now(self, operator: User, dropbox: "Standin") -> None:
        """Each such listing ends with the same cursor."""
        each_by_itself(dropbox)
        attend()
        assert watch().root.cursor == EACH
        root = watch().root.name
        dropbox.sight("olivia", f"{BLM}/NMNM 2", "none")
        each_by_itself(dropbox)
        planned = IndexSyncService().start(mode="audit", root=root)
        IndexSyncService().work(run_id=planned.pk)
        dropbox.clear_sights()
        dropbox.put(f"{BLM}/NMNM 3/")
        each_by_itself(dropbox)
        run = IndexSyncService().start(mode="sync", root=root)
        IndexSyncService().work(run_id=run.pk)
        assert watch().root.cursor == EACH
        assert says(operator, "NMNM 2") == [REPORT]
        IndexSyncService().apply(run_id=planned.pk)
        IndexSyncService().work(run_id=planned.pk)

        assert says(operator, "NMNM 2") in (SILENT, [REPORT])


def _apply_half(run: IndexRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first batch, and then somebody stops it."""
    whole = applying.apply
    monkeypatch.setattr(applying, "BATCH", 2)
    monkeypatch.setattr(applying, "apply", lambda *args, **given: whole(*args, **given | {"is_time_up": lambda: True}))
    service = IndexSyncService()
    message = message_of(service.apply(run_id=run.pk))
    jobs.run(message.label, message.pk, message.state, message.generation)
    service.abort(run_id=run.pk)
    assert IndexRun.objects.get(pk=run.pk).applied_up_to == 2
    monkeypatch.undo()


class TestOddNames:
    def test_of_reports_are_seen_as_dropbox_s_listing_shows_them(self, operator: User, dropbox: "Standin") -> None:
        names = {f"NMNM {number}": name for number, name in enumerate(ODD_REPORTS, start=31)}
        dropbox.put(*(f"{BLM}/{number}/{name}" for number, name in names.items()))
        gateway = gateway_for(operator)
        listed = {n: [each.name for each in gateway.list_directory(path=f"{BLM}/{n}").entries] for n in names}
        attend()

        said = {number: says(operator, number) for number in names}
        assert said == {number: list(reports_among(listed[number]).names) for number in names}

    def test_of_archives_are_never_missing_where_dropbox_finds_them(self, operator: User, dropbox: "Standin") -> None:
        dropbox.put(*(f"{BLM}/{name}/{REPORT}" for name, _ in ODD_ARCHIVES))
        attend()

        numbers = [number for _, number in ODD_ARCHIVES]
        assert [number for number in numbers if says(operator, number) not in _allowed(operator, number)] == []

    def test_neighbours_in_the_order_of_keys_are_kept_apart(self, operator: User, dropbox: "Standin") -> None:
        names = ["NMNM 3!", "NMNM 3", "NMNM 3-", "NMNM 3.", "NMNM 30", "NMNM 3 0", "NMNM 3a"]
        dropbox.put(
            *(f"{BLM}/{name}/{name}.pdf" for name in names), f"{BLM}/NMNM 3/{REPORT}", f"{BLM}/NMNM 30/deep/{REPORT}"
        )
        dropbox.put(f"{BLM}/NMNM 4/{REPORT}/x.pdf", f"{BLM}/NMNM 5")
        attend()

        assert says(operator, "NMNM 3") == [REPORT]
        assert says(operator, "NMNM 30") == []
        assert says(operator, "NMNM 3!") == []
        assert says(operator, "NMNM 4") == []
        assert says(operator, "NMNM 5") == SILENT
        index = index_of(account=DropboxAccount.objects.get(), base_path=BLM, poll_minutes=5)
        assert index
        assert set(index.names()) >= {name for name in names if not name.endswith(".")}


def _allowed(user: User, number: str) -> tuple[object, ...]:
    """What may be said of an archive, by whether Dropbox finds it under the lease's number."""
    try:
        gateway_for(user).list_directory(path=f"{BLM}/{number}")
    except (NotFound, Permanent, Temporary):
        return SILENT, "not found"
    return SILENT, [REPORT]


class TestTwins:
    def test_of_which_one_goes_leave_the_other_there(self, operator: User, dropbox: "Standin") -> None:
        """Their names differ by a blank that nobody sees; at Dropbox they are two folders."""
        blanks = {f"NMNM {number}": f"NMNM{blank}{number}" for number, blank in enumerate(BLANKS, start=31)}
        for number, twin in blanks.items():
            dropbox.put(f"{BLM}/{number}/{REPORT}", f"{BLM}/{twin}/old.pdf")
        attend()
        assert {number: says(operator, number) for number in blanks} == {number: [REPORT] for number in blanks}
        for twin in blanks.values():
            dropbox.delete(f"{BLM}/{twin}")
        told()
        attend()

        assert {number: says(operator, number) for number in blanks} == {number: [REPORT] for number in blanks}

    def test_that_are_reports_leave_the_other_there(self, operator: User, dropbox: "Standin") -> None:
        twins = {f"NMNM {number}": f"Master{blank}Documents.pdf" for number, blank in enumerate(BLANKS[:2], start=31)}
        for number, twin in twins.items():
            dropbox.put(f"{BLM}/{number}/{REPORT}", f"{BLM}/{number}/{twin}")
        attend()
        for number, twin in twins.items():
            dropbox.delete(f"{BLM}/{number}/{twin}")
        told()
        attend()

        assert {number: says(operator, number) for number in twins} == {number: [REPORT] for number in twins}

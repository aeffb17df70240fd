"""Many leases that are answered together, while something else happens to them or to the index."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from redis import Redis

from cloud.models import CloudLocation, DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.archive_index import ArchiveIndex
from discovery.services.index_answers import each_alone
from discovery.services.waiting import FEW, ArchivesBeingRead
from leases import services
from leases.batches import import_leases
from leases.errors import Reconfigured
from leases.models import AgencyStorageConfig, Lease
from statemachine.claims import message_of
from statemachine.jobs import run as run_job
from statemachine.models import TransitionLog
from statemachine.reconcile import reconcile
from statemachine.transitions import Actor, Step, take
from storage.models import IndexRun, StorageRoot, StoredFile
from tests.factories import indexed, watched
from tests.flows.conftest import BLM, ELSEWHERE, Work

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

MANY = [f"NMNM {each}" for each in range(1, 13)]


@pytest.fixture
def account(operator: User) -> DropboxAccount:
    return DropboxAccount.objects.get(user=operator)


@pytest.fixture
def watch(account: DropboxAccount, redis: Redis, dropbox: "Standin") -> ArchiveWatch:
    """What the index says lies in Dropbox no more, so that who asks there hears something else."""
    places = [f"{BLM}/{number}" for number in MANY]
    dropbox.put(*(f"{place}/" for place in places))
    dropbox.delete(*places)
    made = watched(account)
    indexed(made, {number: ["Master Documents.pdf", "Runsheets/"] for number in MANY})
    return made


def imported(user: User, numbers: Sequence[str] = MANY) -> list[Lease]:
    import_leases(leases=[("BLM", number) for number in numbers], user=user, title="many.csv")
    return list(Lease.objects.filter(lease_number__in=numbers).order_by("pk"))


def ring_for(lease: Lease) -> Any:
    """What a worker does for the message about this lease."""
    message = message_of(Lease.objects.get(pk=lease.pk))
    return run_job(message.label, message.pk, message.state, message.generation)


def begun(lease: Lease) -> Lease:
    """One that is owed its search, and others are owed their start."""
    reconcile()
    return Lease.objects.get(pk=lease.pk)


def running(watch: ArchiveWatch) -> IndexRun:
    """A run that changes the index."""
    return IndexRun.objects.create(root=watch.root, mode="sync", state="planning", due_at=Now())


def evidence_of(lease: Lease, transition: str) -> dict[str, Any]:
    found: dict[str, Any] = TransitionLog.objects.of(lease).filter(transition=transition).latest("generation").evidence
    return found


class TestWhileTheyAreWorkedOn:
    """What happens between the look into the index and the commit."""

    @pytest.fixture
    def meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
        """Let something happen once, after the index was read."""

        def arranged(happens: Callable[[], object]) -> None:
            left = [happens]

            def each(*args: Any, **given: Any) -> Any:
                endings = each_alone(*args, **given)
                if left:
                    left.pop()()
                return endings

            monkeypatch.setattr("discovery.reactions.each_alone", each)

        return arranged

    def test_one_that_is_stopped_stays_stopped(
        self, operator: User, watch: ArchiveWatch, meanwhile: Any, work_until_settled: Work
    ) -> None:
        leases = imported(operator)
        cancel = Step(transition="cancel")
        meanwhile(lambda: take(model=Lease, pk=leases[3].pk, step=cancel, actor=Actor.person(operator)))

        assert ring_for(begun(leases[0])) == "done"
        work_until_settled()

        assert dict(Lease.objects.exclude(state="done").values_list("pk", "state")) == {leases[3].pk: "pending"}

    def test_one_of_which_the_number_is_changed_is_searched_anew(
        self, operator: User, watch: ArchiveWatch, meanwhile: Any, work_until_settled: Work
    ) -> None:
        leases = imported(operator)
        change = partial(services.change_lease, lease_id=leases[3].pk, agency="BLM", lease_number="NMNM 77")
        meanwhile(partial(change, changed_by=operator))

        assert ring_for(begun(leases[0])) == "done"
        work_until_settled()

        lease = Lease.objects.get(pk=leases[3].pk)
        assert (lease.state, lease.runsheet_directory) == ("not_found", None)
        assert evidence_of(lease, "record_not_found")["path"] == f"{BLM}/NMNM 77"

    def test_no_answer_for_another_folder_is_recorded(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", meanwhile: Any, work_until_settled: Work
    ) -> None:
        dropbox.put(f"{ELSEWHERE}/")
        leases = imported(operator)

        def changed() -> None:
            AgencyStorageConfig.objects.update(runsheet_archive_base_path=ELSEWHERE)

        meanwhile(changed)

        ring_for(begun(leases[0]))
        assert not Lease.objects.exclude(known_base_path="").exists()
        assert set(Lease.objects.values_list("state", "failure_code")) == {("searching", Reconfigured.code)}
        work_until_settled()

        assert set(Lease.objects.values_list("state", "known_base_path")) == {("not_found", ELSEWHERE)}

    def test_an_answer_of_the_account_that_was_asked_says_so(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", meanwhile: Any, work_until_settled: Work
    ) -> None:
        leases = imported(operator)
        ivan = dropbox.account("ivan").account_id
        meanwhile(lambda: DropboxAccount.objects.update(account_id=ivan, connected_at=Now()))

        assert ring_for(begun(leases[0])) == "done"

        assert set(Lease.objects.values_list("state", "known_account")) == {("done", watch.account_id)}

    def test_an_index_that_begins_to_change_answers_nothing(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leases = imported(operator, MANY[:2])
        first = begun(leases[0])
        read = ArchiveIndex.archives

        def reading(index: ArchiveIndex, names: Any) -> Any:
            found = read(index, names)
            running(watch)
            return found

        monkeypatch.setattr(ArchiveIndex, "archives", reading)

        assert ring_for(first) == "not_found"

        assert [call.route for call in dropbox.journal()].count("files/list_folder") > 0

    @pytest.mark.parametrize(("looks", "calls"), [(1, 0), (9, len(MANY))], ids=["one look", "looks all the time"])
    def test_a_look_that_finds_nothing_new_sends_nobody_to_dropbox(
        self,
        operator: User,
        watch: ArchiveWatch,
        dropbox: "Standin",
        monkeypatch: pytest.MonkeyPatch,
        *,
        looks: int,
        calls: int,
    ) -> None:
        dropbox.put(*(f"{BLM}/{number}/" for number in MANY))
        first, read, left = begun(imported(operator)[0]), ArchiveIndex.archives, [None] * looks

        def reading(index: ArchiveIndex, names: Any) -> Any:
            found = read(index, names)
            if left and len(names) > 1:
                left.pop()
                StorageRoot.objects.filter(pk=watch.root_id).update(read_at=Now())
            return found

        monkeypatch.setattr(ArchiveIndex, "archives", reading)
        dropbox.clear_journal()

        assert ring_for(first) == "done"

        assert set(Lease.objects.values_list("state", flat=True)) == {"done"}
        assert [call.route for call in dropbox.journal()].count("files/list_folder") == calls

    def test_one_that_cannot_be_asked_for_spoils_nobody_elses_answer(
        self, operator: User, watch: ArchiveWatch, monkeypatch: pytest.MonkeyPatch, dropbox: "Standin"
    ) -> None:
        leases = imported(operator)
        StoredFile.objects.filter(key__startswith="nmnm 5/").delete()
        CloudLocation.objects.create(path=f"{BLM}/NMNM 5", name="NMNM 5")
        Lease.objects.filter(lease_number="NMNM 5").update(runsheet_directory=CloudLocation.objects.get())
        dropbox.fault("files/list_folder", status=503)

        assert ring_for(begun(leases[0])) == "done"

        odd = Lease.objects.get(lease_number="NMNM 5")
        assert (odd.state, odd.failure_code, odd.tries) == ("searching", "dropbox_unavailable", 1)
        assert set(Lease.objects.exclude(pk=odd.pk).values_list("state", flat=True)) == {"done"}

    def test_those_for_which_no_time_is_left_are_put_back_at_no_cost(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 5/", f"{BLM}/NMNM 6/")
        leases = imported(operator)
        for key in ("nmnm 5/", "nmnm 6/"):
            row = StoredFile.objects.get(key=key)
            StoredFile.objects.filter(pk=row.pk).update(etag=f"{row.etag} partial")
        monkeypatch.setattr("discovery.services.index_answers.ASKS_FOR_S", 0)

        assert ring_for(begun(leases[0])) == "done"

        asked, postponed = Lease.objects.filter(lease_number__in=["NMNM 5", "NMNM 6"]).order_by("pk")
        assert asked.state == "done"
        assert (postponed.state, postponed.failure_code, postponed.tries) == ("searching", "postponed", 0)

    def test_a_pause_of_the_account_puts_the_rest_back(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin"
    ) -> None:
        leases = imported(operator)
        for key in ("nmnm 5/", "nmnm 6/"):
            row = StoredFile.objects.get(key=key)
            StoredFile.objects.filter(pk=row.pk).update(etag=f"{row.etag} partial")
        DropboxAccount.objects.update(paused_until=Now() + timedelta(minutes=1))
        dropbox.clear_journal()

        assert ring_for(begun(leases[0])) == "done"

        waiting = Lease.objects.filter(lease_number__in=["NMNM 5", "NMNM 6"]).order_by("pk")
        assert list(waiting.values_list("failure_code", "tries")) == [("dropbox_paused", 0), ("postponed", 0)]
        assert not dropbox.journal()


class TestWhileTheArchivesAreBeingRead:
    def test_many_wait_and_go_on_together(
        self, operator: User, watch: ArchiveWatch, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.clear_journal()
        leases = imported(operator)
        reading = running(watch)

        assert ring_for(begun(leases[0])) == "waiting"

        waiting = set(Lease.objects.values_list("state", "failure_code", "tries", "claimed_until"))
        assert waiting == {("searching", ArchivesBeingRead.code, 0, None)}
        assert "is being read" in Lease.objects.get(pk=leases[0].pk).failure_message
        IndexRun.objects.filter(pk=reading.pk).delete()
        assert Lease.objects.filter(due_at__lte=Now() + timedelta(seconds=5)).count() == 1, "one looks for all"
        assert ring_for(leases[0]) == "done"
        assert not Lease.objects.filter(due_at__gt=Now()).exists(), "the others were woken"
        work_until_settled()

        assert set(Lease.objects.values_list("state", flat=True)) == {"done"}
        assert not dropbox.journal()

    def test_few_ask_dropbox(self, operator: User, watch: ArchiveWatch, dropbox: "Standin") -> None:
        leases = imported(operator, MANY[:FEW])
        running(watch)

        assert ring_for(begun(leases[0])) == "not_found"

    def test_who_has_waited_for_long_asks_dropbox(self, operator: User, watch: ArchiveWatch) -> None:
        leases = imported(operator)
        running(watch)
        first = begun(leases[0])
        Lease.objects.update(entered_at=Now() - timedelta(minutes=6))

        assert ring_for(first) == "not_found"

    def test_many_that_are_to_be_read_again_wait_too(
        self, operator: User, watch: ArchiveWatch, work_until_settled: Work
    ) -> None:
        leases = imported(operator)
        reconcile()
        work_until_settled()
        Lease.objects.update(state="detecting", due_at=Now(), entered_at=Now(), background=True)
        running(watch)

        assert ring_for(leases[0]) == "waiting"

        assert set(Lease.objects.values_list("failure_code", flat=True)) == {ArchivesBeingRead.code}

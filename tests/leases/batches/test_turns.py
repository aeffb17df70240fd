"""Every order of the background gives its leases turns of their own, beside those of the others."""

import pytest
from django.contrib.auth.models import User

from discovery.services.several_leases import BY_HAND_AT_MOST, discover_leases
from leases import services
from leases.batches import import_leases
from leases.models import AgencyStorageConfig, Batch, Lease
from leases.services import configuration_saved, resume_failed
from leases.states import State
from statemachine.batches import run_again, run_many, stop
from statemachine.line import next_in_line, turn_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

LARGE = 40


@pytest.fixture
def large(olivia: User) -> Batch:
    """An import that all others come later than; none of it has begun."""
    rows = [("NMSLO", f"B0-{number}-1") for number in range(LARGE)]
    return import_leases(leases=rows, user=olivia, title="large.csv")


def idle(count: int, **values: object) -> list[Lease]:
    given = {"state": State.DONE, "due_at": None, **values}
    return Lease.objects.bulk_create(Lease(agency="BLM", lease_number=f"NMNM {n}", **given) for n in range(count))


def turns() -> list[int]:
    return list(Lease.objects.filter(agency="BLM").order_by("pk").values_list("turn", flat=True))


class TestTurns:
    @pytest.fixture(autouse=True)
    def _present(self, large: Batch) -> None:
        self.now = turn_now(Lease)
        self.expected = [self.now + 1, self.now + 2, self.now + 3]

    def test_of_an_import(self, olivia: User) -> None:
        import_leases(leases=[("BLM", f"NMNM {n}") for n in range(3)], user=olivia, title="few.csv")

        assert turns() == self.expected

    def test_of_a_run(self, olivia: User) -> None:
        idle(3)

        run_many(Lease.objects.filter(agency="BLM"), olivia)

        assert turns() == self.expected

    def test_of_a_batch_that_is_run_again_after_it_was_stopped(self, olivia: User) -> None:
        idle(3)
        batch = run_many(Lease.objects.filter(agency="BLM"), olivia)
        Lease.objects.filter(agency="BLM").update(turn=10_000)
        stop(batch_id=batch.pk, user=olivia)
        assert turns() == [10_000] * 3

        run_again(batch_id=batch.pk, state=State.PENDING, user=olivia)

        assert turns() == self.expected

    def test_of_what_goes_on_when_its_cause_is_mended(self) -> None:
        idle(3, state=State.FAILED, failure_code="connect_dropbox")

        assert resume_failed(Lease.objects.filter(agency="BLM")) == 3

        assert turns() == self.expected

    def test_of_what_is_asked_again_since_its_folder_was_changed(self) -> None:
        idle(3, known_base_path="/old")
        configuration = AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path="/new", documents_base_path="/d", misc_index_base_path="/m"
        )

        assert configuration_saved(configuration) == 3

        assert turns() == self.expected

    @pytest.mark.parametrize("only", [None, "search"])
    def test_of_a_command_with_many_numbers(self, olivia: User, only: None) -> None:
        count = BY_HAND_AT_MOST + 1
        idle(2)

        discover_leases(agency="BLM", lease_numbers=[f"NMNM {n}" for n in range(count)], user=olivia, only=only)

        assert turns() == list(range(self.now + 1, self.now + count + 1))
        assert not Lease.objects.filter(agency="BLM", background=False).exists()

    def test_of_a_command_with_few_are_clicks(self, olivia: User) -> None:
        discover_leases(agency="BLM", lease_numbers=["NMNM 2", "NMNM 1"], user=olivia)

        chosen = next_in_line("discovery", limit=2)

        assert [lease.pk for lease in chosen] == list(
            Lease.objects.filter(agency="BLM").order_by("pk").values_list("pk", flat=True)
        )

    def test_are_not_changed_by_letting_it_be_tried_at_once(self) -> None:
        idle(3, state=State.SEARCHING, due_at="2100-01-01T00:00Z", tries=1)
        before = turns()

        assert services.try_at_once(Lease.objects.filter(agency="BLM")) == 3

        assert turns() == before

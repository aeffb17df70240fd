"""Many leases at once, for programs."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from core.base.clock import now
from leases import imports
from leases.batches import import_leases
from leases.models import Batch, Lease
from leases.row_checks import Checked, Examined
from tests.factories import settled
from tests.leases.api.conftest import Program, refused

pytestmark = pytest.mark.django_db


def items(*given: tuple[str, str]) -> list[dict[str, str]]:
    return [{"agency": agency, "number": number} for agency, number in given]


def numbers(count: int) -> list[tuple[str, str]]:
    return [("BLM", f"NMNM {1_000 + number}") for number in range(count)]


class TestAddMany:
    def test_makes_the_right_ones_and_says_of_each_what_became_of_it(self, operator: Program) -> None:
        there = settled(operator.user, lease_number="NMNM 100")
        sent = items(
            ("blm", " NMNM 0501759 "),
            ("BLM", "nmnm 100"),
            ("NASA", "NMNM 2"),
            ("BLM", "a/b"),
            ("BLM", "NMNM 0501759"),
            ("", ""),
            ("BLM", "grand total"),
            ("BLM", "NMNM\x00 9"),
            ("NMSLO", "B0-1234-5"),
        )

        answer = operator.post("leases/bulk/", {"items": sent, "title": "From the land office"})

        batch = Batch.objects.get()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/batches/{batch.pk}/")
        said = answer.json()
        assert (said["batch_id"], said["made"], said["left_out"]) == (batch.pk, 2, 7)
        assert [each["row"] for each in said["items"]] == list(range(1, 10))
        assert [(each["became"], each["code"]) for each in said["items"]] == [
            ("made", ""),
            ("refused", "duplicate_lease"),
            ("refused", "invalid_lease"),
            ("refused", "invalid_lease"),
            ("refused", "duplicate_lease"),
            ("refused", "invalid_lease"),
            ("refused", "invalid_lease"),
            ("refused", "invalid_lease"),
            ("made", ""),
        ]
        assert said["items"][1]["existing_id"] == there.pk
        assert said["items"][4]["problems"] == ["This lease stands in row 1 already."]
        made = {each["lease_id"]: each["number"] for each in said["items"] if each["lease_id"]}
        assert made == dict(Lease.objects.exclude(pk=there.pk).values_list("pk", "lease_number"))
        assert (batch.title, batch.size, batch.left_out) == ("From the land office", 2, 7)

    @pytest.mark.parametrize(("only_sure", "became", "status"), [(False, "made", 202), (True, "doubtful", 200)])
    def test_leaves_out_the_doubtful_where_that_is_wanted(
        self, operator: Program, only_sure: bool, became: str, status: int
    ) -> None:
        settled(operator.user, lease_number="NMNM 0501759")

        answer = operator.post("leases/bulk/", {"items": items(("BLM", "NMNM 501759")), "only_sure": only_sure})

        (told,) = answer.json()["items"]
        assert (answer.status_code, told["became"], told["lease_id"] is None) == (status, became, only_sure)
        assert "BLM already has NMNM 0501759" in told["doubts"][0]
        assert Lease.objects.count() == 2 - only_sure

    def test_makes_no_batch_of_nothing(self, operator: Program) -> None:
        answer = operator.post("leases/bulk/", {"items": items(("BLM", "a/b"))})

        assert (answer.status_code, answer.json()["batch_id"], answer.json()["left_out"]) == (200, None, 1)
        assert "Location" not in answer
        assert not Batch.objects.exists()

    def test_takes_as_many_statements_for_a_thousand_as_for_two(self, operator: Program) -> None:
        def statements(given: list[tuple[str, str]]) -> int:
            with CaptureQueriesContext(connection) as asked:
                answer = operator.post("leases/bulk/", {"items": items(*given)})
            assert (answer.status_code, answer.json()["made"]) == (202, len(given))
            return len(asked)

        given = numbers(1_005)
        statements(given[:1])  # the first one finds out what is remembered from then on

        two, thousand = statements(given[1:3]), statements(given[3:1_003])

        assert thousand == two
        assert Lease.objects.count() == 1_003

    def test_begins_again_when_somebody_makes_one_of_them_meanwhile(
        self, operator: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = import_leases

        def overtaken(**given: Any) -> Batch:
            if not Lease.objects.exists():
                settled(operator.user, lease_number="NMNM 1000")
            return real(**given)

        monkeypatch.setattr(imports, "import_leases", overtaken)

        said = operator.post("leases/bulk/", {"items": items(*numbers(2))}).json()

        assert [each["code"] for each in said["items"]] == ["duplicate_lease", ""]

    def test_gives_up_when_others_are_always_faster(self, operator: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = Examined(checked=(Checked(row=1, agency="BLM", lease_number="NMNM 1"),))
        monkeypatch.setattr(imports, "examine", lambda *_args, **_named: seen)
        settled(operator.user, lease_number="NMNM 1")

        assert refused(operator.post("leases/bulk/", {"items": items(("BLM", "NMNM 1"))})) == (409, "overtaken")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"items": []},
            {"items": items(*numbers(1_001))},
            {"items": [{"agency": "BLM"}]},
            {"items": [{"agency": "BLM", "number": "N" * 501}]},
            {"items": items(("BLM", "1")), "title": "\0"},
            {"items": items(("BLM", "1")), "title": "t" * 201},
            {"items": items(("BLM", "1")), "sure": True},
        ],
    )
    def test_refuses_what_makes_no_sense_as_a_whole(self, operator: Program, body: Any) -> None:
        assert refused(operator.post("leases/bulk/", body)) == (422, "invalid")
        assert not Lease.objects.exists()


class TestRunMany:
    @pytest.fixture
    def some(self, operator: Program) -> list[Lease]:
        """Three that have settled in two ways, and one that is under way."""
        return [
            settled(operator.user, lease_number="NMNM 1", state="done"),
            settled(User.objects.create_user("nina"), lease_number="NMNM 2", state="not_found"),
            settled(None, agency="NMSLO", lease_number="B0-1", state="not_found"),
            settled(operator.user, lease_number="NMNM 3", due_at=now()),
        ]

    def owed(self) -> set[str]:
        return set(Lease.objects.filter(due_at__isnull=False).values_list("lease_number", flat=True))

    def test_runs_those_that_are_named(self, operator: Program, some: list[Lease]) -> None:
        answer = operator.post("leases/run/", {"ids": [some[0].pk, some[1].pk, some[3].pk, 99_999]})

        said = answer.json()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/batches/{said['id']}/")
        assert (said["kind"], said["size"], said["condition"]) == ("run", 2, "under_way")
        assert said["title"] == "Full discovery of 2 leases"
        assert said["progress"]["waiting"] == 2
        assert self.owed() == {"NMNM 1", "NMNM 2", "NMNM 3"}

    def test_runs_those_that_a_filter_means(self, operator: Program, some: list[Lease]) -> None:
        operator.post("leases/run/", {"filter": {"state": "not_found", "agency": "NMSLO"}})

        assert self.owed() == {"B0-1", "NMNM 3"}

    def test_makes_the_missing_archives(self, operator: Program, some: list[Lease], settings: Settings) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = True

        said = operator.post("leases/run/", {"what": "archive", "filter": {}}).json()

        assert (said["title"], said["size"]) == ("Missing archives of 2 leases", 2)
        assert set(Lease.objects.filter(makes_archive=True).values_list("lease_number", flat=True)) == {
            "NMNM 2",
            "B0-1",
        }

    @pytest.mark.parametrize(("what", "starting"), [("full", 3), ("archive", 2)])
    def test_says_first_what_it_would_come_to(
        self, operator: Program, some: list[Lease], settings: Settings, what: str, starting: int
    ) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = True
        wish = {"what": what, "filter": {"agency": None}}

        plan = operator.post("leases/run/", {**wish, "dry_run": True})

        told = plan.json()
        assert (plan.status_code, told["chosen"], told["starting"], told["left_alone"]) == (
            200,
            4,
            starting,
            4 - starting,
        )
        assert self.owed() == {"NMNM 3"}
        Lease.objects.filter(pk=some[1].pk).update(generation=5)
        assert refused(operator.post("leases/run/", {**wish, "which": told["which"]})) == (409, "choice_changed")
        again = operator.post("leases/run/", {**wish, "dry_run": True}).json()
        assert operator.post("leases/run/", {**wish, "which": again["which"]}).status_code == 202

    def test_has_nothing_to_start_where_all_are_under_way(self, operator: Program, some: list[Lease]) -> None:
        assert refused(operator.post("leases/run/", {"ids": [some[3].pk]})) == (409, "nothing_to_start")
        assert not Batch.objects.exists()

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "choice_unclear"),
            ({"ids": [1], "filter": {}}, "choice_unclear"),
            ({"ids": []}, "invalid"),
            ({"ids": [0]}, "invalid"),
            ({"ids": [10**30]}, "invalid"),
            ({"ids": [True]}, "invalid"),
            ({"ids": list(range(1, 1_002))}, "invalid"),
            ({"filter": {"status": "done"}}, "invalid"),
            ({"filter": {"failure": "\0"}}, "invalid"),
            ({"filter": {"search": "\ud800"}}, "invalid"),
            ({"filter": {"search": ",".join(map(str, range(1_001)))}}, "too_many_searched"),
            ({"what": "stop", "ids": [1]}, "invalid"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, operator: Program, some: list[Lease], body: Any, code: str) -> None:
        assert refused(operator.post("leases/run/", body)) == (422, code)
        assert self.owed() == {"NMNM 3"}

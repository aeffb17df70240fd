"""Which rows of a file have no archive, and in how many words that is said."""

import pytest
from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from leases.calls import Calls
from leases.neighbours import Near, answered_without_calls, without_archive
from leases.row_checks import Checked, Examined
from leases.unfound import Unfound, WithoutArchive, calls_of_import, rows_without_archive, same_numbers
from storage.models import StorageRoot
from tests import factories
from tests.factories import BLM, configured, indexed, watched

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(olivia: User) -> DropboxAccount:
    made = factories.account(user=olivia)
    made.save()
    configured()
    indexed(watched(made), {"NMNM 0501759": ["Master Documents.pdf"], "NMNM 0014321": []})
    return made


def examined(*leases: tuple[str, str]) -> Examined:
    rows = (Checked(row=row, agency=agency, lease_number=number) for row, (agency, number) in enumerate(leases, 2))
    return Examined(checked=tuple(rows))


def unfound(*nearest: tuple[Near, ...] | None, looked_at: int = 60) -> Unfound:
    row = Checked(row=2, agency="BLM", lease_number="NMNM 1")
    found = {number: WithoutArchive(row=row, nearest=near) for number, near in enumerate(nearest)}
    return Unfound(looked_at=looked_at, by_row=found)


class TestRowsWithoutArchive:
    def test_are_told_by_their_rows(self, account: DropboxAccount, olivia: User) -> None:
        leases = [("BLM", "NMNM 501759"), ("BLM", "NMNM 0014321"), ("NMSLO", "B0-1"), ("BLM", "NMNM 4444444")]

        found = rows_without_archive(examined(*leases), user=olivia)

        assert found is not None
        assert [(row, each.sentence) for row, each in found.by_row.items()] == [
            (2, "There is no archive of this name. Nearest: NMNM 0501759 (has a report)."),
            (5, "There is no archive of this name, and none that comes near."),
        ]
        assert found.summary.startswith("2 of 3 numbers have no archive; 1 has a near one.")

    def test_are_not_known_of_agencies_whose_archives_nobody_reads(self, account: DropboxAccount, olivia: User) -> None:
        assert rows_without_archive(examined(("NMSLO", "B0-1")), user=olivia) is None

    @pytest.mark.parametrize("why", ["not read to its end", "to be connected again"])
    def test_are_said_not_to_be_known_where_that_is_so_just_now(
        self, account: DropboxAccount, olivia: User, why: str
    ) -> None:
        if why == "not read to its end":
            StorageRoot.objects.update(read_at=None)
        else:
            DropboxAccount.objects.update(needs_reconnect_reason="It was revoked.")

        found = rows_without_archive(examined(("BLM", "NMNM 1")), user=olivia)

        assert found is not None
        assert (found.looked_at, found.by_row, found.not_known) == (0, {}, {"BLM": 1})
        assert found.summary == "Of 1 number of BLM it is not known just now whether there is an archive."

    def test_that_are_not_known_count_neither_as_having_one_nor_as_having_none(
        self, account: DropboxAccount, olivia: User
    ) -> None:
        """What one agency's folder holds says nothing of another one's, whose rows are being changed."""
        configured("NMSLO", "/State")
        indexed(watched(account, base="/State"), {})
        StorageRoot.objects.filter(archive_watch__base_path=BLM).update(read_at=None)
        leases = [("BLM", "NMNM 0014321"), ("BLM", "NMNM 4444444"), ("NMSLO", "K0-1")]

        found = rows_without_archive(examined(*leases), user=olivia)

        assert found is not None
        assert found.summary == (
            "1 of 1 number has no archive; 0 have a near one. "
            "Of 2 numbers of BLM it is not known just now whether there is an archive."
        )

    def test_are_not_known_where_a_number_cannot_be_judged(self, account: DropboxAccount, olivia: User) -> None:
        leases = [("BLM", "NMNM 0014321"), ("BLM", "NMNM 1\N{CYRILLIC CAPITAL LETTER EM}"), ("BLM", "NMNM 4444444")]

        found = rows_without_archive(examined(*leases), user=olivia)

        assert found is not None
        assert found.summary == (
            "1 of 2 numbers has no archive; 0 have a near one. "
            "Of 1 number of BLM it is not known just now whether there is an archive."
        )

    def test_are_not_known_where_nobody_says_who_imports(self, account: DropboxAccount) -> None:
        assert rows_without_archive(examined(("BLM", "NMNM 1")), user=None) is None

    def test_leave_out_what_is_not_imported(self, account: DropboxAccount, olivia: User) -> None:
        wrong = Checked(row=2, agency="BLM", lease_number="a/b", problems={"number": "…"})

        assert rows_without_archive(Examined(checked=(wrong,)), user=olivia) is None


class TestTheSameNumber:
    @pytest.fixture
    def archives(self, olivia: User) -> None:
        made = factories.account(user=olivia)
        made.save()
        configured()
        names = ["NMNM 0501759", "NMNM 14321", "NMNM 014321", "NMNM 0000077", "NMNM 0000088", "NMLC-0063798"]
        indexed(watched(made), {name: [] for name in names})
        factories.settled(None, lease_number="NMNM 0000077")

    @pytest.mark.parametrize(
        ("numbers", "same"),
        [
            (["NMNM 501759"], {2: "NMNM 0501759"}),
            (["NMLC 0063798"], {2: "NMLC-0063798"}),
            (["NMNM 0501758"], {}),  # another digit is another lease, more often than not
            (["NMNM 0014321"], {}),  # two archives are written so
            (["NMNM 77"], {}),  # a lease already
            (["NMNM 88", "NMNM 088"], {}),  # two rows would take one
            (["NMNM 88", "NMNM 0000088"], {}),  # stands in the file
        ],
    )
    def test_is_what_one_archive_and_no_other_is_called(
        self, archives: None, olivia: User, numbers: list[str], same: dict[int, str]
    ) -> None:
        rows = examined(*[("BLM", number) for number in numbers])
        found = rows_without_archive(rows, user=olivia)

        assert found is not None
        assert same_numbers(rows, found) == same


class TestCallsOfAnImport:
    def test_are_two_for_each_that_the_index_does_not_answer(self, account: DropboxAccount, olivia: User) -> None:
        leases = [("BLM", "NMNM 501759"), ("BLM", "NMNM 0014321"), ("NMSLO", "B0-1")]

        calls = calls_of_import(examined(*leases).usable, user=olivia)

        assert calls == Calls(starting=3, answered=2)
        assert str(calls).startswith("about 2, by your Dropbox account; about 2 leases are answered from what is known")

    def test_are_not_known_of_nobody_and_of_nothing(self, olivia: User) -> None:
        assert calls_of_import(examined(("BLM", "NMNM 1")).usable, user=None) is None
        assert calls_of_import([], user=olivia) is None


class TestSummary:
    NEAR = (Near(name="NMNM 1"),)

    def test_counts_them(self) -> None:
        near = [self.NEAR] * 4

        assert unfound(*near, ()).summary == "5 of 60 numbers have no archive; 4 have a near one."
        assert unfound((), looked_at=1).summary == "1 of 1 number has no archive; 0 have a near one."

    def test_says_of_how_many_it_was_looked_for_more(self) -> None:
        assert unfound(self.NEAR, (), None).summary == (
            "3 of 60 numbers have no archive; of the first 2 of them 1 has a near one."
        )

    def test_is_empty_where_all_have_one(self) -> None:
        assert unfound().summary == ""

    def test_has_a_sentence_for_a_row_that_nobody_has_looked_at(self) -> None:
        assert unfound(None).by_row[0].sentence == "There is no archive of this name."


class TestDeclared:
    def test_nobody_who_knows_says_nothing(self, monkeypatch: pytest.MonkeyPatch, olivia: User) -> None:
        monkeypatch.setattr("leases.neighbours._DECLARED", [])

        assert without_archive(agency="BLM", numbers=["NMNM 1"], user=olivia) is None
        assert answered_without_calls(agency="BLM", numbers=["NMNM 1"], user=olivia) == 0


class TestNear:
    def test_says_what_is_known_of_its_report(self) -> None:
        near = [Near(name="a", has_report=True), Near(name="b", has_report=False), Near(name="c")]

        assert list(map(str, near)) == ["a (has a report)", "b (no report)", "c"]

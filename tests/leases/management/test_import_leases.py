"""`manage.py import_leases`: the same reader and the same checks as the pages, and the exit codes."""

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import OperationalError

from leases import imports
from leases.errors import Overtaken
from leases.imports import left_out_by
from leases.management.commands import import_leases
from leases.models import Batch, Lease, Upload
from storage.models import StorageRoot
from tests import factories
from tests.factories import configured, indexed, watched
from tests.leases.test_cases import CASES

pytestmark = pytest.mark.django_db

MIXED = "Agency,Lease Number,Remark\nBLM,NMNM 1\nBLM,NMNM 1!,y\nXYZ,NMNM 2,z\nTotal\n"


@pytest.fixture
def ivan(db: None) -> User:
    """May add leases."""
    user = User.objects.create_user("ivan")
    user.user_permissions.add(Permission.objects.get(codename="add_lease"))
    return user


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    file = tmp_path / "leases.csv"
    file.write_text(MIXED)
    return file


def run(file: Path | str, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was printed."""
    out, code = io.StringIO(), 0
    try:
        call_command("import_leases", str(file), "--json", *options, stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    return code, json.loads(out.getvalue())


def text(file: Path, *options: str) -> str:
    out = io.StringIO()
    with suppress(SystemExit):
        call_command("import_leases", str(file), *options, stdout=out)
    return out.getvalue()


class TestDryRun:
    def test_shows_everything_and_saves_nothing(self, mixed: Path) -> None:
        code, document = run(mixed, "--dry-run")

        assert code == 1
        assert document == {
            "leases": [
                {"row": 2, "agency": "BLM", "number": "NMNM 1", "doubts": []},
                {"row": 3, "agency": "BLM", "number": "NMNM 1!", "doubts": [document["leases"][1]["doubts"][0]]},
            ],
            "problems": [
                {"row": 4, "column": "agency", "sentence": "“XYZ” is no agency known here: write NMSLO or BLM."}
            ],
            "left_out": [
                {"row": 1, "reason": "These are the names of the columns."},
                {"row": 5, "reason": "“Total” is no lease: it looks like a total."},
            ],
            "without_archive": None,
            "dropbox_calls": None,
            "archive_not_known": None,
            "notes": ["Doubtful rows are imported only with --with-doubtful."],
            "error": None,
        }
        assert not Upload.objects.exists()
        assert not Lease.objects.exists()

    def test_ends_well_where_nothing_is_wrong(self) -> None:
        assert run(CASES / "11-footer.csv", "--agency", "blm", "--dry-run")[0] == 0
        assert run(CASES / "15-hyperlinks.xlsx", "--dry-run")[0] == 0

    def test_is_for_people_without_json(self, mixed: Path) -> None:
        assert text(mixed, "--dry-run").splitlines() == [
            "Row 4: “XYZ” is no agency known here: write NMSLO or BLM.",
            "Row 2: BLM NMNM 1",
            "Row 3: BLM NMNM 1!, doubtful: “!” (exclamation mark) is rarely part of a lease number.",
            "Row 1, no lease: These are the names of the columns.",
            "Row 5, no lease: “Total” is no lease: it looks like a total.",
            "Usable: 2, of which 1 doubtful. With a problem: 1. No lease: 2.",
            "Doubtful rows are imported only with --with-doubtful.",
        ]

    def test_sends_a_terminal_nothing_that_it_obeys(self, tmp_path: Path) -> None:
        file = tmp_path / "odd.csv"
        lines = (
            "Agency,Lease Number",
            "B\x9b31mLM,NMNM 1",
            "BLM,NM\x9b2JNM 2",
            "BLM,NM\x85NM 3",
            "BLM,NMNM 4",
            "Total\x9b31m 5,",
        )
        file.write_text("\n".join(lines), encoding="utf-8")

        shown = text(file, "--dry-run")

        assert "Row 2: “B\ufffd31mLM” is no agency known here" in shown
        assert [line for line in shown.split("\n") if not line.isprintable()] == []

    def test_names_the_option_that_says_whose_they_are(self) -> None:
        _, without = run(CASES / "11-footer.csv", "--dry-run")
        _, given = run(CASES / "11-footer.csv", "--dry-run", "--agency", "BLM")

        assert without["notes"] == [
            "Say with --agency NMSLO or --agency BLM whose the leases are whose row does not say so."
        ]
        assert given["notes"] == []
        assert without["notes"][0] in text(CASES / "11-footer.csv", "--dry-run").splitlines()


class TestImport:
    def test_takes_what_has_neither_problem_nor_doubt(self, mixed: Path, ivan: User) -> None:
        code, document = run(mixed, "--user", "ivan")

        batch = Batch.objects.get()
        assert (code, document["error"]) == (1, None)
        assert document["notes"] == [
            f"Imported: 1 as batch {batch.pk}; 3 left out.",
            "Doubtful rows are imported only with --with-doubtful.",
        ]
        assert [str(lease) for lease in Lease.objects.all()] == ["BLM NMNM 1"]
        assert (batch.title, batch.created_by, batch.size, batch.left_out) == ("leases.csv", ivan, 1, 3)
        left_out = left_out_by(batch.pk)
        assert [(row.row, row.others) for row in left_out.rows] == [(3, ("y",)), (4, ("z",)), (5, ("",))]
        assert left_out.own_columns == ["Remark"]

    def test_takes_the_doubtful_on_demand(self, mixed: Path, ivan: User) -> None:
        _, document = run(mixed, "--user", "ivan", "--with-doubtful")

        assert Batch.objects.get().size == 2
        assert document["notes"] == [f"Imported: 2 as batch {Batch.objects.get().pk}; 2 left out."]

    def test_does_nothing_where_all_is_doubtful_and_names_the_option(self, ivan: User) -> None:
        code, document = run(CASES / "15-hyperlinks.xlsx", "--user", "ivan")

        assert code == 1
        assert document["notes"] == [
            "There is no row that could be imported. Nothing was saved.",
            "Doubtful rows are imported only with --with-doubtful.",
        ]
        assert not Upload.objects.exists()


class TestRefusal:
    """Exit code 2, and one sentence."""

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ((), "Say with --user who imports the leases"),
            (("--user", "nobody"), "There is no active user “nobody”."),
            (("--user", "viewer"), "You do not have the permission to create leases."),
            (("--user", "viewer", "--dry-run"), "You do not have the permission to create leases."),
        ],
    )
    def test_of_who_may_not(self, mixed: Path, viewer: User, options: tuple[str, ...], sentence: str) -> None:
        code, document = run(mixed, *options)

        assert (code, document["leases"]) == (2, [])
        assert document["error"].startswith(sentence)
        assert not Lease.objects.exists()

    def test_of_who_is_no_longer_active(self, mixed: Path, ivan: User) -> None:
        User.objects.update(is_active=False)

        assert run(mixed, "--user", "ivan")[1]["error"].startswith("There is no active user")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "“leases.csv” is empty."),
            (b"<html><table></table></html>", "This is a web page (HTML)"),
            (b"x" * 10_500_000, "This file has 10.5 MB; at most 10 MB can be imported at once."),
            (b"a,b\nc,d\n", "Which column holds the lease numbers cannot be told."),
        ],
    )
    def test_of_a_file(self, tmp_path: Path, content: bytes, sentence: str) -> None:
        file = tmp_path / "leases.csv"
        file.write_bytes(content)

        code, document = run(file, "--dry-run")

        assert code == 2
        assert document["error"].startswith(sentence)
        assert text(file, "--dry-run").startswith(sentence)

    @pytest.mark.parametrize("content", ["Agency,Lease Number\n", "Agency,Lease Number\nTotal,\nPage 1 of 1\n"])
    @pytest.mark.parametrize("options", [("--dry-run",), ("--user", "ivan")])
    def test_of_a_file_without_a_lease(
        self, tmp_path: Path, ivan: User, content: str, options: tuple[str, ...]
    ) -> None:
        file = tmp_path / "leases.csv"
        file.write_text(content)

        code, document = run(file, *options)

        assert code == 2
        assert document["error"].startswith("No row of “leases.csv” is a lease")
        assert [row["row"] for row in document["left_out"]] == list(range(1, content.count("\n") + 1))
        assert document["error"] in text(file, *options)
        assert not Upload.objects.exists()

    @pytest.mark.parametrize("name", ["", "none.csv", "a\0b", "\udcff.csv"])
    def test_of_what_is_no_file(self, tmp_path: Path, name: str) -> None:
        code, document = run(f"{tmp_path}/{name}", "--dry-run")

        assert code == 2
        assert "cannot be read: " in document["error"]

    def test_of_a_database_that_is_away(self, mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> None:
            raise OperationalError

        monkeypatch.setattr(imports, "known_words", away)

        code, document = run(mixed, "--dry-run")

        assert (code, bool(document["error"])) == (2, True)

    def test_leaves_what_it_has_shown(self, mixed: Path, ivan: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def busy(**_: object) -> None:
            raise Overtaken

        monkeypatch.setattr(import_leases, "confirm", busy)

        code, document = run(mixed, "--user", "ivan")

        assert (code, len(document["leases"])) == (2, 2)
        assert document["error"].startswith("Others were making leases")


class TestNameThatIsNotUtf8:
    """As files are called that come from an old machine: Python keeps the odd bytes as halves of surrogate pairs."""

    @pytest.fixture
    def odd(self, tmp_path: Path) -> Path:
        file = tmp_path / "B\udcfccher.csv"
        file.write_text(MIXED)
        return file

    def test_is_no_obstacle(self, odd: Path, ivan: User) -> None:
        code, document = run(odd, "--user", "ivan")

        assert (code, document["error"]) == (1, None)
        assert Batch.objects.get().title == Upload.objects.get().name == "B\ufffdcher.csv"

    def test_is_told_so_that_it_can_be_printed(self, odd: Path, tmp_path: Path) -> None:
        odd.write_text("")

        for said in (text(odd, "--dry-run"), text(tmp_path / "\udcff.csv", "--dry-run")):
            assert "\ufffd" in said
            said.encode()

    def test_of_a_person_is_nobodys(self, mixed: Path) -> None:
        assert run(mixed, "--user", "\udcff")[1]["error"].startswith("There is no active user “\ufffd”.")


class TestWithoutArchive:
    """By the index of the one who imports."""

    @pytest.fixture
    def file(self, ivan: User, tmp_path: Path) -> Path:
        ivan.user_permissions.add(Permission.objects.get(codename="run_discovery"))
        account = factories.account(user=ivan)
        account.save()
        configured()
        indexed(watched(account), {"NMNM 0501759": ["Master Documents.pdf"], "NMNM 0014321": []})
        file = tmp_path / "leases.csv"
        file.write_text("Agency,Lease Number\nBLM,NMNM 501759\nBLM,NMNM 0014321\nBLM,NMNM 4444444\n")
        return file

    def test_is_told_to_programs(self, file: Path) -> None:
        _, document = run(file, "--dry-run", "--user", "ivan")

        near = [{"name": "NMNM 0501759", "has_report": True}]
        assert document["without_archive"] == [
            {"row": 2, "agency": "BLM", "number": "NMNM 501759", "nearest": near},
            {"row": 4, "agency": "BLM", "number": "NMNM 4444444", "nearest": []},
        ]
        assert document["notes"] == ["2 of 3 numbers have no archive; 1 has a near one."]
        assert document["dropbox_calls"] == 0

    def test_is_told_to_people(self, file: Path) -> None:
        said = text(file, "--dry-run", "--user", "ivan").splitlines()

        assert ("Row 2: NMNM 501759: There is no archive of this name. Nearest: NMNM 0501759 (has a report).") in said
        assert "2 of 3 numbers have no archive; 1 has a near one." in said
        assert any(line.startswith("Dropbox calls: none: all are answered from what is known of") for line in said)

    def test_of_so_many_that_nobody_looked_is_null(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("discovery.services.near_index.LOOKED_AT_MOST", 1)

        _, document = run(file, "--dry-run", "--user", "ivan")

        assert [each["nearest"] is None for each in document["without_archive"]] == [False, True]

    def test_is_never_said_of_an_agency_whose_archives_are_not_known(self, file: Path) -> None:
        file.write_text(f"{file.read_text()}NMSLO,K0-6423-1\n")

        _, document = run(file, "--dry-run", "--user", "ivan")

        assert [each["row"] for each in document["without_archive"]] == [2, 4]
        assert document["archive_not_known"] == {"NMSLO": 1}
        told = "Of 1 number of NMSLO it is not known just now whether there is an archive."
        assert document["notes"] == [f"2 of 3 numbers have no archive; 1 has a near one. {told}"]
        assert document["dropbox_calls"] == 2

    def test_is_null_while_it_is_known_of_no_row(self, file: Path) -> None:
        StorageRoot.objects.update(read_at=None)

        _, document = run(file, "--dry-run", "--user", "ivan")

        assert (document["without_archive"], document["archive_not_known"]) == (None, {"BLM": 3})
        said = text(file, "--dry-run", "--user", "ivan").splitlines()
        assert "Of 3 numbers of BLM it is not known just now whether there is an archive." in said

    def test_is_not_known_of_nobody(self, file: Path) -> None:
        assert run(file, "--dry-run")[1]["without_archive"] is None

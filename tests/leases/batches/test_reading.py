"""A file that was read otherwise than it is meant: another separator, another sheet, words for agencies, no leases."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from leases import agency_words
from leases.columns import Mapping
from leases.errors import UploadGone
from leases.imports import confirm as confirm_import
from leases.imports import keep_upload, kept_uploads, read_again
from leases.models import AgencyWord, Batch, Lease, Upload
from spreadsheets.tables import Choices
from statemachine.errors import TransitionForbidden
from tests.leases.batches.asking import confirm, send
from tests.leases.test_cases import CASES
from tests.spreadsheets.test_workbooks import workbook

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def case(client: Client, name: str) -> Any:
    return send(client, (CASES / name).read_bytes(), name)


def numbers(answer: Any) -> list[tuple[str, str]]:
    return [(row.agency, row.lease_number) for row in answer.context["preview"].examined.usable]


def say(client: Client, answer: Any, words: dict[str, str], **more: str) -> Any:
    url = reverse("admin:leases_batch_words", args=[Upload.objects.latest("pk").pk])
    fields = {field.name: field.value() for field in answer.context["preview"].form}
    return client.post(url, fields | {"word": list(words), "meaning": list(words.values())} | more, follow=True)


def read(client: Client, **choice: str) -> Any:
    return client.post(reverse("admin:leases_batch_read", args=[Upload.objects.latest("pk").pk]), choice, follow=True)


class TestCases:
    """The pages show what the reader and the checks have found; these are the ones with something to see."""

    def test_of_semicolons(self, console: Client) -> None:
        answer = case(console, "03-semicolons-legal-with-commas.csv")

        assert numbers(answer) == [("BLM", "NMNM 0930001"), ("BLM", "NMNM 0930002")]
        assert "T. 17 S., R. 30 E., sec. 1, lots 1, 2, 3, S2N2</td>" in answer.text
        assert '<option value=";" selected>Semicolon ;</option>' in answer.text
        assert "Row 1: These are the names of the columns." in answer.text

    def test_of_a_footer(self, console: Client) -> None:
        answer = case(console, "11-footer.csv")
        assert "Say whose leases these are." in answer.text

        asked = {"number": "0", "agency": "BLM", "first_row": "2"}
        mapped = console.get(answer.request["PATH_INFO"], asked)

        preview = mapped.context["preview"]
        assert numbers(mapped) == [("BLM", "NMNM 0911001"), ("BLM", "NMNM 0911002")]
        assert "4 rows are no leases, such as a total or a note" in mapped.text
        shown = console.get(answer.request["PATH_INFO"] + preview.no_leases_url)
        assert "“***END OF REPORT***” is no lease: it looks like the end of a report." in shown.text
        assert [tab.label for tab in shown.context["preview"].tabs if tab.is_chosen] == ["No leases"]
        assert "Imported: 2 leases; 4 rows were left out." in confirm(console, mapped).text

    def test_of_names_that_are_chosen_to_be_a_lease(self, console: Client) -> None:
        answer = case(console, "07-mlrs-layer.csv")
        asked = {"number": "1", "agency": "BLM", "first_row": "1"}

        mapped = console.get(answer.request["PATH_INFO"], asked)

        assert numbers(mapped) == [("BLM", "NMNM109700001"), ("BLM", "NMNM109700002")]

    def test_of_merged_cells(self, console: Client) -> None:
        answer = case(console, "13-merged-agency.xlsx")

        assert [agency for agency, _ in numbers(answer)] == ["BLM"] * 3 + ["NMSLO"] * 2
        assert "Merged cells (A2:A4 and A5:A6): the text of each area is read in each of its rows." in answer.text

    def test_of_formulas(self, console: Client) -> None:
        answer = case(console, "15-hyperlinks.xlsx")

        assert "2 of those that can be imported are doubtful" in answer.text
        assert "its text is the one that it had when the file was last saved" in answer.text
        assert "without the doubtful" not in answer.text

    def test_of_a_lessor(self, console: Client) -> None:
        answer = case(console, "23-lessor-column.csv")

        form = answer.context["preview"].form
        assert (form["number"].value(), form["agency"].value()) == ("1", "")
        assert "Say whose leases these are." in answer.text


class TestWords:
    def test_are_asked_about_with_what_they_likely_mean(self, console: Client) -> None:
        answer = case(console, "22-agency-words.csv")

        assert [(word.word, word.meaning, word.is_known) for word in answer.context["preview"].words] == [
            ("Federal", "BLM", False),
            ("State", "NMSLO", False),
            ("USA", "BLM", False),
            ("State of New Mexico", "NMSLO", False),
            ("U.S. Bureau of Land Management", "BLM", False),
            ("SLO", "NMSLO", False),
        ]
        assert answer.context["preview"].right_count == 0
        assert "What the words for agencies mean" in answer.text

    def test_are_remembered_for_this_file_and_the_next(self, console: Client, operator: User) -> None:
        answer = case(console, "22-agency-words.csv")

        said = say(console, answer, {word.word: word.meaning for word in answer.context["preview"].words})

        assert [agency for agency, _ in numbers(said)] == ["BLM", "NMSLO"] * 3
        assert AgencyWord.objects.filter(said_by=operator).count() == 6
        assert [word.is_known for word in said.context["preview"].words] == [True] * 6
        assert len(numbers(case(console, "22-agency-words.csv"))) == 6

    def test_keep_the_columns_that_were_chosen(self, console: Client) -> None:
        answer = case(console, "23-lessor-column.csv")
        asked = {"number": "1", "agency": "0", "first_row": "2"}
        mapped = console.get(answer.request["PATH_INFO"], asked)

        said = say(console, mapped, {"United States of America": "BLM", "State of New Mexico": "NMSLO"})

        assert numbers(said) == [("BLM", "NMNM 0923001"), ("NMSLO", "VB-9231-1")]

    def test_can_be_left_without_a_meaning(self, console: Client) -> None:
        answer = send(console, "Agency,Lease\nFederal,NMNM 1\nAnna,NMNM 2\n=A1,1\n#REF!,2\n")
        assert [word.word for word in answer.context["preview"].words] == ["Federal", "Anna"]

        said = say(console, answer, {"Federal": "BLM", "Anna": ""})

        assert numbers(said) == [("BLM", "NMNM 1")]
        assert [word.word for word in said.context["preview"].words] == ["Anna", "Federal"]

    def test_are_not_asked_about_in_rows_that_are_no_leases(self, console: Client) -> None:
        assert send(console, "Agency,Lease\nBLM,NMNM 1\nTotal,\n").context["preview"].words == []

    def test_may_be_too_many(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(agency_words, "MOST", 0)

        answer = say(console, send(console, "Agency,Lease\nFederal,NMNM 1\n"), {"Federal": "BLM"})

        assert "There are too many words for agencies already." in answer.text

    def test_of_a_file_that_is_gone_are_remembered_all_the_same(self, console: Client) -> None:
        answer = send(console, "Agency,Lease\nFederal,NMNM 1\n")
        url = reverse("admin:leases_batch_words", args=[0])

        console.post(url, {"word": ["Federal"], "meaning": ["BLM"]})

        assert numbers(console.get(answer.request["PATH_INFO"])) == [("BLM", "NMNM 1")]

    def test_are_for_who_may_import(self, console: Client, client: Client) -> None:
        send(console, "Agency,Lease\nFederal,NMNM 1\n")
        client.force_login(User.objects.create_user("stranger", is_staff=True))
        pk = Upload.objects.get().pk

        for name in ("leases_batch_words", "leases_batch_read"):
            assert client.post(reverse(f"admin:{name}", args=[pk])).status_code == 403
            assert client.get(reverse(f"admin:{name}", args=[pk])).status_code == 405
        assert not AgencyWord.objects.exists()


class TestSeparator:
    def test_can_be_chosen(self, console: Client) -> None:
        send(console, "Agency,Lease;x\nBLM,NMNM 1;y\n")

        answer = read(console, separator=";")

        assert [row.cells for row in answer.context["preview"].rows] == [["Agency,Lease", "x"], ["BLM,NMNM 1", "y"]]
        assert [row.cells for row in read(console, separator=",").context["preview"].rows][1] == ["BLM", "NMNM 1;y"]

    @pytest.mark.parametrize("choice", [{"separator": "x"}, {}])
    def test_that_is_none_changes_nothing(self, console: Client, choice: dict[str, str]) -> None:
        send(console, "Agency,Lease\nBLM,NMNM 1\n")
        before = Upload.objects.values().get()

        assert read(console, **choice).status_code == 200
        assert Upload.objects.values().get() == before

    def test_that_breaks_the_file_is_told(self, console: Client) -> None:
        send(console, 'Agency;Lease;x\nBLM;NMNM 1|"2"3|x;y\n')
        before = Upload.objects.values().get()

        answer = read(console, separator="|")

        assert "a quotation mark is missing or too many" in answer.text
        assert Upload.objects.values().get() == before


class TestSheet:
    def test_can_be_chosen(self, console: Client) -> None:
        def add(book: Workbook) -> None:
            book.create_sheet("Federal").append(["BLM", "NMNM 0501759"])

        answer = send(console, workbook(["Read me"], change=add), "leases.xlsx")
        assert '<option value="Federal">Federal</option>' in answer.text

        chosen = read(console, sheet="Federal")

        assert numbers(chosen) == [("BLM", "NMNM 0501759")]
        assert "The sheet “Sheet” is not read." in chosen.text

    def test_is_not_asked_for_where_there_is_one(self, console: Client) -> None:
        assert "Read it so" not in send(console, workbook(["BLM", "A1"]), "leases.xlsx").text

    def test_of_a_file_that_is_gone_leads_back(self, console: Client) -> None:
        answer = console.post(reverse("admin:leases_batch_read", args=[0]), {"sheet": "x"}, follow=True)

        assert "The file that was chosen is no longer kept." in answer.text


class TestReadAgain:
    def test_is_for_who_may_import(self, olivia: User, viewer: User) -> None:
        upload = keep_upload(name="x", content=b"BLM,1", user=olivia)

        with pytest.raises(TransitionForbidden):
            read_again(upload_id=upload.pk, choices=Choices(), user=viewer)
        with pytest.raises(TransitionForbidden):
            keep_upload(name="x", content=b"BLM,1", user=viewer)
        with pytest.raises(TransitionForbidden):
            confirm_import(upload_id=upload.pk, mapping=Mapping(agency=0, number=1), user=viewer)

    def test_is_too_late_once_it_is_imported(self, olivia: User) -> None:
        upload = keep_upload(name="x", content=b"BLM,1", user=olivia)
        confirm_import(upload_id=upload.pk, mapping=Mapping(agency=0, number=1), user=olivia)

        with pytest.raises(UploadGone):
            read_again(upload_id=upload.pk, choices=Choices(), user=olivia)
        assert Upload.objects.get().content is None

    def test_is_impossible_where_the_file_was_not_kept(self, console: Client) -> None:
        """Uploads that are older than this."""
        send(console, "BLM,1\n")
        Upload.objects.update(content=None)

        assert "is no longer kept" in read(console, separator=";").text

    def test_does_not_read_the_file_wherever_an_upload_is_looked_at(self, console: Client) -> None:
        send(console, "BLM,1\n")

        assert "content" in kept_uploads().get().get_deferred_fields()


class TestConfirm:
    def test_refuses_what_was_read_otherwise_meanwhile(self, console: Client) -> None:
        seen = send(console, "Agency,Lease;x\nBLM,NMNM 1;y\nBLM,NMNM 2\n")
        assert seen.context["preview"].read_by == ","
        read(console, separator=";")

        answer = confirm(console, seen, read_by=",")

        assert "The file has been read by another separator or sheet since." in answer.text
        assert not Lease.objects.exists()

    def test_can_leave_the_doubtful_out(self, console: Client) -> None:
        answer = send(console, "Agency,Lease\nBLM,NMNM 1\nBLM,NMNM 2!\n")
        assert "Import 1 without the doubtful" in answer.text

        done = confirm(console, answer, only_sure="1")

        assert "Imported: 1 lease; 1 row was left out." in done.text
        assert "another number" not in done.text
        assert Batch.objects.get().left_out == 1


class TestOwnColumns:
    def test_are_given_back_and_are_no_names_of_ours(self, console: Client) -> None:
        answer = send(console, "Agency,Lease Number,Lease number,Row,Acres\nXYZ,NMNM 1,x,7,320\n")

        file = console.get(answer.context["preview"].left_out_url).getvalue().decode("utf-8-sig").splitlines()

        assert file[0] == "Row,Agency,Lease number,Problem,Lease number (own),Acres"
        assert file[1].endswith(",x,320")

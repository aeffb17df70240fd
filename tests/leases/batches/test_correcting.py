"""The preview of an import corrects a number to that of an archive, one press for each, or for all that are sure."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from leases.columns import NUMBER
from leases.corrections import correct_numbers
from leases.errors import InvalidLease, ReadOtherwise, UploadGone
from leases.imports import keep_upload, kept_uploads
from leases.models import Lease, Upload
from statemachine.errors import TransitionForbidden
from tests import factories
from tests.factories import configured, indexed, settled, watched
from tests.leases.batches.asking import confirm, send

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

FILE = (
    "Agency,Lease Number,Owner\nBLM,NMNM 0501759,A\nBLM,NMNM 14321,B\nBLM,NMNM 63798,C\nBLM,NMNM 0050951,D\n"
    "BLM,NMNM 4444444,E\n"
)
ARCHIVES = {name: ["Master Documents.pdf"] for name in ("NMNM 0501759", "NMNM 0014321", "NMNM 0063798", "NMNM 0059051")}


@pytest.fixture
def archives(operator: User) -> None:
    account = factories.account(user=operator)
    account.save()
    configured()
    indexed(watched(account), ARCHIVES)


def press(client: Client, answer: Any, **button: str) -> Any:
    """A button beside the rows of a preview."""
    preview = answer.context["preview"]
    url = reverse("admin:leases_batch_numbers", args=[preview.upload.pk])
    fields = {field.name: field.value() for field in preview.form} | {"show": preview.shown, "page": "1"}
    return client.post(url, fields | {"read_by": preview.read_by} | button, follow=True)


def numbers(answer: Any) -> list[str]:
    return [row.lease_number for row in answer.context["preview"].examined.usable]


@pytest.mark.usefixtures("archives")
class TestTaking:
    def test_is_offered_beside_each_near_name(self, console: Client) -> None:
        text = send(console, FILE).text

        assert 'name="take" value="5:NMNM 0059051">Take NMNM 0059051<span class="visually-hidden"> in row 5' in text
        assert "Take the name of the archive for 2 numbers" in text
        assert text.count('name="take"') == 3

    def test_gives_the_row_that_number_and_shows_the_preview_again(self, console: Client) -> None:
        answer = press(console, send(console, FILE), take="5:NMNM 0059051")

        assert "Row 5 is NMNM 0059051 now. The file itself stays as it is." in answer.text
        assert answer.redirect_chain[-1][0].endswith("&show=unfound#rows")
        assert numbers(answer) == ["NMNM 0501759", "NMNM 14321", "NMNM 63798", "NMNM 0059051", "NMNM 4444444"]
        assert "3 of 5 numbers have no archive" in answer.text
        assert "1 number is corrected here, and not in the file" in answer.text

    def test_is_imported_so_and_nothing_else_of_the_file_changes(self, console: Client) -> None:
        answer = press(console, send(console, FILE), take="5:NMNM 0059051")

        confirm(console, answer)

        assert sorted(Lease.objects.values_list("lease_number", flat=True)) == sorted(numbers(answer))

    def test_of_all_that_are_written_otherwise_takes_one_press(self, console: Client) -> None:
        answer = press(console, send(console, FILE), take_same="2")

        assert "2 numbers are corrected. The file itself stays as it is." in answer.text
        assert numbers(answer) == ["NMNM 0501759", "NMNM 0014321", "NMNM 0063798", "NMNM 0050951", "NMNM 4444444"]

    def test_of_all_changes_nothing_if_others_were_shown(self, console: Client) -> None:
        answer = press(console, send(console, FILE), take_same="3")

        assert "Others can be taken by now than were shown." in answer.text
        assert not Upload.objects.get().corrected

    def test_can_be_taken_back(self, console: Client) -> None:
        taken = press(console, send(console, FILE), take="5:NMNM 0059051")
        shown = console.get(taken.request["PATH_INFO"] + taken.context["preview"].url(show="corrected"))
        assert "In the file: “NMNM 0050951”." in shown.text

        answer = press(console, shown, take_back="5")

        assert "Row 5 is as in the file." in answer.text
        assert "NMNM 0050951" in numbers(answer)
        assert "corrected here" not in answer.text

    def test_judges_duplicates_anew(self, console: Client) -> None:
        """Nobody is kept from it, and nothing is imported twice."""
        answer = press(console, send(console, f"{FILE}BLM,NMNM 0059051,F\n"), take="5:NMNM 0059051")

        assert [row.problems[NUMBER] for row in answer.context["preview"].wrong] == [
            "This lease stands in row 5 already."
        ]

    def test_is_not_offered_of_what_is_there_already(self, console: Client, operator: User) -> None:
        lease = settled(operator, lease_number="NMNM 0059051")

        answer = send(console, f"{FILE}BLM,NMNM 0014321,F\n")

        text = console.get(answer.request["PATH_INFO"] + answer.context["preview"].url(show="all")).text

        assert f'<a href="/admin/leases/lease/{lease.pk}/change/">Open the lease NMNM 0059051</a>' in text
        assert "NMNM 0014321 stands in another row." in text
        assert text.count('name="take"') == 1

    @pytest.mark.parametrize("odd", ["5:a/b", "999:NMNM 1", "x", f"{'9' * 20}:NMNM 1", "5:", ""])
    def test_of_what_was_never_offered_changes_nothing(self, console: Client, odd: str) -> None:
        press(console, send(console, FILE), take=odd)

        assert not Upload.objects.get().corrected

    def test_is_forgotten_where_the_file_is_read_anew(self, console: Client) -> None:
        press(console, send(console, FILE), take="5:NMNM 0059051")
        upload = Upload.objects.get()

        console.post(reverse("admin:leases_batch_read", args=[upload.pk]), {"separator": ";"})

        upload.refresh_from_db()
        assert (upload.reading["separator"], upload.corrected) == (";", {})

    def test_of_what_is_gone_leads_to_a_new_file(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = send(console, FILE)

        def gone(**_: object) -> None:
            raise UploadGone

        monkeypatch.setattr("leases.admin.correcting.correct_numbers", gone)

        assert "Choose it again." in press(console, answer, take="5:NMNM 0059051").text
        Upload.objects.all().delete()
        assert "Choose it again." in press(console, answer, take="5:NMNM 0059051").text


class TestCorrectNumbers:
    @pytest.fixture
    def upload(self, operator: User) -> Upload:
        return keep_upload(name="leases.csv", content=FILE.encode(), user=operator)

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"numbers": {2: "a/b"}}, InvalidLease),
            ({"numbers": {7: "NMNM 1"}}, InvalidLease),
            ({"column": 9}, InvalidLease),
            ({"read_by": ";"}, ReadOtherwise),
        ],
    )
    def test_refuses_what_is_not_of_the_file(
        self, upload: Upload, operator: User, given: dict[str, Any], error: type[Exception]
    ) -> None:
        right: dict[str, Any] = {"upload_id": upload.pk, "column": 1, "numbers": {2: "NMNM 1"}, "user": operator}

        with pytest.raises(error):
            correct_numbers(**right | given)

        upload.refresh_from_db()
        assert upload.corrected == {}

    def test_is_for_who_may_make_leases_and_for_what_is_kept(self, upload: Upload, operator: User) -> None:
        with pytest.raises(TransitionForbidden):
            correct_numbers(upload_id=upload.pk, column=1, numbers={2: "NMNM 1"}, user=User.objects.create_user("vera"))
        kept_uploads().filter(pk=upload.pk).delete()
        with pytest.raises(UploadGone):
            correct_numbers(upload_id=upload.pk, column=1, numbers={2: "NMNM 1"}, user=operator)

    def test_done_twice_is_done_once_and_the_files_own_number_is_none(self, upload: Upload, operator: User) -> None:
        for _ in range(2):
            done = correct_numbers(upload_id=upload.pk, column=1, numbers={3: " NMNM 0014321"}, user=operator)
        assert done.corrected == {"3": [1, "NMNM 0014321"]}

        again = correct_numbers(upload_id=upload.pk, column=1, numbers={3: "NMNM 14321"}, user=operator)

        assert again.corrected == {}

"""Addresses and forms that no page of the console leads to: each is answered, none by an error."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leases.models import Lease
from tests.factories import settled

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("lease"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
ALL = "This list cannot be narrowed as the address says, so all of it is shown."


@pytest.fixture
def lease(olivia: User) -> Lease:
    return settled(olivia, lease_number="NMNM 1")


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


class TestANullCharacter:
    @pytest.mark.parametrize(
        "address",
        [
            f"{LIST}?q=%00",
            f"{LIST}?%00=1",
            f"{LIST}%00/change/",
            f"{LIST}download/csv/?state__exact=%00",
            f"{LIST}1/change/?_changelist_filters=q%3D%00",
            "/admin/leases/batch/?kind__exact=%00",
            "/admin/console/failurenotice/?state__exact=%00",
            "/admin/leases/agencystorageconfig/add/?agency=%00",
            "/admin/statemachine/transitionlog/?q=%00",
        ],
    )
    def test_is_refused_in_an_address(self, console: Client, address: str) -> None:
        answer = console.get(address)

        assert answer.status_code == 400
        assert "The console does not understand what your browser has sent." in answer.text

    @pytest.mark.parametrize("given", [{"action": "run_chosen", "_selected_action": "\0"}, {"\0": "x"}])
    def test_is_refused_in_a_form(self, console: Client, given: dict[str, str]) -> None:
        assert console.post(LIST, given).status_code == 400

    def test_is_nobodys_business_where_programs_send(self, client: Client) -> None:
        form = "application/x-www-form-urlencoded"

        assert client.post("/dropbox/webhook/", "a=%00", content_type=form).status_code == 403

    def test_may_stand_in_a_file(self, console: Client) -> None:
        file = SimpleUploadedFile("a.csv", b"agency,lease number\nBLM,NM\0NM 1\n")

        assert console.post("/admin/leases/batch/import/", {"file": file}, follow=True).status_code == 200


class TestALookup:
    @pytest.mark.parametrize(
        "junk", ["created_at__year=99999999999", "id__range=1", "created_at__range=1", "batches=x"]
    )
    @pytest.mark.parametrize("page", ["", "rows/", "download/csv/"])
    def test_that_means_nothing_leads_to_the_list_and_is_told(self, console: Client, page: str, junk: str) -> None:
        answer = console.get(f"{LIST}{page}?{junk}", follow=True)

        assert answer.status_code == 200
        assert answer.context["cl"].result_count == 1
        assert answer.text.count(ALL) == 1

    @pytest.mark.parametrize("name", ["leases/batch", "console/failurenotice", "statemachine/transitionlog"])
    def test_of_any_other_list_is_told_too(self, console: Client, name: str) -> None:
        answer = console.get(f"/admin/{name}/?created_at__year=99999999999&id__range=1", follow=True)

        assert answer.status_code == 200
        assert answer.text.count(ALL) == 1


class TestRowsThatAreAskedForAnew:
    @pytest.mark.parametrize("shown", ["9" * 30, "9" * 5_000, "-1", "x", ""])
    @pytest.mark.parametrize("p", ["1", "9" * 5_000])
    def test_are_none_where_there_are_none(self, console: Client, shown: str, p: str) -> None:
        answer = console.get(f"{LIST}rows/", {"shown": shown, "p": p})

        assert (answer.status_code, "NMNM" in answer.text) == (200, False)


class TestANumberOfVeryManyDigits:
    @pytest.mark.parametrize("digits", [30, 5_000])
    @pytest.mark.parametrize(
        ("page", "name"),
        [
            (LIST, "batches"),
            (LIST, "initiated_by__id__exact"),
            (LIST, "q"),
            ("/admin/statemachine/transitionlog/", "q"),
            ("/admin/statemachine/transitionlog/", "record_id"),
            ("/admin/leases/batch/", "created_by__id__exact"),
            ("/admin/auth/user/", "groups__id__exact"),
        ],
    )
    def test_is_nobodys(self, console: Client, page: str, name: str, digits: int) -> None:
        assert console.get(page, {name: "9" * digits}, follow=True).status_code == 200


class TestAnAction:
    @pytest.mark.parametrize("chosen", ["abc", "", "1,2", "-", "9" * 30, "9" * 5_000])
    @pytest.mark.parametrize("action", ["run_chosen", "download_csv"])
    def test_of_what_is_no_lease_does_nothing(self, console: Client, chosen: str, action: str) -> None:
        answer = console.post(LIST, {"action": action, "_selected_action": chosen}, follow=True)

        assert answer.status_code == 200

    def test_of_what_is_no_record_does_nothing(self, console: Client) -> None:
        given = {"action": "delete_selected", "_selected_action": "abc", "post": "yes"}

        answer = console.post("/admin/auth/user/", given, follow=True)

        assert answer.status_code == 200
        assert User.objects.count() == 1

"""What comes near a number, for programs."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cloud.models import DropboxAccount
from tests import factories
from tests.factories import configured, indexed, watched
from tests.storage.test_api import problem_of, with_rights

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NEAR = "/api/v1/leases/near/"


@pytest.fixture
def account(olivia: User) -> DropboxAccount:
    made = factories.account(user=olivia)
    made.save()
    return made


@pytest.fixture
def asking(client: Client, olivia: User, account: DropboxAccount) -> Client:
    """Somebody whose own Dropbox was read."""
    configured()
    indexed(watched(account), {"NMNM 0501759": ["Master Documents.pdf"], "NMNM 0507159": [], "NMNM 9999999": []})
    client.force_login(olivia)
    return client


def near(client: Client, number: str, agency: str = "BLM") -> dict[str, Any]:
    answer = client.get(NEAR, {"agency": agency, "number": number})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


class TestNear:
    def test_names_the_nearest_with_what_is_known_of_each(self, asking: Client) -> None:
        found = near(asking, " NMNM\u00a0501759 ")

        assert found.pop("read_at")
        assert found == {
            "agency": "BLM",
            "number": "NMNM 501759",
            "has_archive": False,
            "nearest": [
                {"name": "NMNM 0501759", "has_report": True},
                {"name": "NMNM 0507159", "has_report": False},
            ],
        }

    def test_says_that_there_is_one_of_just_that_number(self, asking: Client) -> None:
        found = near(asking, "nmnm 0501759")

        assert found["has_archive"] is True
        assert [each["name"] for each in found["nearest"]] == ["NMNM 0507159"]

    def test_says_where_nobody_knows(self, client: Client, account: DropboxAccount, olivia: User) -> None:
        client.force_login(olivia)

        assert near(client, "NMNM 1") == {
            "agency": "BLM",
            "number": "NMNM 1",
            "has_archive": None,
            "nearest": None,
            "read_at": None,
        }

    def test_is_told_of_ones_own_dropbox_only(self, asking: Client) -> None:
        ivan = User.objects.create_superuser("ivan")
        factories.account(user=ivan, account_id="dbid:2").save()
        asking.force_login(ivan)

        assert near(asking, "NMNM 501759")["nearest"] is None


class TestRefused:
    @pytest.mark.parametrize(
        ("asked", "code", "field", "sentence"),
        [
            ({"agency": "XYZ", "number": "1"}, "unknown_agency", "agency", "There is no agency “XYZ”."),
            ({"agency": "BLM", "number": "a/b"}, "invalid_lease", "number", "A lease number must not contain “/”."),
            ({"agency": "BLM", "number": ""}, "invalid_lease", "number", "Enter a lease number"),
            ({"agency": "BLM"}, "invalid", "number", "“number”: field required."),
        ],
    )
    def test_says_what_is_wrong_and_where(
        self, asking: Client, asked: dict[str, str], code: str, field: str, sentence: str
    ) -> None:
        answer = asking.get(NEAR, asked)

        said = problem_of(answer)
        assert (answer.status_code, said["code"]) == (422, code)
        assert said["detail"].startswith(sentence)
        assert [each["field"] for each in said["errors"]] == [field]

    def test_is_for_who_may_see_leases(self, client: Client) -> None:
        answer = with_rights(client, "add_lease").get(NEAR, {"agency": "BLM", "number": "1"})

        assert problem_of(answer)["code"] == "forbidden"
        assert answer.status_code == 403

    def test_is_for_who_has_logged_in(self, client: Client) -> None:
        assert problem_of(client.get(NEAR))["code"] == "not_logged_in"

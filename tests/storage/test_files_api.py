"""Files for programs: found by their names, some at a time."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.storage.conftest import Index
from tests.storage.test_api import problem_of, with_rights
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

FILES = "/api/v1/files/"
WORDS_TOO_MANY = " ".join(["word"] * 2_000)


@pytest.fixture
def asking(client: Client, tree: Tree, index: Index, olivia: User) -> Client:
    for path in (
        "7/Deed of 1902.pdf",
        "7/scans/Master Documents.pdf",
        "7/scans/notes.txt",
        "8/MASTER documents - Final.docx",
    ):
        tree.put(path)
    index()
    client.force_login(olivia)
    return client


def found(client: Client, **asked: Any) -> list[str]:
    answer = client.get(FILES, asked)
    assert answer.status_code == 200, answer.text
    return [each["path"] for each in answer.json()["files"]]


def test_words_are_found_in_any_case(asking: Client) -> None:
    assert found(asking, search="master documents") == [
        "7/scans/Master Documents.pdf",
        "8/MASTER documents - Final.docx",
    ]
    assert found(asking, search="master final") == ["8/MASTER documents - Final.docx"]


def test_a_path_is_found_with_all_below_it(asking: Client) -> None:
    assert found(asking, search="7/scans/") == ["7/scans/", "7/scans/Master Documents.pdf", "7/scans/notes.txt"]


def test_a_root_and_a_state_narrow_what_is_found(asking: Client, tree: Tree, index: Index) -> None:
    tree.remove("7/Deed of 1902.pdf")
    index()

    assert found(asking, root="documents", state="missing") == ["7/Deed of 1902.pdf"]
    assert "7/Deed of 1902.pdf" not in found(asking, state="present")


def test_one_page_after_the_other_has_each_file_once(asking: Client) -> None:
    whole, pages = found(asking), []
    after: str | None = ""
    while after is not None:
        answer = asking.get(FILES, {"limit": "2", "after": after}).json()
        pages += [each["path"] for each in answer["files"]]
        after = answer["next"]

    assert len(whole) == 7
    assert pages == whole


def test_a_file_is_described(asking: Client) -> None:
    (told,) = asking.get(FILES, {"search": "notes"}).json()["files"]

    assert {name: told[name] for name in ("root", "name", "is_directory", "media_type", "state", "sha256")} == {
        "root": "documents",
        "name": "notes.txt",
        "is_directory": False,
        "media_type": "text/plain",
        "state": "present",
        "sha256": None,
    }
    assert asking.get(told["page"]).status_code == 200
    (folder,) = asking.get(FILES, {"search": "scans"}).json()["files"]
    assert (folder["is_directory"], folder["size"]) == (True, None)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"root": "attic"}, "root_unknown"),
        ({"after": "attic/7"}, "root_unknown"),
        ({"search": WORDS_TOO_MANY}, "search_too_long"),
        ({"limit": 0}, "invalid"),
        ({"limit": 1_001}, "invalid"),
        ({"state": "lost"}, "invalid"),
    ],
)
def test_what_makes_no_sense_is_told(asking: Client, asked: dict[str, Any], code: str) -> None:
    answer = asking.get(FILES, asked)

    assert answer.status_code == 422
    assert problem_of(answer)["code"] == code


def test_nobody_without_the_right_finds_anything(client: Client, tree: Tree) -> None:
    answer = with_rights(client, "view_indexrun").get(FILES)

    assert (answer.status_code, problem_of(answer)["code"]) == (403, "forbidden")
    User.objects.get(username="nina").user_permissions.set(Permission.objects.filter(codename="view_storedfile"))
    assert client.get(FILES).json() == {"files": [], "next": None}

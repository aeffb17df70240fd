import threading
import time

import pytest
import requests
from dropbox import Dropbox
from dropbox.exceptions import ApiError, BadInputError
from dropbox.files import DeletedMetadata, ListFolderResult

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import at_root, sdk


class TestContinue:
    def test_tells_what_has_changed_since(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/old.txt")
        cursor = team.files_list_folder("/A").cursor
        standin.put("/A/new.txt", "/B/elsewhere.txt")
        standin.delete("/A/old.txt")

        news = team.files_list_folder_continue(cursor)

        assert [(type(entry) is DeletedMetadata, entry.name) for entry in news.entries] == [
            (False, "new.txt"),
            (True, "old.txt"),
        ]
        assert team.files_list_folder_continue(news.cursor).entries == []

    def test_tells_of_a_nested_change_only_when_recursive(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/")
        flat = team.files_list_folder("/A").cursor
        deep = team.files_list_folder("", recursive=True).cursor
        standin.put("/A/b/c.txt")

        assert team.files_list_folder_continue(flat).entries == []
        assert [entry.path_display for entry in team.files_list_folder_continue(deep).entries] == ["/A/b/c.txt"]

    def test_tells_of_all_that_was_in_a_removed_folder(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt")
        cursor = team.files_list_folder("", recursive=True).cursor
        standin.delete("/A/b")

        assert kinds(team.files_list_folder_continue(cursor)) == [("Deleted", "/A/b"), ("Deleted", "/A/b/c.txt")]

    def test_tells_what_is_missing_from_a_folder_made_anew(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt")
        cursor = team.files_list_folder("", recursive=True).cursor
        standin.delete("/A")
        standin.put("/A/")

        assert kinds(team.files_list_folder_continue(cursor)) == [
            ("Folder", "/A"),
            ("Deleted", "/A/b"),
            ("Deleted", "/A/b/c.txt"),
        ]

    def test_comes_in_pages_too(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        cursor = team.files_list_folder("/A", limit=3).cursor
        standin.put(*(f"/A/{number}" for number in range(5)))

        first = team.files_list_folder_continue(cursor)
        second = team.files_list_folder_continue(first.cursor)

        assert (len(first.entries), first.has_more, len(second.entries), second.has_more) == (3, True, 2, False)

    def test_starts_at_the_latest_cursor(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/old.txt")
        cursor = team.files_list_folder_get_latest_cursor("/A").cursor
        standin.put("/A/new.txt")

        assert [entry.name for entry in team.files_list_folder_continue(cursor).entries] == ["new.txt"]

    def test_fails_when_the_folder_is_gone(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b.txt")
        cursor = team.files_list_folder("/A").cursor
        standin.delete("/A")

        with pytest.raises(ApiError) as caught:
            team.files_list_folder_continue(cursor)

        assert caught.value.error.get_path().is_not_found()


class TestReset:
    def test_answers_a_cursor_of_another_account(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        cursor = team.files_list_folder("/A").cursor
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        assert is_reset(paul, cursor)

    def test_answers_when_ordered(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("").cursor
        standin.reset_cursors()

        assert is_reset(team, cursor)

    def test_is_no_answer_to_what_never_was_a_cursor(self, team: Dropbox) -> None:
        with pytest.raises(BadInputError, match="cursor"):
            team.files_list_folder_continue("nonsense")


class TestLongpoll:
    def test_answers_when_something_changes(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        cursor = team.files_list_folder("/A").cursor
        answers: list[bool] = []
        waiting = threading.Thread(target=lambda: answers.append(team.files_list_folder_longpoll(cursor).changes))
        waiting.start()
        standin.put("/B/elsewhere.txt")
        standin.put("/A/new.txt")
        waiting.join(timeout=10)

        assert answers == [True]

    def test_answers_at_once_when_something_has_changed(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        cursor = team.files_list_folder("/A").cursor
        standin.put("/A/new.txt")

        assert team.files_list_folder_longpoll(cursor).changes

    def test_answers_that_nothing_has_changed_when_its_time_is_over(self, standin: Standin, team: Dropbox) -> None:
        standin.longpoll_cap(0.05)
        cursor = team.files_list_folder("").cursor
        began = time.monotonic()

        assert not team.files_list_folder_longpoll(cursor).changes
        assert time.monotonic() - began < 5

    def test_needs_no_token(self, standin: Standin, team: Dropbox) -> None:
        standin.longpoll_cap(0)
        cursor = team.files_list_folder("").cursor

        response = requests.post(
            f"{standin.base_url}/2/files/list_folder/longpoll", json={"cursor": cursor}, timeout=10
        )

        assert response.json() == {"changes": False}

    def test_answers_reset_for_a_forgotten_cursor(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("").cursor
        standin.reset_cursors()

        with pytest.raises(ApiError) as caught:
            team.files_list_folder_longpoll(cursor)

        assert caught.value.error.is_reset()


def kinds(page: ListFolderResult) -> list[tuple[str, str]]:
    return [(type(entry).__name__.removesuffix("Metadata"), entry.path_display) for entry in page.entries]


def is_reset(client: Dropbox, cursor: str) -> bool:
    with pytest.raises(ApiError) as caught:
        client.files_list_folder_continue(cursor)
    return bool(caught.value.error.is_reset())

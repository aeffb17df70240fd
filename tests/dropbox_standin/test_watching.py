"""What a watch must stand: a folder that moves, answers that are lost, deltas told twice, cursors used again."""

import threading

import pytest
import requests
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import ListFolderResult

from dropbox_standin.client import Standin, StandinError
from tests.dropbox_standin.clients import at_root, sdk, tags


def told(page: ListFolderResult) -> list[tuple[str, str]]:
    return [(type(entry).__name__.removesuffix("Metadata"), entry.path_display) for entry in page.entries]


def problem(client: Dropbox, cursor: str) -> str:
    with pytest.raises(ApiError) as caught:
        client.files_list_folder_continue(cursor)
    return tags(caught.value.error)


@pytest.fixture
def tree(standin: Standin) -> None:
    standin.put("/T/A/b/c.txt", "/T/other/")


@pytest.mark.usefixtures("tree")
class TestWatchedFolder:
    def test_is_followed_to_its_new_path(self, team: Dropbox) -> None:
        cursor = team.files_list_folder("/T/A", recursive=True).cursor
        team.files_move_v2("/T/A", "/T/Z")

        news = team.files_list_folder_continue(cursor)

        assert told(news) == [
            ("Deleted", "/T/A"),
            ("Deleted", "/T/A/b"),
            ("Deleted", "/T/A/b/c.txt"),
            ("Folder", "/T/Z"),
            ("Folder", "/T/Z/b"),
            ("File", "/T/Z/b/c.txt"),
        ]
        assert told(team.files_list_folder_continue(news.cursor)) == []

    def test_is_followed_in_the_middle_of_its_listing(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/T/A/d.txt")
        first = team.files_list_folder("/T/A", limit=1)
        team.files_move_v2("/T/A", "/T/Z")

        second = team.files_list_folder_continue(first.cursor)
        third = team.files_list_folder_continue(second.cursor)

        assert told(first) + told(second) + told(third) == [
            ("Folder", "/T/A/b"),
            ("Deleted", "/T/A/b"),
            ("Deleted", "/T/A/d.txt"),
        ]
        assert third.has_more

    def test_that_lies_where_it_did_is_followed_whatever_its_case(self, team: Dropbox) -> None:
        cursor = team.files_list_folder("/T/A").cursor
        team.files_move_v2("/T/A", "/T/a")

        assert told(team.files_list_folder_continue(cursor)) == []

    @pytest.mark.parametrize(
        ("outcome", "renamed", "removed"),
        [
            ("follow", None, "path/not_found"),
            ("not_found", "path/not_found", "path/not_found"),
            ("reset", "reset", "reset"),
        ],
    )
    def test_ends_a_cursor_as_ordered(
        self, standin: Standin, team: Dropbox, outcome: str, renamed: str | None, removed: str
    ) -> None:
        standin.watched_folder(outcome)
        cursor = team.files_list_folder("/T/A").cursor

        team.files_move_v2("/T/A", "/T/Z")
        after_renaming = None if renamed is None else problem(team, cursor)
        team.files_delete_v2("/T/Z")

        assert after_renaming == renamed
        assert problem(team, cursor) == removed

    def test_that_is_gone_is_news(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("/T/A").cursor
        standin.delete("/T/A")

        assert team.files_list_folder_longpoll(cursor).changes

    def test_has_outcomes_that_are_known(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="watched_folder is one of follow, not_found, reset"):
            standin.watched_folder("guess")


@pytest.mark.usefixtures("tree")
class TestReset:
    def test_of_one_account_spares_the_others(self, standin: Standin, team: Dropbox) -> None:
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))
        pauls, olivias = paul.files_list_folder("/T").cursor, team.files_list_folder("/T").cursor

        standin.reset_cursors("paul")

        assert problem(paul, pauls) == "reset"
        assert told(team.files_list_folder_continue(olivias)) == []

    def test_of_nobody_is_not_understood(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="there is no account 'nobody'"):
            standin.reset_cursors("nobody")


@pytest.mark.usefixtures("tree")
class TestRepetition:
    def test_tells_each_delta_twice_and_then_no_more(self, standin: Standin, team: Dropbox) -> None:
        standin.repeat_deltas(on=True)
        cursor = team.files_list_folder("/T", recursive=True).cursor
        team.files_delete_v2("/T/A")

        once = team.files_list_folder_continue(cursor)
        again = team.files_list_folder_continue(once.cursor)
        after = team.files_list_folder_continue(again.cursor)

        assert told(once) == told(again) == [("Deleted", "/T/A"), ("Deleted", "/T/A/b"), ("Deleted", "/T/A/b/c.txt")]
        assert told(after) == []

    def test_of_a_lost_answer_tells_the_same(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("/T", recursive=True).cursor
        standin.put("/T/new.txt")
        team.files_delete_v2("/T/A")
        standin.fault("files/list_folder/continue", kind="close", perform=True)

        with pytest.raises(requests.ConnectionError):
            team.files_list_folder_continue(cursor)

        assert told(team.files_list_folder_continue(cursor)) == [
            ("Deleted", "/T/A"),
            ("Deleted", "/T/A/b"),
            ("Deleted", "/T/A/b/c.txt"),
            ("File", "/T/new.txt"),
        ]

    def test_of_an_old_cursor_tells_all_since(self, standin: Standin, team: Dropbox) -> None:
        """A client that ended before it had noted its new cursor comes back with the old one, however late."""
        old = team.files_list_folder("/T", recursive=True).cursor
        cursor = old
        for number in range(3):
            standin.put(f"/T/{number}.txt")
            cursor = team.files_list_folder_continue(cursor).cursor
        standin.delete("/T/1.txt")

        back = team.files_list_folder_continue(old)

        assert told(back) == [("File", "/T/0.txt"), ("Deleted", "/T/1.txt"), ("File", "/T/2.txt")]
        assert told(team.files_list_folder_continue(cursor)) == [("Deleted", "/T/1.txt")]

    def test_of_a_page_within_a_delta_goes_on_from_there(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder_get_latest_cursor("/T", recursive=True, limit=2).cursor
        standin.put("/T/1.txt", "/T/2.txt", "/T/3.txt")
        first = team.files_list_folder_continue(cursor)

        pages = [team.files_list_folder_continue(first.cursor) for _ in range(2)]

        assert [told(page) for page in pages] == [[("File", "/T/3.txt")]] * 2
        assert told(first) == [("File", "/T/1.txt"), ("File", "/T/2.txt")]


def test_many_ask_with_one_cursor_and_hear_the_same(standin: Standin, team: Dropbox) -> None:
    standin.put("/T/")
    cursor = team.files_list_folder("/T").cursor
    standin.put(*(f"/T/{number}.txt" for number in range(20)))
    answers: list[list[tuple[str, str]]] = []
    askers = [
        threading.Thread(target=lambda: answers.append(told(team.files_list_folder_continue(cursor)))) for _ in range(4)
    ]

    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(timeout=20)

    assert len(answers) == 4
    assert all(answer == answers[0] and len(answer) == 20 for answer in answers)

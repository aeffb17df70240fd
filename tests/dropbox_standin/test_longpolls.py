"""What a longpoll does beyond waiting for the news of its cursor."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from dropbox import Dropbox

from dropbox_standin.client import Standin, StandinError
from tests.dropbox_standin.clients import raw_call


@contextmanager
def woken_by(change: Callable[[], None]) -> Iterator[list[bool]]:
    """Let something happen a moment after the longpoll has begun."""
    timer = threading.Timer(0.1, change)
    timer.start()
    yield []
    timer.join()


class TestLongpoll:
    def test_refuses_a_token(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("").cursor

        response = raw_call(standin, "files/list_folder/longpoll", json={"cursor": cursor})

        assert response.status_code == 400
        assert "Your request includes an Authorization header, but this function does not use it" in response.text

    def test_may_ask_for_a_pause(self, standin: Standin, team: Dropbox) -> None:
        standin.longpoll_cap(0)
        standin.longpolls(backoff_s=60)
        cursor = team.files_list_folder("").cursor

        paused = team.files_list_folder_longpoll(cursor)
        standin.longpolls(backoff_s=None)

        assert (paused.changes, paused.backoff) == (False, 60)
        assert team.files_list_folder_longpoll(cursor).backoff is None

    def test_may_wake_for_changes_elsewhere(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        standin.longpolls(vague=True)
        cursor = team.files_list_folder("/A").cursor

        with woken_by(lambda: standin.put("/B/")) as answers:
            answers.append(team.files_list_folder_longpoll(cursor).changes)

        assert answers == [True]
        assert team.files_list_folder_continue(cursor).entries == []

    def test_is_not_woken_by_what_others_keep_to_themselves(self, standin: Standin, team: Dropbox) -> None:
        standin.longpolls(vague=True)
        standin.longpoll_cap(0.3)
        cursor = team.files_list_folder("").cursor

        with woken_by(lambda: standin.put("/B/", home="ivan")) as answers:
            answers.append(team.files_list_folder_longpoll(cursor).changes)

        assert answers == [False]

    def test_may_wait_longer_than_it_was_asked_to(self, standin: Standin, team: Dropbox) -> None:
        standin.longpolls(jitter_s=90)
        standin.longpoll_cap(0)
        began = time.monotonic()

        assert not team.files_list_folder_longpoll(team.files_list_folder("").cursor).changes
        assert time.monotonic() - began < 5, "the cap is for all of it"

    def test_takes_no_pause_below_nothing(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="backoff_s must be at least 0"):
            standin.longpolls(backoff_s=-1)

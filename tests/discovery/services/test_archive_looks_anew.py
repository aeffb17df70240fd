"""A watched folder that was made anew is another one for Dropbox, under the same name."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from discovery.services import archive_looks
from discovery.services.archive_lister import EACH
from discovery.services.archive_news import APPEARED
from statemachine.models import TransitionLog
from storage.models import IndexRun, StorageRoot, StoredFile
from tests.cloud.dropbox.conftest import MORE
from tests.discovery.watching import FRESH, REPORT, attend, fresh, later, move, owed, runs, told, watch
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.flow, pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.mark.parametrize("seen_meanwhile", [True, False])
@pytest.mark.parametrize("answer", ["follow", "not_found", "reset"])
def test_is_read_as_a_whole_by_itself(
    watched_archives: User, dropbox: "Standin", answer: str, *, seen_meanwhile: bool
) -> None:
    marker = watch().root.marker
    dropbox.watched_folder(answer)
    dropbox.delete(BLM)
    if seen_meanwhile:
        told()
        attend()
        assert [state for state, _ in runs()[1:]] == ["refused"]
    dropbox.put(f"{ARCHIVE}/{REPORT}", f"{BLM}/NMNM 9/")
    told()

    attend()

    assert runs()[-1] == FRESH
    assert TransitionLog.objects.of(IndexRun.objects.latest("pk")).earliest("pk").reason == archive_looks.MADE_ANEW
    assert watch().root.marker not in {"", marker}
    assert owed() == {"NMNM 9": APPEARED}
    assert fresh()
    told()
    dropbox.clear_journal()
    attend()
    assert dropbox.calls() == {MORE: 1}


def test_is_read_directory_by_directory_where_that_was_so_before(watched_archives: User, dropbox: "Standin") -> None:
    StorageRoot.objects.update(cursor=EACH)
    dropbox.delete(BLM)
    later(archive_looks.ALL_AT_MOST_EVERY)
    attend()
    assert [state for state, _ in runs()[1:]] == ["refused"]
    told()
    attend()
    assert [state for state, _ in runs()[1:]] == ["refused"]
    dropbox.put(f"{ARCHIVE}/{REPORT}", f"{BLM}/NMNM 9/")
    told()

    attend()

    assert runs()[2:] == [FRESH]
    assert owed() == {"NMNM 9": APPEARED}


def test_is_under_the_brake(watched_archives: User, dropbox: "Standin") -> None:
    dropbox.put(*[f"{BLM}/NMNM 1{number:03}/" for number in range(150)])
    told()
    attend()
    dropbox.delete(BLM)
    dropbox.put(f"{BLM}/NMNM 9/")

    for _ in range(3):
        told()
        attend()

    assert runs()[2:] == [("refused", False)]
    assert StoredFile.objects.filter(state="present", is_directory=True).count() == 152
    assert owed() == {}
    assert not fresh()
    # Made anew once more while that is held, and this time with all that is known.
    dropbox.delete(BLM)
    dropbox.put(*[f"{BLM}/NMNM 1{number:03}/" for number in range(150)], f"{BLM}/NMNM 9/", f"{ARCHIVE}/{REPORT}")
    told()
    attend()
    assert runs()[3:] == [FRESH]
    assert owed() == {"NMNM 9": APPEARED}


@pytest.mark.parametrize("sight", ["traverse_only", "no_access", "none"])
def test_is_left_alone_while_it_is_seen_in_part(watched_archives: User, dropbox: "Standin", sight: str) -> None:
    marker = watch().root.marker
    dropbox.delete(BLM)
    dropbox.put(f"{BLM}/NMNM 9/")
    dropbox.sight("olivia", BLM, sight)

    for _ in range(2):
        told()
        attend()

    assert [state for state, _ in runs()[1:]] == ["refused"]
    assert watch().root.marker == marker
    assert owed() == {}


@pytest.mark.parametrize("answer", ["follow", "not_found", "reset"])
def test_is_not_what_was_away_and_is_back(watched_archives: User, dropbox: "Standin", answer: str) -> None:
    """It is looked at at once all the same."""
    marker = watch().root.marker
    dropbox.watched_folder(answer)
    move(dropbox, BLM, f"{BLM} 2")
    told()
    attend()
    assert [state for state, _ in runs()[1:]] == ["refused"]
    move(dropbox, f"{BLM} 2", BLM)
    told()

    attend()

    assert [state for state, _ in runs()[2:]] in ([], ["done"])
    assert watch().root.marker == marker
    assert owed() == {}
    assert fresh()

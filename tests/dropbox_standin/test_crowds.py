"""Trees too large to put by hand, and what it takes to list them."""

import sys
from dataclasses import replace
from typing import Any

import pytest
from dropbox import Dropbox

from dropbox_standin import crowds, seeds
from dropbox_standin.client import Standin, StandinError
from dropbox_standin.cursors import Cursor, start
from dropbox_standin.views import View
from dropbox_standin.world import Settings, World

SMALL: dict[str, Any] = {"path": "/Work/Archive", "archives": 3, "files": 2}
TREE = (
    "/Work/",
    "/Work/Archive/",
    "/Work/Archive/NMNM 0000001/",
    "/Work/Archive/NMNM 0000001/scan 0001.tif",
    "/Work/Archive/NMNM 0000001/scan 0002.tif",
    "/Work/Archive/NMNM 0000002/",
    "/Work/Archive/NMNM 0000002/scan 0001.tif",
    "/Work/Archive/NMNM 0000002/scan 0002.tif",
    "/Work/Archive/NMNM 0000003/",
    "/Work/Archive/NMNM 0000003/NMNM 0000003 Master Documents.pdf",
    "/Work/Archive/NMNM 0000003/scan 0001.tif",
)


class TestCrowd:
    def test_is_put_into_a_running_standin_and_told(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("", recursive=True).cursor

        assert standin.crowd(**SMALL) == 9
        assert standin.tree() == TREE
        told = [entry.path_display for entry in team.files_list_folder_continue(cursor).entries]
        assert told == [path.rstrip("/") for path in TREE]

    def test_is_there_once(self, standin: Standin) -> None:
        standin.crowd(**SMALL)

        assert standin.crowd(**SMALL) == 0

    def test_can_be_a_seeds_or_in_a_home(self, standin: Standin) -> None:
        standin.reset(seed={"crowds": [SMALL]})
        standin.crowd("/A", archives=1, files=1, prefix="X", report_every=0, home="ivan")

        assert standin.tree() == TREE
        assert standin.tree(home="ivan") == ("/A/", "/A/X 0000001/", "/A/X 0000001/scan 0001.tif")

    def test_has_files_like_all_others(self, standin: Standin, team: Dropbox) -> None:
        standin.crowd(**SMALL)
        file = team.files_get_metadata("/Work/Archive/NMNM 0000001/scan 0001.tif")

        metadata, response = team.files_download(f"rev:{file.rev}")

        assert response.content == crowds.CONTENT
        assert (metadata.id, metadata.size) == (file.id, len(crowds.CONTENT))
        assert team.files_get_metadata(file.id).content_hash == file.content_hash

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"path": "Work"}, "path begins with a slash"),
            ({"path": "/"}, "names a folder"),
            ({"prefix": "a/b"}, "its prefix is a part of a name"),
            ({"archives": 0}, "archives"),
            ({"archives": 3_000_000}, "at most 5,000,000 entries, not 9,000,000"),
            ({"sizes": 1}, "sizes"),
            ({"path": "/file.txt"}, "'file.txt' is in the way"),
        ],
    )
    def test_says_what_it_does_not_understand(self, standin: Standin, given: dict[str, Any], sentence: str) -> None:
        standin.put("/file.txt")

        with pytest.raises(StandinError, match=sentence):
            standin.crowd(**{**SMALL, **given})

    def test_of_a_seed_says_so_too(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="path begins with a slash"):
            standin.reset(seed={"crowds": [{**SMALL, "path": "Work"}]})
        with pytest.raises(StandinError, match="a crowd is an object"):
            standin.reset(seed={"crowds": ["/Work"]})


def listing_of(entries: int) -> tuple[World, Cursor]:
    world = seeds.build("empty", public_url="http://127.0.0.1", settings=Settings())
    olivia = world.accounts["olivia"]
    crowds.put(olivia.root, crowds.Crowd(path="/A", archives=1, files=entries))
    view = View(olivia, olivia.root)
    cursor = start(view=view, folder=olivia.root.root, path="", recursive=True, include_deleted=False, limit=100)
    return world, cursor


def size_of(cursor: Cursor) -> int:
    """The bytes of what belongs to one cursor alone."""
    own = (getattr(cursor, name) for name in cursor.__slots__ if name != "watch")
    return sys.getsizeof(cursor) + sum(sys.getsizeof(value) for value in own)


class TestCursor:
    def test_is_as_small_in_a_long_listing_as_in_a_short_one(self) -> None:
        sizes = []
        for entries in (200, 20_000):
            world, cursor = listing_of(entries)
            _, behind, more = world.cursors.page(cursor)
            assert more
            sizes.append(size_of(behind))

        assert sizes[0] == sizes[1] < 1_000

    def test_is_forgotten_when_it_was_not_used_for_longest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world, cursor = listing_of(1)
        monkeypatch.setattr("dropbox_standin.cursors.KEPT", 2)
        first, second = world.cursors.keep(cursor), world.cursors.keep(replace(cursor, empty_pages=1))
        world.cursors.get(first, account_id=None)

        third = world.cursors.keep(cursor)

        assert list(world.cursors.kept) == [first, third] != [first, second]

"""What is found by its words, and what is wrong with it."""

from collections.abc import Iterator
from typing import Any

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import (
    DeletedMetadata,
    FileCategory,
    FileStatus,
    SearchMatchFieldOptions,
    SearchMatchV2,
    SearchOptions,
    SearchOrderBy,
    SearchV2Result,
)

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import at_root, raw_call, sdk


def paths(found: SearchV2Result) -> list[str]:
    return [path_of(match) for match in found.matches]


def path_of(match: SearchMatchV2) -> str:
    return str(match.metadata.get_metadata().path_display)


def pages(client: Dropbox, query: str, limit: int) -> Iterator[list[str]]:
    found = client.files_search_v2(query, SearchOptions(max_results=limit))
    yield paths(found)
    while found.has_more:
        found = client.files_search_continue_v2(found.cursor)
        yield paths(found)


class TestSearch:
    def test_finds_words_and_the_beginning_of_the_last(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/Leases/NMNM 12/", "/Leases/NMNM 123/report nmnm.txt", "/Leases/NM 12/", content="")

        assert paths(team.files_search_v2("nmnm 12")) == ["/Leases/NMNM 12", "/Leases/NMNM 123"]
        assert paths(team.files_search_v2("nmn 12")) == []
        assert paths(team.files_search_v2("  ")) == []

    def test_finds_contents_unless_names_alone_are_wanted(self, standin: Standin, team: Dropbox) -> None:
        standin.put({"path": "/a/needle.txt", "content": "a needle"}, {"path": "/a/b.txt", "content": "a needle"})

        found = team.files_search_v2("needle")
        named = team.files_search_v2("needle", SearchOptions(filename_only=True))

        assert {path_of(match): match.match_type._tag for match in found.matches} == {
            "/a/needle.txt": "filename_and_content",
            "/a/b.txt": "file_content",
        }
        assert {path_of(match): match.match_type._tag for match in named.matches} == {"/a/needle.txt": "filename"}

    def test_looks_beneath_a_path_or_everywhere(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/a/note/", "/b/note/")
        standin.put("/note/", home="olivia")

        assert paths(team.files_search_v2("note")) == ["/a/note", "/b/note", "/Olivia Operator/note"]
        assert paths(team.files_search_v2("note", SearchOptions(path="/B"))) == ["/b/note"]
        assert paths(home.files_search_v2("note")) == ["/note"]
        assert paths(team.files_search_v2("olivia oper")) == ["/Olivia Operator"]
        assert paths(team.files_search_v2("olivia", SearchOptions(path="/Olivia Operator"))) == []

    def test_finds_only_what_the_account_sees(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/a/note/", "/b/note/")
        standin.sight("paul", "/b", "none")
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        assert paths(paul.files_search_v2("note")) == ["/a/note"]

    @pytest.mark.parametrize(
        ("options", "names"),
        [
            (SearchOptions(file_extensions=["PDF", ".csv"]), ["x.csv", "x.pdf"]),
            (SearchOptions(file_categories=[FileCategory.pdf, FileCategory.image]), ["x.jpg", "x.pdf"]),
            (SearchOptions(file_categories=[FileCategory.folder]), ["x"]),
            (SearchOptions(file_categories=[FileCategory.others]), ["x.zip"]),
            (SearchOptions(account_id="dbid:" + "A" * 35), []),
        ],
    )
    def test_can_be_narrowed(self, standin: Standin, team: Dropbox, options: SearchOptions, names: list[str]) -> None:
        standin.put("/x/", "/x.pdf", "/x.csv", "/x.jpg", "/x.zip")

        found = team.files_search_v2("x", options)

        assert sorted(path.rpartition("/")[2] for path in paths(found)) == names

    def test_can_be_sorted_by_time(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/a note.txt", "/a note/")
        standin.advance_clock(60)
        standin.put("/b note.txt")

        found = team.files_search_v2("note", SearchOptions(order_by=SearchOrderBy.last_modified_time))

        assert paths(found) == ["/b note.txt", "/a note.txt", "/a note"]

    def test_marks_what_was_looked_for(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/NMNM 123 report.pdf")

        found = team.files_search_v2("nmnm 12", match_field_options=SearchMatchFieldOptions(include_highlights=True))

        spans = found.matches[0].highlight_spans
        assert [(span.highlight_str, span.is_highlighted) for span in spans] == [
            ("NMNM", True),
            (" ", False),
            ("12", True),
            ("3 report.pdf", False),
        ]

    @pytest.mark.parametrize(("path", "tag"), [("/missing", "not_found"), ("/file.txt", "not_folder")])
    def test_says_what_is_wrong_with_the_path(self, standin: Standin, team: Dropbox, path: str, tag: str) -> None:
        standin.put("/file.txt")

        with pytest.raises(ApiError) as caught:
            team.files_search_v2("x", SearchOptions(path=path))

        assert caught.value.error.get_path()._tag == tag

    def test_finds_what_is_gone_on_demand(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/note/note.txt", "/A/back note.txt", "/B/note.txt", "/stays note.txt")
        standin.put("/own note.txt", home="olivia")
        standin.delete("/A", "/B/note.txt")
        standin.delete("/own note.txt", home="olivia")
        standin.put("/A/back note.txt")
        standin.search(index_delay_s=0)

        found = team.files_search_v2("note", SearchOptions(file_status=FileStatus.deleted))
        beneath = team.files_search_v2("note", SearchOptions(path="/A", file_status=FileStatus.deleted))

        gone = ["/A/note", "/A/note/note.txt", "/B/note.txt", "/Olivia Operator/own note.txt"]
        assert sorted(paths(found)) == gone
        assert sorted(paths(beneath)) == gone[:2]
        assert isinstance(found.matches[0].metadata.get_metadata(), DeletedMetadata)

    def test_finds_nothing_that_was_hidden_when_it_went(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/note.txt", "/B/note.txt")
        standin.sight("paul", "/A", "none")
        standin.delete("/A/note.txt", "/B/note.txt")
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        found = paul.files_search_v2("note", SearchOptions(file_status=FileStatus.deleted))

        assert paths(found) == ["/B/note.txt"]

    def test_has_its_limits(self, standin: Standin) -> None:
        bad: list[dict[str, Any]] = [
            {"query": "x" * 1001},
            {"query": "x", "options": {"max_results": 1001}},
            {"query": "x", "options": {"file_extensions": "pdf"}},
        ]
        assert [raw_call(standin, "files/search_v2", json=argument).status_code for argument in bad] == [400] * 3

    def test_is_in_the_journal_with_its_path(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/a/")
        team.files_search_v2("x", SearchOptions(path="/a"))

        assert [call.args["query"] for call in standin.journal("files/search_v2", path="/A")] == ["x"]


class TestPages:
    def test_follow_each_other(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/note {number}/" for number in range(5)))

        assert [len(page) for page in pages(team, "note", 2)] == [2, 2, 1]

    def test_may_tell_a_match_twice(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/note {number}/" for number in range(4)))
        standin.search(duplicates=True)

        first, second = pages(team, "note", 2)

        assert (first, second) == (["/note 0", "/note 1"], ["/note 1", "/note 2", "/note 3"])

    def test_may_leave_matches_out(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/note {number}/" for number in range(4)))
        standin.search(omit_every=3)

        assert paths(team.files_search_v2("note")) == ["/note 0", "/note 1", "/note 3"]

    def test_end_at_ten_thousand(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/note {number}/" for number in range(10_001)))
        standin.search()
        seen, argument, route = 0, {"query": "note", "options": {"max_results": 1000}}, "files/search_v2"
        token = {"Authorization": "Bearer standin-access-olivia"}
        root = standin.account("olivia").root_namespace_id
        headers = {**token, "Dropbox-API-Path-Root": f'{{".tag":"root","root":"{root}"}}'}
        while route:
            page = raw_call(standin, route, json=argument, headers=headers).json()
            seen, argument = seen + len(page["matches"]), {"cursor": page.get("cursor")}
            route = "files/search/continue_v2" if page["has_more"] else ""

        assert seen == 10_000

    def test_are_for_who_has_searched(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/note 1/", "/note 2/")
        cursor = team.files_search_v2("note", SearchOptions(max_results=1)).cursor
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        for client, asked in ((paul, cursor), (team, "strange")):
            with pytest.raises(ApiError) as caught:
                client.files_search_continue_v2(asked)
            assert caught.value.error.is_invalid_argument()


class TestIndex:
    def test_lags_behind(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/old note/", "/A/stays note/")
        standin.search(index_delay_s=30)
        standin.put("/A/new note/")
        team.files_move_v2("/A/old note", "/A/moved note")

        early = paths(team.files_search_v2("note"))
        standin.advance_clock(31)
        late = paths(team.files_search_v2("note"))

        assert early == ["/A/stays note"]
        assert sorted(late) == ["/A/moved note", "/A/new note", "/A/stays note"]

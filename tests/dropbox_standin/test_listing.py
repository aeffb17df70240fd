import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError, BadInputError
from dropbox.files import DeletedMetadata, FileMetadata, FolderMetadata

from dropbox_standin.client import Standin
from dropbox_standin.tree import content_hash


class TestListFolder:
    def test_tells_files_and_folders_with_their_metadata(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/Archive/Runsheets/", "/Archive/Master Documents.pdf", content="report")

        report, folder = team.files_list_folder("/archive").entries

        assert isinstance(folder, FolderMetadata)
        assert isinstance(report, FileMetadata)
        assert (report.name, report.path_display, report.path_lower, report.size, report.content_hash) == (
            "Master Documents.pdf",
            "/Archive/Master Documents.pdf",
            "/archive/master documents.pdf",
            6,
            content_hash(b"report"),
        )

    def test_lists_an_empty_folder_as_empty(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/Archive/")

        listing = team.files_list_folder("/Archive")

        assert (listing.entries, listing.has_more) == ([], False)

    def test_lists_all_beneath_when_recursive(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt", "/A/d.txt")

        listing = team.files_list_folder("/A", recursive=True)

        assert [entry.path_display for entry in listing.entries] == ["/A", "/A/b", "/A/b/c.txt", "/A/d.txt"]

    def test_includes_deleted_entries_when_asked(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/gone.txt", "/A/here.txt")
        standin.delete("/A/gone.txt")

        here, gone = team.files_list_folder("/A", include_deleted=True).entries

        assert here.name == "here.txt"
        assert isinstance(gone, DeletedMetadata)
        assert gone.path_display == "/A/gone.txt"

    def test_finds_a_folder_by_its_id(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b.txt")
        folder = team.files_get_metadata("/A")

        assert [entry.name for entry in team.files_list_folder(folder.id).entries] == ["b.txt"]

    @pytest.mark.parametrize(
        ("path", "tag"), [("/missing", "not_found"), ("/A/b.txt", "not_folder"), ("/A/", "malformed_path")]
    )
    def test_says_why_it_cannot(self, standin: Standin, team: Dropbox, path: str, tag: str) -> None:
        standin.put("/A/b.txt")

        with pytest.raises(ApiError) as caught:
            team.files_list_folder(path)

        assert caught.value.error.get_path()._tag == tag

    def test_refuses_a_slash_for_the_root(self, team: Dropbox) -> None:
        with pytest.raises(BadInputError, match="Specify the root folder as an empty string"):
            team.files_list_folder("/")

    def test_takes_doubled_slashes(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt")

        assert len(team.files_list_folder("//A//b").entries) == 1


class TestPages:
    def test_are_as_long_as_the_limit_and_the_page_size_allow(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/A/{number:04}.tif" for number in range(25)))
        standin.page_size(10)

        sizes = [len(page) for page in pages(team, "/A")]

        assert sizes == [10, 10, 5]
        assert len(team.files_list_folder("/A", limit=4).entries) == 4

    def test_may_be_empty_although_more_follows(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b.txt")
        standin.empty_pages(2)

        assert [len(page) for page in pages(team, "/A")] == [0, 0, 1]

    def test_come_again_with_the_same_cursor(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/A/{number}" for number in range(4)))
        first = team.files_list_folder("/A", limit=2)

        once = team.files_list_folder_continue(first.cursor)
        again = team.files_list_folder_continue(first.cursor)

        assert once.entries == again.entries

    def test_leave_out_what_was_deleted_meanwhile(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/A/{number}" for number in range(4)))
        first = team.files_list_folder("/A", limit=2)
        standin.delete("/A/3")

        second = team.files_list_folder_continue(first.cursor)

        assert [entry.name for entry in second.entries] == ["2"]

    @pytest.mark.long
    def test_of_a_crowded_folder_hold_two_thousand_entries(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*(f"/A/{number:04}.tif" for number in range(2_050)))

        assert [len(page) for page in pages(team, "/A")] == [2_000, 50]


class TestGetMetadata:
    @pytest.mark.parametrize("path", ["/a/B.TXT", "//A/b.txt"])
    def test_finds_a_file_in_any_case(self, standin: Standin, team: Dropbox, path: str) -> None:
        standin.put("/A/b.txt")

        assert team.files_get_metadata(path).path_display == "/A/b.txt"

    def test_finds_a_file_by_id_by_revision_and_by_namespace(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b.txt")
        file = team.files_get_metadata("/A/b.txt")
        namespace = standin.account("olivia").root_namespace_id

        for path in (file.id, f"rev:{file.rev}", f"ns:{namespace}/a/b.txt"):
            assert team.files_get_metadata(path).id == file.id

    def test_tells_of_a_deleted_file_only_when_asked(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b.txt")
        standin.delete("/A/b.txt")

        with pytest.raises(ApiError):
            team.files_get_metadata("/A/b.txt")

        assert isinstance(team.files_get_metadata("/A/b.txt", include_deleted=True), DeletedMetadata)


class TestFolding:
    def test_keeps_the_first_spelling_and_finds_every_other(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/NMNM 1/Größe.txt", "/nmnm 1/other.txt")

        entry = team.files_get_metadata("/nMnM 1/GRÖßE.TXT")

        assert entry.path_lower == "/nmnm 1/größe.txt"
        assert len(team.files_list_folder("").entries) == 2, "one folder beside Olivia's home"

    def test_maps_one_character_to_one(self, standin: Standin, team: Dropbox) -> None:
        """`İ` has two characters in Python's lower case, and a final sigma depends on its place."""
        standin.put("/İΣ/")

        assert team.files_get_metadata("/İσ").path_lower == "/İσ"


def pages(client: Dropbox, path: str) -> list[list[object]]:
    listing = client.files_list_folder(path)
    found = [listing.entries]
    while listing.has_more:
        listing = client.files_list_folder_continue(listing.cursor)
        found.append(listing.entries)
    return found

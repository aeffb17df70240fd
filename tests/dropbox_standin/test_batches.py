"""Many folders by one call."""

from collections.abc import Iterator

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import CreateFolderBatchJobStatus, CreateFolderBatchLaunch, CreateFolderBatchResult

from dropbox_standin.client import Standin, StandinError
from tests.dropbox_standin.clients import at_root, raw_call, sdk


def outcomes(result: CreateFolderBatchResult) -> Iterator[str]:
    """The path of each folder made, or the tags of why it was not."""
    for entry in result.entries:
        if entry.is_success():
            yield entry.get_success().metadata.path_display
            continue
        reason = entry.get_failure().get_path()
        yield "/".join(filter(None, (reason._tag, reason.get_conflict()._tag if reason.is_conflict() else None)))


def checked(client: Dropbox, launch: CreateFolderBatchLaunch) -> CreateFolderBatchJobStatus:
    return client.files_create_folder_batch_check(launch.get_async_job_id())


class TestCreateFolderBatch:
    def test_makes_the_folders_and_those_above(self, standin: Standin, team: Dropbox) -> None:
        launch = team.files_create_folder_batch(["/A/one", "/A/two", "/B"])

        assert list(outcomes(launch.get_complete())) == ["/A/one", "/A/two", "/B"]
        assert {"/A/", "/A/one/", "/A/two/", "/B/"} <= set(standin.tree())

    def test_reports_each_failure_at_its_place_and_makes_the_others(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/there/", "/file.txt", "/closed/")
        standin.sight("olivia", "/closed", "traverse_only")

        launch = team.files_create_folder_batch(
            ["/There", "/file.txt", "/file.txt/x", "/new", "/A/..", "/closed/x", "ns:77/x"]
        )

        assert list(outcomes(launch.get_complete())) == [
            "conflict/folder",
            "conflict/file",
            "conflict/file_ancestor",
            "/new",
            "malformed_path",
            "no_write_permission",
            "no_write_permission",
        ]

    def test_counts_a_path_that_comes_twice_once(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")

        launch = team.files_create_folder_batch(["/new", "/A", "/NEW", "/A"], autorename=True)

        assert list(outcomes(launch.get_complete())) == ["/new", "/A (1)", "/new", "/A (1)"]
        assert [path for path in standin.tree() if path.startswith(("/A", "/n"))] == ["/A/", "/A (1)/", "/new/"]

    def test_takes_ten_thousand_paths_and_not_one_more(self, standin: Standin) -> None:
        paths = [f"/many/{number}" for number in range(10_000)]

        launch = raw_call(standin, "files/create_folder_batch", json={"paths": paths})
        refused = raw_call(standin, "files/create_folder_batch", json={"paths": [*paths, "/more"]})

        assert launch.json()[".tag"] == "async_job_id"
        assert len(standin.tree(home="olivia")) == 10_001
        assert refused.status_code == 400
        assert "paths: list length 10001 is greater than maximum 10000" in refused.text

    @pytest.mark.parametrize(
        ("paths", "problem"),
        [("/A", "expected list, got string"), (["/A", "B"], "paths: [1]: 'B' did not match"), (["id:1"], "pattern")],
    )
    def test_refuses_what_are_no_paths(self, standin: Standin, paths: object, problem: str) -> None:
        response = raw_call(standin, "files/create_folder_batch", json={"paths": paths})

        assert response.status_code == 400
        assert problem in response.text

    def test_tells_a_listing_of_all_of_them(self, team: Dropbox) -> None:
        cursor = team.files_list_folder("", recursive=True).cursor
        team.files_create_folder_batch(["/A/one", "/A/two"])

        news = team.files_list_folder_continue(cursor).entries

        assert {entry.path_display for entry in news} == {"/A", "/A/one", "/A/two"}


class TestJob:
    def test_is_launched_on_demand_and_done_at_once_all_the_same(self, standin: Standin, team: Dropbox) -> None:
        launch = team.files_create_folder_batch(["/A"], force_async=True)

        assert "/A/" in standin.tree()
        assert checked(team, launch).is_in_progress()
        assert list(outcomes(checked(team, launch).get_complete())) == ["/A"]
        assert list(outcomes(checked(team, launch).get_complete())) == ["/A"]

    def test_is_launched_by_a_large_batch(self, standin: Standin, team: Dropbox) -> None:
        standin.jobs(async_above=2, checks=0)

        assert team.files_create_folder_batch(["/A", "/B"]).is_complete()
        assert checked(team, team.files_create_folder_batch(["/C", "/D", "/E"])).is_complete()

    def test_can_be_late_with_its_work(self, standin: Standin, team: Dropbox) -> None:
        standin.jobs(late=True)
        launch = team.files_create_folder_batch(["/A"], force_async=True)

        assert checked(team, launch).is_in_progress()
        assert "/A/" not in standin.tree()
        assert checked(team, launch).is_complete()
        assert "/A/" in standin.tree()

    def test_is_known_to_its_own_account_and_route_only(self, standin: Standin, team: Dropbox) -> None:
        job_id = team.files_create_folder_batch(["/A"], force_async=True).get_async_job_id()
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        for check, asked in (
            (paul.files_create_folder_batch_check, job_id),
            (team.files_upload_session_finish_batch_check, job_id),
            (team.files_create_folder_batch_check, "dbjid:unknown"),
        ):
            with pytest.raises(ApiError) as caught:
                check(asked)
            assert caught.value.error.is_invalid_async_job_id()


class TestRefusedWrites:
    def test_fail_as_often_as_was_ordered(self, standin: Standin, team: Dropbox) -> None:
        standin.refuse_writes("too_many_write_operations", path="/A/*", times=2, account="olivia")
        paths = ["/A/one", "/B", "/A/two", "/A/three"]

        first = team.files_create_folder_batch(paths).get_complete()

        assert list(outcomes(first)) == ["too_many_write_operations", "/B", "too_many_write_operations", "/A/three"]

    def test_of_an_upload_name_the_reason(self, standin: Standin, team: Dropbox) -> None:
        standin.refuse_writes("insufficient_space")

        with pytest.raises(ApiError) as caught:
            team.files_upload(b"x", "/A/b.txt")

        assert caught.value.error.get_path().reason.is_insufficient_space()

    def test_end_when_they_are_taken_back(self, standin: Standin, team: Dropbox) -> None:
        standin.refuse_writes("disallowed_name", times=100)
        standin.accept_writes()

        assert team.files_create_folder_v2("/A").metadata.name == "A"

    def test_need_a_reason_that_is_one(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="reason is one of"):
            standin.refuse_writes("not_found")


class TestFreshParent:
    def test_lets_nothing_be_made_beneath_it_for_a_while(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/old/")
        standin.refuse_beneath_fresh(5, reason="conflict/folder")
        team.files_create_folder_v2("/new")

        early = team.files_create_folder_batch(["/new/a", "/old/a", "/Olivia Operator/b", "/Olivia Operator/b/c"])
        standin.advance_clock(6)
        late = team.files_create_folder_batch(["/new/a"])

        assert list(outcomes(early.get_complete())) == [
            "conflict/folder",
            "/old/a",
            "/Olivia Operator/b",
            "/Olivia Operator/b/c",
        ]
        assert list(outcomes(late.get_complete())) == ["/new/a"]

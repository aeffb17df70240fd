"""Content in pieces, and what an upload may not be."""

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import (
    CommitInfo,
    UploadSessionAppendBatchArgEntry,
    UploadSessionCursor,
    UploadSessionFinishArg,
    UploadSessionType,
    WriteMode,
)

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import at_root, raw_call, sdk

BLOCK = 4 * 1024 * 1024

# The SDK warns of routes that have a newer name.
older_names = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


def closed_session(client: Dropbox, content: bytes) -> UploadSessionCursor:
    session_id = client.files_upload_session_start(content, close=True).session_id
    return UploadSessionCursor(session_id, len(content))


def concurrent_session(client: Dropbox) -> str:
    started = client.files_upload_session_start(b"", session_type=UploadSessionType.concurrent)
    return str(started.session_id)


class TestUpload:
    @pytest.mark.parametrize("path", ["/a/../b", "/a/", "id:unknown/b.txt"])
    def test_to_what_is_no_path_says_so_and_keeps_the_content(self, team: Dropbox, path: str) -> None:
        with pytest.raises(ApiError) as caught:
            team.files_upload(b"content", path)

        failed = caught.value.error.get_path()
        assert failed.reason.is_malformed_path()
        cursor = UploadSessionCursor(failed.upload_session_id, len(b"content"))
        assert team.files_upload_session_finish(b"", cursor, CommitInfo("/b.txt")).size == len(b"content")

    def test_of_the_same_bytes_writes_nothing(self, team: Dropbox) -> None:
        first = team.files_upload(b"one", "/b.txt")
        cursor = team.files_list_folder("").cursor

        again = [
            team.files_upload(b"one", "/b.txt", mode=mode)
            for mode in (WriteMode.add, WriteMode.overwrite, WriteMode.update("0123456789"))
        ]

        assert [one.rev for one in again] == [first.rev] * 3
        assert team.files_list_folder_continue(cursor).entries == []

    def test_that_is_strict_conflicts_with_the_same_bytes_too(self, team: Dropbox) -> None:
        team.files_upload(b"one", "/b.txt")

        with pytest.raises(ApiError) as caught:
            team.files_upload(b"one", "/b.txt", strict_conflict=True)

        assert caught.value.error.get_path().reason.get_conflict().is_file()

    def test_that_is_strict_does_not_update_what_is_gone(self, team: Dropbox) -> None:
        mode = WriteMode.update("0123456789")

        with pytest.raises(ApiError) as caught:
            team.files_upload(b"one", "/b.txt", mode=mode, strict_conflict=True)

        assert caught.value.error.get_path().reason.get_conflict().is_file()
        assert team.files_upload(b"one", "/b.txt", mode=mode).name == "b.txt"

    def test_numbers_its_conflicted_copies(self, team: Dropbox) -> None:
        for number in range(3):
            team.files_upload(b"%d" % number, "/b.txt", mode=WriteMode.update("0123456789"), autorename=True)

        names = [entry.name for entry in team.files_list_folder("").entries if entry.name.startswith("b")]
        assert sorted(names) == ["b (conflicted copy 1).txt", "b (conflicted copy).txt", "b.txt"]

    def test_that_is_too_large_is_refused(self, standin: Standin, team: Dropbox) -> None:
        standin.payload_cap(3)

        with pytest.raises(ApiError) as caught:
            team.files_upload(b"four", "/b.txt")

        assert caught.value.error.is_payload_too_large()
        assert team.files_upload(b"two", "/b.txt").size == 3

    def test_has_room_for_150_mib(self, standin: Standin) -> None:
        assert standin.overview()["settings"]["payload_bytes"] == 150 * 1024 * 1024


class TestSession:
    @older_names
    def test_puts_pieces_together(self, team: Dropbox) -> None:
        session_id = team.files_upload_session_start(b"one ").session_id
        team.files_upload_session_append_v2(b"two ", UploadSessionCursor(session_id, 4))
        team.files_upload_session_append(b"three ", session_id, 8)

        file = team.files_upload_session_finish(b"four", UploadSessionCursor(session_id, 14), CommitInfo("/A/b.txt"))

        assert file.path_display == "/A/b.txt"
        assert team.files_download("/A/b.txt")[1].content == b"one two three four"

    def test_names_the_offset_it_waits_for(self, team: Dropbox) -> None:
        session_id = team.files_upload_session_start(b"one").session_id

        with pytest.raises(ApiError) as appended:
            team.files_upload_session_append_v2(b"two", UploadSessionCursor(session_id, 0))
        with pytest.raises(ApiError) as finished:
            team.files_upload_session_finish(b"two", UploadSessionCursor(session_id, 9), CommitInfo("/b.txt"))

        assert appended.value.error.get_incorrect_offset().correct_offset == 3
        assert finished.value.error.get_lookup_failed().get_incorrect_offset().correct_offset == 3

    def test_that_is_closed_takes_no_more(self, team: Dropbox) -> None:
        cursor = closed_session(team, b"one")

        with pytest.raises(ApiError) as caught:
            team.files_upload_session_append_v2(b"two", cursor)

        assert caught.value.error.is_closed()

    def test_can_be_finished_again_when_its_place_is_free(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/b.txt")
        session_id = team.files_upload_session_start(b"on").session_id

        with pytest.raises(ApiError) as caught:
            team.files_upload_session_finish(b"e", UploadSessionCursor(session_id, 2), CommitInfo("/b.txt"))
        file = team.files_upload_session_finish(b"", UploadSessionCursor(session_id, 3), CommitInfo("/c.txt"))

        assert caught.value.error.get_path().get_conflict().is_file()
        assert file.size == 3

    def test_lives_for_seven_days_and_for_its_account(self, standin: Standin, team: Dropbox) -> None:
        cursor = UploadSessionCursor(team.files_upload_session_start(b"one").session_id, 3)
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        with pytest.raises(ApiError) as others:
            paul.files_upload_session_append_v2(b"two", cursor)
        team.files_upload_session_append_v2(b"two", cursor)
        standin.advance_clock(7 * 24 * 3600 + 1)
        with pytest.raises(ApiError) as late:
            sdk(standin).files_upload_session_append_v2(b"three", UploadSessionCursor(cursor.session_id, 6))

        assert others.value.error.is_not_found()
        assert late.value.error.is_not_found()

    @older_names
    def test_refuses_content_of_another_hash_or_size(self, standin: Standin, team: Dropbox) -> None:
        cursor = UploadSessionCursor(team.files_upload_session_start(b"one").session_id, 3)

        with pytest.raises(ApiError) as wrong:
            team.files_upload_session_append_v2(b"two", cursor, content_hash="0" * 64)
        standin.payload_cap(2)
        with pytest.raises(ApiError) as large:
            team.files_upload_session_append_v2(b"two", cursor)
        with pytest.raises(ApiError) as larger:
            team.files_upload_session_append(b"two", cursor.session_id, 3)

        assert wrong.value.error.is_content_hash_mismatch()
        assert large.value.error.is_payload_too_large()
        assert larger.value.error.is_payload_too_large()

    def test_has_a_largest_file(self, team: Dropbox) -> None:
        session_id = concurrent_session(team)

        with pytest.raises(ApiError) as caught:
            team.files_upload_session_append_v2(b"x", UploadSessionCursor(session_id, 2**41 - 2**22))

        assert caught.value.error.is_too_large()

    @older_names
    def test_of_the_older_name_wants_its_offset_too(self, team: Dropbox) -> None:
        session_id = team.files_upload_session_start(b"one").session_id

        with pytest.raises(ApiError) as caught:
            team.files_upload_session_append(b"two", session_id, 1)

        assert caught.value.error.get_incorrect_offset().correct_offset == 3


class TestConcurrentSession:
    def test_takes_pieces_in_any_order(self, team: Dropbox) -> None:
        session_id = concurrent_session(team)
        team.files_upload_session_append_v2(bytes(BLOCK), UploadSessionCursor(session_id, 0))
        team.files_upload_session_append_v2(b"end", UploadSessionCursor(session_id, BLOCK), close=True)

        file = team.files_upload_session_finish(b"", UploadSessionCursor(session_id, BLOCK + 3), CommitInfo("/b.bin"))

        assert file.size == BLOCK + 3

    def test_says_which_pieces_do_not_fit(self, team: Dropbox) -> None:
        session_id = concurrent_session(team)

        with pytest.raises(ApiError) as offset:
            team.files_upload_session_append_v2(b"x", UploadSessionCursor(session_id, 1))
        with pytest.raises(ApiError) as size:
            team.files_upload_session_append_v2(b"x", UploadSessionCursor(session_id, 0))

        assert offset.value.error.is_concurrent_session_invalid_offset()
        assert size.value.error.is_concurrent_session_invalid_data_size()

    def test_is_finished_whole_and_closed_or_not_at_all(self, team: Dropbox) -> None:
        session_id = concurrent_session(team)
        cursor, commit = UploadSessionCursor(session_id, BLOCK + 3), CommitInfo("/b.bin")

        with pytest.raises(ApiError) as data:
            team.files_upload_session_finish(b"x", cursor, commit)
        with pytest.raises(ApiError) as still_open:
            team.files_upload_session_finish(b"", cursor, commit)
        team.files_upload_session_append_v2(b"end", UploadSessionCursor(session_id, BLOCK), close=True)
        with pytest.raises(ApiError) as gap:
            team.files_upload_session_finish(b"", cursor, commit)
        batch = team.files_upload_session_finish_batch_v2(
            [UploadSessionFinishArg(UploadSessionCursor(session_id, 3), commit)]
        )

        assert data.value.error.is_concurrent_session_data_not_allowed()
        assert still_open.value.error.is_concurrent_session_not_closed()
        assert gap.value.error.is_concurrent_session_missing_data()
        assert batch.entries[0].get_failure().is_concurrent_session_missing_data()

    def test_starts_open_and_empty(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as data:
            team.files_upload_session_start(b"x", session_type=UploadSessionType.concurrent)
        with pytest.raises(ApiError) as closed:
            team.files_upload_session_start(b"", close=True, session_type=UploadSessionType.concurrent)

        assert data.value.error.is_concurrent_session_data_not_allowed()
        assert closed.value.error.is_concurrent_session_close_not_allowed()


class TestBatch:
    def test_commits_what_is_closed_and_says_what_is_wrong_with_the_rest(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/there.txt")
        still_open = UploadSessionCursor(team.files_upload_session_start(b"one").session_id, 3)
        short = closed_session(team, b"one")
        short.offset = 2
        cursors = [closed_session(team, b"one"), still_open, short, closed_session(team, b"x")]
        paths = ["/A/one.txt", "/open.txt", "/short.txt", "/there.txt"]
        entries = [UploadSessionFinishArg(*pair) for pair in zip(cursors, map(CommitInfo, paths), strict=True)]

        done, opened, wrong, taken = team.files_upload_session_finish_batch_v2(entries).entries

        assert done.get_success().path_display == "/A/one.txt"
        assert opened.get_failure().get_lookup_failed().is_not_closed()
        assert wrong.get_failure().get_lookup_failed().get_incorrect_offset().correct_offset == 3
        assert taken.get_failure().get_path().get_conflict().is_file()

    @older_names
    def test_of_the_older_name_is_a_job(self, standin: Standin, team: Dropbox) -> None:
        entry = UploadSessionFinishArg(closed_session(team, b"one"), CommitInfo("/one.txt"))

        job_id = team.files_upload_session_finish_batch([entry]).get_async_job_id()

        assert team.files_upload_session_finish_batch_check(job_id).is_in_progress()
        (done,) = team.files_upload_session_finish_batch_check(job_id).get_complete().entries
        assert done.get_success().name == "one.txt"
        assert "/one.txt" in standin.tree()

    def test_starts_and_fills_many_sessions(self, team: Dropbox) -> None:
        ids = team.files_upload_session_start_batch(3).session_ids
        entries = [
            UploadSessionAppendBatchArgEntry(UploadSessionCursor(session_id, offset), length, close=True)
            for session_id, offset, length in zip(ids, (0, 0, 7), (3, 4, 1), strict=True)
        ]

        first, second, third = team.files_upload_session_append_batch(b"onefour!", entries).entries
        finished = team.files_upload_session_finish_batch_v2(
            [
                UploadSessionFinishArg(UploadSessionCursor(ids[0], 3), CommitInfo("/one.txt")),
                UploadSessionFinishArg(UploadSessionCursor(ids[1], 4), CommitInfo("/four.txt")),
            ]
        )

        assert first.is_success()
        assert second.is_success()
        assert third.get_failure().get_incorrect_offset().correct_offset == 0
        assert [entry.get_success().size for entry in finished.entries] == [3, 4]

    def test_wants_as_many_bytes_as_it_announces(self, team: Dropbox) -> None:
        session_id = team.files_upload_session_start(b"").session_id
        entry = UploadSessionAppendBatchArgEntry(UploadSessionCursor(session_id, 0), 5)

        with pytest.raises(ApiError) as caught:
            team.files_upload_session_append_batch(b"four", [entry])

        assert caught.value.error.is_length_mismatch()

    def test_has_a_thousand_entries_at_most(self, standin: Standin) -> None:
        entry = {"cursor": {"session_id": "x", "offset": 0}, "commit": {"path": "/x"}}

        sizes = (1000, 1001)
        answers = [
            raw_call(standin, "files/upload_session/finish_batch_v2", json={"entries": [entry] * size})
            for size in sizes
        ]

        assert [answer.status_code for answer in answers] == [200, 400]

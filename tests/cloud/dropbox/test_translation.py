from types import ModuleType
from typing import Any

import pytest

from cloud import errors
from cloud.dropbox.answers import Answer
from cloud.dropbox.decisions import CREATE_LINK_ROUTE, LIST_LINKS_ROUTE, TOKEN_ROUTE
from cloud.dropbox.translation import translate
from core.base.errors import Permanent, RunsheetError, Temporary

LIST, CONTINUE, METADATA = "files/list_folder", "files/list_folder/continue", "files/get_metadata"
ACCOUNT = "users/get_current_account"
EVIDENCE = {"account": "dbid:1", "path_root": "7", "path": "/a"}


def answer(status: int, tag: str = "", *, retry_after_s: float | None = None, **error: Any) -> Answer:
    return Answer(
        status=status, tag=tag, request_id="req", retry_after_s=retry_after_s, body={"error": error} if tag else {}
    )


def translated(given: Answer | None, route: str = LIST) -> RunsheetError:
    return translate(given, route=route, evidence=EVIDENCE)


class TestWhatIsSaid:
    @pytest.mark.parametrize(
        ("route", "status", "tag", "error"),
        [
            (LIST, 409, "path/not_found", errors.NotFound),
            (METADATA, 409, "path/not_found", errors.NotFound),
            (CREATE_LINK_ROUTE, 409, "path/not_found", errors.NotFound),
            (LIST_LINKS_ROUTE, 409, "path/not_found", errors.NotFound),
            (LIST, 409, "path/not_folder", errors.NotADirectory),
            (LIST, 409, "path/malformed_path", errors.DropboxRefused),
            (LIST, 409, "path/restricted_content", errors.DropboxRefused),
            (LIST, 409, "path/unsupported_content_type", errors.DropboxRefused),
            (LIST, 409, "template_error/restricted_content", errors.DropboxRefused),
            (CREATE_LINK_ROUTE, 409, "settings_error/not_authorized", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "settings_error/invalid_settings", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "access_denied", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "email_not_verified", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "banned_member", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "too_many_shared_folders", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "path/restricted_content", errors.LinkRefused),
            (LIST_LINKS_ROUTE, 409, "permission_denied", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 403, "invalid_account_type/feature", errors.LinkRefused),
            (CREATE_LINK_ROUTE, 409, "shared_link_already_exists", errors.LinkExists),
            (CREATE_LINK_ROUTE, 409, "shared_link_already_exists/metadata/folder", errors.LinkExists),
            (LIST, 403, "no_permission", errors.DropboxRefused),
            (LIST, 400, "", errors.DropboxRefused),
            (LIST, 401, "expired_access_token", errors.TokenRejected),
            (LIST, 401, "invalid_access_token", errors.TokenRejected),
            (LIST, 401, "missing_scope", errors.ScopeMissing),
            (LIST, 401, "user_suspended", errors.AccountSuspended),
            (LIST, 401, "invalid_select_user", errors.DropboxRefused),
            (LIST, 401, "route_access_denied", errors.DropboxRefused),
            (LIST, 422, "no_permission", errors.DropboxRefused),
            (LIST, 429, "too_many_requests", errors.RateLimited),
            (LIST, 429, "", errors.RateLimited),
            (TOKEN_ROUTE, 400, "invalid_grant", errors.RefreshTokenRefused),
            (TOKEN_ROUTE, 400, "invalid_client", errors.AppRefused),
            (TOKEN_ROUTE, 400, "unauthorized_client", errors.AppRefused),
            (TOKEN_ROUTE, 400, "unsupported_grant_type", errors.DropboxRefused),
            (TOKEN_ROUTE, 401, "invalid_client", errors.AppRefused),
            (TOKEN_ROUTE, 429, "", errors.RateLimited),
        ],
    )
    def test_becomes_the_error_of_its_tag(self, route: str, status: int, tag: str, error: type[RunsheetError]) -> None:
        assert type(translated(answer(status, tag), route)) is error


class TestWhatIsNotKnown:
    @pytest.mark.parametrize(
        ("route", "status", "tag"),
        [
            # None of these may ever be taken for "not found".
            (LIST, 409, "not_found"),
            (LIST, 409, "path"),
            (LIST, 409, "path/locked"),
            (LIST, 409, "path/other"),
            (LIST, 409, "other"),
            (LIST, 409, ""),
            (LIST, 404, "path/not_found"),
            (LIST, 404, ""),
            (LIST, 500, "path/not_found"),
            (LIST, 200, ""),
            (LIST, 302, ""),
            (LIST, 401, ""),
            (LIST, 401, "other"),
            (LIST, 403, ""),
            (LIST, 403, "other"),
            (LIST, 422, ""),
            (LIST, 422, "invalid_root/team"),
            (CREATE_LINK_ROUTE, 403, "other"),
            (CREATE_LINK_ROUTE, 409, "settings_error/new"),
            (CREATE_LINK_ROUTE, 409, "path/locked"),
            (TOKEN_ROUTE, 400, ""),
            (TOKEN_ROUTE, 401, ""),
            (TOKEN_ROUTE, 409, "path/not_found"),
            (ACCOUNT, 409, "path/not_found"),
        ],
    )
    def test_is_tried_again(self, route: str, status: int, tag: str) -> None:
        assert type(translated(answer(status, tag), route)) is errors.DropboxUnavailable

    @pytest.mark.parametrize(
        ("tag", "error"), [("path/not_found", errors.ListedFolderGone), ("reset", errors.ListingReset)]
    )
    def test_of_a_cursor_is_tried_again_from_the_beginning(self, tag: str, error: type[Exception]) -> None:
        found = translated(answer(409, tag), CONTINUE)

        assert type(found) is error
        assert isinstance(found, errors.DropboxUnavailable)

    def test_is_no_answer_at_all(self) -> None:
        error = translated(None)

        assert type(error) is errors.DropboxUnavailable
        assert error.evidence == EVIDENCE | {"route": LIST}

    def test_passes_on_how_long_to_wait(self) -> None:
        error = translated(answer(503, retry_after_s=7))

        assert isinstance(error, Temporary)
        assert error.retry_after_s == 7


class TestRateLimit:
    def test_lasts_as_long_as_dropbox_says(self) -> None:
        error = translated(answer(429, retry_after_s=300))

        assert isinstance(error, errors.RateLimited)
        assert error.retry_after_s == 300

    def test_lasts_a_second_when_dropbox_does_not_say(self) -> None:
        error = translated(answer(429))

        assert isinstance(error, errors.RateLimited)
        assert error.retry_after_s == 1


class TestMissingScope:
    def test_is_named(self) -> None:
        error = translated(answer(401, "missing_scope", required_scope="sharing.write"))

        assert "sharing.write" in str(error)
        assert error.evidence["scope"] == "sharing.write"

    def test_may_be_unnamed(self) -> None:
        assert str(translated(answer(401, "missing_scope"))) == errors.ScopeMissing.sentence()


class TestPathRoot:
    def test_carries_the_new_root(self) -> None:
        root = {".tag": "team", "root_namespace_id": "78", "home_namespace_id": "1001"}

        error = translated(answer(422, "invalid_root/team", invalid_root=root))

        assert isinstance(error, errors.PathRootMoved)
        assert (error.root_namespace_id, error.home_namespace_id) == ("78", "1001")

    def test_of_a_user_alone_is_the_home(self) -> None:
        error = translated(answer(422, "invalid_root/user", invalid_root={"root_namespace_id": "5"}))

        assert isinstance(error, errors.PathRootMoved)
        assert error.home_namespace_id == "5"

    @pytest.mark.parametrize("odd", ["9" * 41, "", "7\x00", "\ud800", "7 8", None, {}, [1]])
    @pytest.mark.parametrize("which", ["root_namespace_id", "home_namespace_id"])
    def test_that_can_be_none_is_tried_again(self, which: str, odd: object) -> None:
        root = {"root_namespace_id": "78", "home_namespace_id": "1001"} | {which: odd}

        error = translated(answer(422, "invalid_root/team", invalid_root=root))

        assert type(error) is errors.DropboxUnavailable


def kinds_of(module: ModuleType) -> list[type[RunsheetError]]:
    return [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, RunsheetError)]


class TestEvidence:
    def test_says_what_was_asked_and_answered(self) -> None:
        error = translated(answer(409, "path/not_found"))

        assert error.evidence == EVIDENCE | {
            "route": LIST,
            "status": 409,
            "error": "path/not_found",
            "request_id": "req",
        }  # fmt: skip


class TestSentences:
    @pytest.mark.parametrize("error", kinds_of(errors))
    def test_tell_the_operator_something(self, error: type[RunsheetError]) -> None:
        assert error.sentence().endswith(".")
        assert "`" not in error.sentence()

    def test_of_a_refused_link_is_its_reason(self) -> None:
        error = translated(answer(409, "settings_error/not_authorized"), CREATE_LINK_ROUTE)

        assert isinstance(error, errors.LinkRefused)
        assert error.reason == "The Dropbox team's policy forbids this share link."


class TestKinds:
    def test_wait_for_a_reconnect_as_for_anything_temporary(self) -> None:
        kinds = {kind.code for kind in errors.NeedsReconnect.__subclasses__()} | {errors.NeedsReconnect.code}

        assert kinds == {"connect_dropbox"}
        assert issubclass(errors.NeedsReconnect, Temporary)

    def test_a_pause_costs_no_try(self) -> None:
        assert not errors.AccountPaused.costs_try

    def test_a_file_in_the_way_is_permanent(self) -> None:
        assert issubclass(errors.NotADirectory, Permanent)

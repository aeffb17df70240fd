"""Each tag that the SDK knows for a route in use was decided by a person."""

from collections.abc import Iterator
from typing import Any

import pytest
from dropbox import auth, common, files, sharing
from stone.backends.python_rsrc import stone_validators

from cloud import errors
from cloud.dropbox import decisions
from cloud.dropbox.answers import Answer
from cloud.dropbox.translation import translate
from core.base.errors import RunsheetError

ROUTES = {
    decisions.LIST_ROUTE: files.list_folder,
    decisions.CONTINUE_ROUTE: files.list_folder_continue,
    decisions.METADATA_ROUTE: files.get_metadata,
    decisions.CREATE_LINK_ROUTE: sharing.create_shared_link_with_settings,
    decisions.LIST_LINKS_ROUTE: sharing.list_shared_links,
    decisions.LINK_METADATA_ROUTE: sharing.get_shared_link_metadata,
    decisions.MAKE_DIRECTORY_ROUTE: files.create_folder_v2,
}
# Their payload says nothing that decides.
WITH_PAYLOAD = (decisions.ALREADY_EXISTS, "invalid_root")


def tags(union: Any, above: str = "") -> Iterator[str]:
    """The paths of tags that an error of this union can have."""
    for tag, validator in union._tagmap.items():
        inner = validator.validator if isinstance(validator, stone_validators.Nullable) else validator
        path = f"{above}{tag}"
        if isinstance(inner, stone_validators.Union) and tag not in WITH_PAYLOAD:
            yield from tags(inner.definition, f"{path}/")
        else:
            yield path


def translated(status: int, tag: str, route: str = decisions.LIST_ROUTE) -> RunsheetError:
    given = Answer(status=status, tag=tag, request_id="r", retry_after_s=7, body={"error": {}})
    return translate(given, route=route, evidence={"path": "/a"})


OF_ROUTES = [(route, tag) for route, sdk_route in ROUTES.items() for tag in tags(sdk_route.error_type.definition)]


class TestConflicts:
    @pytest.mark.parametrize(("route", "tag"), OF_ROUTES)
    def test_are_decided(self, route: str, tag: str) -> None:
        assert tag in decisions.CONFLICTS[route]

    @pytest.mark.parametrize(("route", "tag"), OF_ROUTES)
    def test_say_not_found_only_of_the_path_that_was_asked_for(self, route: str, tag: str) -> None:
        is_not_found = tag == "path/not_found" and route != decisions.CONTINUE_ROUTE

        assert isinstance(translated(409, tag, route), errors.NotFound) is is_not_found

    @pytest.mark.parametrize("route", ROUTES)
    def test_hold_nothing_that_the_sdk_does_not_know(self, route: str) -> None:
        known = {tag for each, tag in OF_ROUTES if each == route}

        assert set(decisions.CONFLICTS[route]) == known

    def test_that_are_tried_again_pass_on_how_long_to_wait(self) -> None:
        error = translated(409, "path/locked")

        assert isinstance(error, errors.DropboxUnavailable)
        assert error.retry_after_s == 7

    def test_of_the_routes_without_errors_of_their_own_are_none(self) -> None:
        for tag in ("path/not_found", "path/not_folder", "anything"):
            assert type(translated(409, tag, "users/get_current_account")) is errors.DropboxUnavailable


class TestUnauthorized:
    @pytest.mark.parametrize("tag", [tag for tag in tags(auth.AuthError) if tag != "missing_scope"])
    def test_is_decided(self, tag: str) -> None:
        assert tag in decisions.UNAUTHORIZED

    def test_names_the_scope(self) -> None:
        assert "missing_scope" in set(tags(auth.AuthError))
        assert type(translated(401, "missing_scope")) is errors.ScopeMissing


class TestForbidden:
    @pytest.mark.parametrize("tag", [*tags(auth.AccessError)])
    def test_is_decided(self, tag: str) -> None:
        assert tag in decisions.FORBIDDEN

    @pytest.mark.parametrize("tag", [*tags(auth.AccessError)])
    def test_never_costs_more_than_the_link(self, tag: str) -> None:
        kind = errors.DropboxUnavailable if tag == "other" else errors.LinkRefused

        assert type(translated(403, tag, decisions.CREATE_LINK_ROUTE)) is kind

    @pytest.mark.parametrize("tag", [*tags(auth.AccessError)])
    def test_never_costs_more_than_the_directory_that_was_to_be_made(self, tag: str) -> None:
        kind = errors.DropboxUnavailable if tag == "other" else errors.NotMade

        assert type(translated(403, tag, decisions.MAKE_DIRECTORY_ROUTE)) is kind

    def test_that_nobody_has_heard_of_is_tried_again(self) -> None:
        assert type(translated(403, "brand_new/reason")) is errors.DropboxUnavailable


class TestPathRoot:
    @pytest.mark.parametrize("tag", [tag for tag in tags(common.PathRootError) if tag != "invalid_root"])
    def test_is_decided(self, tag: str) -> None:
        assert tag in decisions.PATH_ROOT

    def test_brings_the_new_root(self) -> None:
        assert "invalid_root" in set(tags(common.PathRootError))


class TestRateLimit:
    @pytest.mark.parametrize("tag", [*tags(auth.RateLimitReason), "brand_new"])
    def test_is_one_whatever_the_reason(self, tag: str) -> None:
        error = translated(429, tag)

        assert isinstance(error, errors.RateLimited)
        assert error.retry_after_s == 7


class TestTokenErrors:
    # RFC 6749, 5.2
    @pytest.mark.parametrize(
        "tag",
        [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ],
    )
    @pytest.mark.parametrize("status", [400, 401])
    def test_are_decided(self, status: int, tag: str) -> None:
        error = translated(status, tag, decisions.TOKEN_ROUTE)

        assert type(error) is decisions.TOKEN_ERRORS[tag].kind

    @pytest.mark.parametrize("status", [400, 401])
    def test_that_nobody_has_heard_of_are_tried_again(self, status: int) -> None:
        assert type(translated(status, "brand_new", decisions.TOKEN_ROUTE)) is errors.DropboxUnavailable


class TestSentences:
    @pytest.mark.parametrize(
        "decision",
        [
            decision
            for table in (
                *decisions.CONFLICTS.values(),
                decisions.FORBIDDEN,
                decisions.FORBIDDEN_LINKS,
                decisions.FORBIDDEN_MAKING,
            )
            for decision in table.values()
            if decision.sentence
        ],
        ids=lambda decision: decision.sentence,
    )
    def test_are_sentences(self, decision: decisions.Decision) -> None:
        assert decision.sentence[0].isupper()
        assert decision.sentence.endswith(".")

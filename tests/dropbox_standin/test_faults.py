"""The matrix of what the SDK raises for what comes over the wire, each by a fault on order."""

import base64
import gzip
import json
import time
from typing import Any

import pytest
import requests
from dropbox import Dropbox
from dropbox.exceptions import (
    ApiError,
    AuthError,
    BadInputError,
    HttpError,
    InternalServerError,
    PathRootError,
    RateLimitError,
)
from stone.backends.python_rsrc.stone_validators import ValidationError

from dropbox_standin.client import Standin, StandinError
from tests.dropbox_standin.clients import APP, at_root, sdk, session_for

ROUTE = "files/list_folder"
HTML = {"kind": "html"}


@pytest.fixture
def loose(standin: Standin) -> Dropbox:
    """A client that decodes as the SDK does and no stricter, for answers that are meant to be wrong."""
    standin.put("/A/b.txt")
    return at_root(sdk(standin, strict=False), standin.account("olivia"))


def error(tag: object) -> dict[str, object]:
    return {"error_summary": "x/..", "error": tag}


def too_many(**more: object) -> dict[str, object]:
    return error({"reason": {".tag": "too_many_requests"}, **more})


class TestStatus:
    @pytest.mark.parametrize(
        ("fault", "raised"),
        [
            ({"status": 400, "body": 'Error in call to API function "files/list_folder": x'}, BadInputError),
            ({"status": 401, "body": error({".tag": "strange"})}, AuthError),
            ({"status": 401, "body": error({".tag": "other"})}, AuthError),
            ({**HTML, "status": 401}, AssertionError),
            (
                {"status": 401, "body": error({".tag": "other"}), "content_type": "application/json; charset=utf-8"},
                AssertionError,
            ),
            ({"status": 403, "body": error({".tag": "no_permission"})}, ApiError),
            ({**HTML, "status": 403}, json.JSONDecodeError),
            ({**HTML, "status": 404}, json.JSONDecodeError),
            ({**HTML, "status": 409}, json.JSONDecodeError),
            ({"status": 409, "body": error({".tag": "strange"})}, ApiError),
            ({"status": 409, "body": error({".tag": "other"})}, ValidationError),
            ({"status": 409, "body": error({".tag": "path", "path": {".tag": "other"}})}, ValidationError),
            ({"status": 418, "body": "teapot"}, HttpError),
            ({"status": 422, "body": error({".tag": "no_permission"})}, PathRootError),
            ({"status": 422, "body": error({".tag": "strange"})}, ValidationError),
            ({"status": 429, "body": too_many(retry_after=7)}, RateLimitError),
            ({"status": 429, "body": too_many(), "headers": {"Retry-After": "1"}}, RateLimitError),
            ({"status": 429, "body": too_many(strange=1)}, ValidationError),
            (
                {"status": 429, "body": "slow down", "headers": {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}},
                ValueError,
            ),
            ({"status": 500, "body": "oops"}, InternalServerError),
            ({**HTML, "status": 503}, InternalServerError),
            ({"status": 200, **HTML}, AssertionError),
            ({"status": 200, "body": "not json", "content_type": "application/json"}, json.JSONDecodeError),
            ({"status": 200, "body": {"entries": []}}, ValidationError),
            (
                {"status": 200, "body": {"entries": [{".tag": "strange"}], "cursor": "c", "has_more": False}},
                ValidationError,
            ),
            ({"kind": "content_type"}, AssertionError),
            ({"kind": "reset"}, requests.ConnectionError),
            ({"kind": "close"}, requests.ConnectionError),
            ({"kind": "truncate"}, requests.exceptions.ChunkedEncodingError),
        ],
        ids=str,
    )
    def test_raises(self, standin: Standin, loose: Dropbox, fault: dict[str, Any], raised: type[Exception]) -> None:
        standin.fault(ROUTE, **fault)

        with pytest.raises(raised):
            loose.files_list_folder("/A")

        assert len(loose.files_list_folder("/A").entries) == 1, "the fault is used up"

    @pytest.mark.parametrize("tag", ["strange", "other"])
    def test_of_a_link_is_a_closed_union(self, standin: Standin, loose: Dropbox, tag: str) -> None:
        standin.fault("sharing/create_shared_link_with_settings", status=409, body=error({".tag": tag}))

        with pytest.raises(ValidationError):
            loose.sharing_create_shared_link_with_settings("/A")

    @pytest.mark.parametrize(
        ("fault", "raised"),
        [
            ({"status": 400, "body": {"error": "invalid_grant"}}, AuthError),
            ({"status": 400, "body": {"error": "invalid_request"}}, BadInputError),
            ({"status": 403, "body": {"strange": 1}}, KeyError),
            ({"status": 200, "body": {"access_token": "x", "token_type": "bearer"}}, KeyError),
            ({"status": 503}, InternalServerError),
        ],
        ids=str,
    )
    def test_of_the_token_endpoint_raises(
        self, standin: Standin, fault: dict[str, Any], raised: type[Exception]
    ) -> None:
        client = Dropbox(
            oauth2_refresh_token="standin-refresh-olivia",
            session=session_for(standin.base_url),
            max_retries_on_error=0,
            **APP,
        )
        standin.fault("oauth2/token", **fault)

        with pytest.raises(raised):
            client.check_user("x")


class TestDelay:
    def test_trips_the_read_timeout(self, standin: Standin) -> None:
        client = sdk(standin, strict=False).clone(timeout=0.2)
        standin.fault("check/user", delay_s=1)

        with pytest.raises(requests.ReadTimeout):
            client.check_user("x")

    def test_serves_the_call_afterwards(self, standin: Standin, home: Dropbox) -> None:
        standin.fault("check/user", delay_s=0.1)

        assert home.check_user("x").result == "x"
        assert standin.journal("check/user")[0].duration_s >= 0.1

    def test_holds_nobody_else_up(self, standin: Standin, home: Dropbox) -> None:
        standin.fault("check/user", delay_s=1, kind="delay")
        with pytest.raises(requests.ReadTimeout):
            home.clone(timeout=0.05).check_user("x")
        began = time.monotonic()

        home.check_user("y")

        assert time.monotonic() - began < 0.5


class TestDribble:
    def test_arrives_whole_in_the_end(self, standin: Standin, home: Dropbox) -> None:
        standin.fault("check/user", kind="dribble", interval_s=0.001)

        assert home.clone(timeout=0.2).check_user("x").result == "x"


class TestPerform:
    def test_carries_the_call_out_before_its_answer_is_lost(self, standin: Standin, loose: Dropbox) -> None:
        standin.fault("sharing/create_shared_link_with_settings", kind="close", perform=True)
        with pytest.raises(requests.ConnectionError):
            loose.sharing_create_shared_link_with_settings("/A")

        with pytest.raises(ApiError) as caught:
            loose.sharing_create_shared_link_with_settings("/A")

        assert caught.value.error.is_shared_link_already_exists()


class TestQueue:
    def test_hits_calls_of_its_path_only(self, standin: Standin, loose: Dropbox) -> None:
        standin.put("/Other/")
        standin.fault(ROUTE, status=503, path="/a")

        loose.files_list_folder("/Other")
        with pytest.raises(InternalServerError):
            loose.files_list_folder("/A")

    def test_hits_the_pages_that_follow_a_listing_by_its_path(self, standin: Standin, loose: Dropbox) -> None:
        cursor = loose.files_list_folder("/A").cursor
        standin.fault(f"{ROUTE}/continue", status=503, path="/A")

        with pytest.raises(InternalServerError):
            loose.files_list_folder_continue(cursor)

    def test_is_used_in_its_order_and_as_often_as_asked(self, standin: Standin, loose: Dropbox) -> None:
        standin.fault("*", status=503, times=2)
        standin.fault(ROUTE, status=500)

        seen = [status_of(loose) for _ in range(4)]

        assert seen == [503, 503, 500, 200]

    def test_can_be_seen_and_cleared(self, standin: Standin, loose: Dropbox) -> None:
        standin.fault(ROUTE, status=503)
        assert [fault["status"] for fault in standin.faults()] == [503]

        standin.clear_faults()

        assert status_of(loose) == 200

    @pytest.mark.parametrize(
        ("fault", "problem"),
        [
            ({"route": ROUTE, "kind": "explode"}, "kind is one of status, delay"),
            ({"route": ROUTE, "times": 0}, "times must be at least 1"),
            ({"route": ROUTE, "strange": 1}, "unknown: strange"),
            ({"route": ""}, "a fault needs a route"),
            ({"route": ROUTE, "status": "high"}, "status must be a number"),
            ({"route": ROUTE, "body_base64": "no"}, "body_base64 must be bytes in base64"),
            ({"route": ROUTE, "body_base64": 7}, "body_base64 must be bytes in base64"),
        ],
    )
    def test_refuses_a_fault_that_is_none(self, standin: Standin, fault: dict[str, Any], problem: str) -> None:
        with pytest.raises(StandinError, match=problem):
            standin._post("faults", **fault)

        assert standin.faults() == []


class TestBytes:
    def test_are_sent_as_they_are(self, standin: Standin) -> None:
        packed = gzip.compress(b'{"result": "packed"}')
        standin.fault(
            "check/user",
            status=200,
            body_base64=base64.b64encode(packed).decode(),
            headers={"Content-Encoding": "gzip"},
            content_type="application/json",
        )

        assert sdk(standin).check_user("x").result == "packed"


class TestStrictDecoding:
    def test_would_notice_an_unknown_field(self, standin: Standin, home: Dropbox) -> None:
        """The other tests rest on this."""
        standin.fault("check/user", status=200, body={"result": "x", "strange": 1})

        with pytest.raises(ValidationError):
            home.check_user("x")

    def test_would_notice_an_unknown_field_of_an_error(self, standin: Standin, home: Dropbox) -> None:
        body = error({".tag": "path", "path": {".tag": "not_found", "strange": 1}})
        standin.fault(ROUTE, status=409, body=body)

        with pytest.raises(ValidationError):
            home.files_list_folder("/A")


def status_of(client: Dropbox) -> int:
    try:
        client.files_list_folder("/A")
    except InternalServerError as raised:
        return int(raised.status_code)
    return 200

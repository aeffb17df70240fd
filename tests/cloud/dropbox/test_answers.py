import json

import pytest
from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from cloud.dropbox.answers import LONGEST_WAIT_S, read_answer


def response(status: int, body: object = "", **headers: str) -> Response:
    made = Response()
    made.status_code = status
    made._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


class TestTag:
    @pytest.mark.parametrize(
        ("error", "tag"),
        [
            ({".tag": "path", "path": {".tag": "not_found"}}, "path/not_found"),
            ({".tag": "reset"}, "reset"),
            ({".tag": "invalid_root", "invalid_root": {".tag": "team"}}, "invalid_root/team"),
            ({"reason": {".tag": "too_many_requests"}, "retry_after": 3}, "too_many_requests"),
            ({".tag": "path", "path": "text"}, "path"),
            ("invalid_grant", "invalid_grant"),
            ({"path": {".tag": "not_found"}}, ""),
            ({".tag": 7}, ""),
            ([], ""),
            ("sl.u.AbCd-1234", ""),
            ({".tag": "sl.u.AbCd-1234"}, ""),
            ({".tag": "path", "path": {".tag": "<b>"}}, "path"),
            ({".tag": "a" * 65}, ""),
        ],
    )
    def test_is_the_path_of_tags(self, error: object, tag: str) -> None:
        answer = read_answer(response(409, {"error_summary": "whatever/..", "error": error}))

        assert answer.tag == tag

    @pytest.mark.parametrize("body", ["<html>path/not_found</html>", '{"error": {".tag"', "[1]", "null", "", "\udcff"])
    def test_is_empty_for_what_is_no_error_of_dropbox(self, body: str) -> None:
        broken = response(409)
        broken._content = body.encode("utf-8", "surrogateescape")

        answer = read_answer(broken)

        assert (answer.tag, answer.body) == ("", {})

    def test_is_empty_for_a_success(self) -> None:
        assert read_answer(response(200, {"error": "no"})).tag == ""


class TestRequestId:
    def test_is_the_header(self) -> None:
        assert read_answer(response(200, X_Dropbox_Request_Id="abc")).request_id == "abc"

    @pytest.mark.parametrize("header", ["sl.u.AbCd-1234", "<b>", "a" * 65])
    def test_is_empty_for_what_is_none(self, header: str) -> None:
        assert read_answer(response(200, X_Dropbox_Request_Id=header)).request_id == ""


class TestRequiredScope:
    @pytest.mark.parametrize(
        ("error", "scope"),
        [
            ({".tag": "missing_scope", "required_scope": "files.metadata.read"}, "files.metadata.read"),
            ({".tag": "missing_scope", "required_scope": "sl.u.AbCd-1234"}, ""),
            ({".tag": "missing_scope"}, ""),
            ("missing_scope", ""),
        ],
    )
    def test_is_what_dropbox_names(self, error: object, scope: str) -> None:
        assert read_answer(response(401, {"error": error})).required_scope == scope


class TestText:
    @pytest.mark.parametrize(
        ("body", "content_type", "text"),
        [
            ("It is wrong.", "text/plain", "It is wrong."),
            ("It is wrong.", "text/plain; charset=utf-8", "It is wrong."),
            ("<h1>It is wrong.</h1>", "text/html", ""),
            ("It is wrong.", "application/json", ""),
            ("It\tis\x00 wrong.\n", "text/plain", "It is\ufffd wrong."),
            ("x" * 9_000, "text/plain", "x" * 300),
            ("see https://www.dropbox.com/scl/fo/x?rlkey=y or a@example.com", "text/plain", "see [link] or [redacted]"),
            ({"error": "invalid_grant", "error_description": "too old"}, "application/json", "too old"),
            ({"error": "invalid_grant", "error_description": 7}, "application/json", ""),
            ({"error": "It is wrong."}, "application/json", "It is wrong."),
            ({"error": {".tag": "path"}}, "application/json", ""),
        ],
        ids=lambda given: str(given)[:60],
    )
    def test_is_what_is_wrong_in_words(self, body: object, content_type: str, text: str) -> None:
        assert read_answer(response(400, body, Content_Type=content_type)).text == text

    def test_is_empty_for_a_success(self) -> None:
        assert read_answer(response(200, "fine", Content_Type="text/plain")).text == ""

    def test_repeats_no_secret_of_the_request(self) -> None:
        refused = response(
            400, 'header "Authorization": "Bearer not-a-token!", expected another', Content_Type="text/plain"
        )
        refused.request = PreparedRequest()
        refused.request.headers = CaseInsensitiveDict({"Authorization": "Bearer not-a-token!"})

        assert read_answer(refused).text == 'header "Authorization": "[redacted] [redacted]", expected another'


class TestRetryAfter:
    def test_is_the_header(self) -> None:
        answer = read_answer(response(429, {"error": {"retry_after": 3}}, Retry_After="15"))

        assert answer.retry_after_s == 15

    def test_may_be_a_date_by_the_clock_of_who_sent_it(self) -> None:
        """This host's may be wrong by hours."""
        answer = read_answer(
            response(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT", Date="Wed, 21 Oct 2015 07:27:00 GMT")
        )

        assert answer.retry_after_s == 60

    def test_of_a_past_date_is_no_wait(self) -> None:
        answer = read_answer(
            response(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT", Date="Wed, 21 Oct 2026 07:28:00 GMT")
        )

        assert answer.retry_after_s == 0

    @pytest.mark.parametrize(
        "header", ["", "soon", "-5", "nan", "1.5e400", "Wed, 21 Oct 2015 07:28:00", "Wed, 21 Oct 2015 07:28:00 GMT"]
    )
    def test_falls_back_to_the_body(self, header: str) -> None:
        answer = read_answer(response(429, {"error": {"retry_after": 3}}, Retry_After=header))

        assert answer.retry_after_s == 3

    @pytest.mark.parametrize("body", [{}, {"error": "text"}, {"error": {"retry_after": None}}, "text"])
    def test_is_unknown_when_neither_says(self, body: object) -> None:
        assert read_answer(response(429, body)).retry_after_s is None

    def test_is_never_longer_than_a_day(self) -> None:
        assert read_answer(response(429, Retry_After="9" * 400)).retry_after_s == LONGEST_WAIT_S

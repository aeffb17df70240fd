import pytest

from core.base.errors import RunsheetError
from storage.backends.answers import BeyondTheEnd, failure, read_as_it_was
from storage.backends.errors import Denied, Exists, NotFound, Throttled, Unavailable


class TestFailure:
    @pytest.mark.parametrize(
        ("status", "word", "expected"),
        [
            (503, "SlowDown", Throttled),
            (503, "ServerBusy", Throttled),
            (403, "rateLimitExceeded", Throttled),
            (429, "", Throttled),
            (503, "", Unavailable),
            (500, "InternalError", Unavailable),
            (408, "", Unavailable),
            (409, "ConditionalRequestConflict", Unavailable),
            (400, "RequestTimeout", Unavailable),
            (412, "PreconditionFailed", Exists),
            (412, "", Exists),
            (409, "BlobAlreadyExists", Exists),
            (404, "NoSuchKey", NotFound),
            (404, "", NotFound),
            (404, "NoSuchBucket", Denied),
            (404, "ContainerNotFound", Denied),
            (416, "InvalidRange", BeyondTheEnd),
            (403, "AccessDenied", Denied),
            (401, "", Denied),
            (400, "AuthorizationHeaderMalformed", Denied),
            (301, "PermanentRedirect", Denied),
        ],
    )
    def test_is_what_the_answer_means(self, status: int, word: str, expected: type[RunsheetError]) -> None:
        assert type(failure(key="a", status=status, word=word)) is expected

    def test_of_a_place_is_never_that_a_file_is_missing(self) -> None:
        assert type(failure(key="", status=404, word="")) is Denied

    @pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("Fri, 31 Jan 2026 12:00:00 GMT", None), (None, None)])
    def test_keeps_how_long_to_wait(self, said: str | None, seconds: float | None) -> None:
        for status in (429, 503):
            found = failure(key="a", status=status, word="", retry_after=said)
            assert isinstance(found, Throttled | Unavailable)
            assert found.retry_after_s == seconds

    def test_keeps_what_was_said_as_evidence_and_not_all_of_it(self) -> None:
        found = failure(key="a", status=403, word="AccessDenied", said="x" * 5_000)

        assert found.evidence == {"key": "a", "status": 403, "answer": "AccessDenied", "said": "x" * 300}
        assert str(found) == "The storage does not let us have a: AccessDenied."


class TestReadAsItWas:
    @pytest.mark.parametrize("error", [Exists(), NotFound()])
    def test_calls_what_is_another_file_no_end(self, error: RunsheetError) -> None:
        with pytest.raises(Unavailable, match=r"^a was replaced while it was read\.$"), read_as_it_was("a"):
            raise error

    def test_leaves_the_rest_alone(self) -> None:
        with pytest.raises(Denied), read_as_it_was("a"):
            raise Denied

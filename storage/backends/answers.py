"""What the answers of object stores mean, whatever library brings them."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from core.base.errors import RunsheetError
from storage.backends.errors import Denied, Exists, NotFound, Throttled, Unavailable

# The words of S3, Azure and Google for “slow down”; where only a status comes, 429 is the one that says it.
SLOW_DOWN = frozenset(
    {"SlowDown", "ServerBusy", "RequestLimitExceeded", "TooManyRequests", "Throttling", "rateLimitExceeded"}
)
# A place, not a file, is missing.
NO_PLACE = frozenset({"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "InvalidBucketName"})
# What is no final word although the status is that of one: another request is changing the same file, or the pieces are late.
IN_THE_WAY = frozenset({"ConditionalRequestConflict", "OperationAborted", "RequestTimeout", "BlobBeingRehydrated"})
EXISTING = frozenset({"BlobAlreadyExists", "PreconditionFailed", "ConditionNotMet"})


class BeyondTheEnd(RunsheetError):
    """The file ends before the bytes that were asked for. Never leaves `Storage.stream`."""


def failure(*, key: str, status: int, word: str, said: str = "", retry_after: str | None = None) -> RunsheetError:
    """The failure that an answer stands for.

    Args:
        key: of the file; empty if the question was about the place.
        status: of HTTP.
        word: the store's name for what is wrong; empty if it says none.
        said: its own sentence, which is kept as evidence only.
        retry_after: what it says about how long to wait.
    """
    what = key or "the place"
    evidence = {"key": key, "status": int(status), "answer": word, "said": said[:300]}
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return BeyondTheEnd(evidence=evidence)
    if word in SLOW_DOWN or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(retry_after_s=_seconds(retry_after), evidence=evidence)
    if word in IN_THE_WAY or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Unavailable(
            f"The storage gave no proper answer about {what}: {word or status}.",
            retry_after_s=_seconds(retry_after),
            evidence=evidence,
        )
    if status == HTTPStatus.PRECONDITION_FAILED or word in EXISTING:
        return Exists(f"There is a file in storage under {what} already.", evidence=evidence)
    if status == HTTPStatus.NOT_FOUND and key and word not in NO_PLACE:
        return NotFound(f"There is no {what} in storage.", evidence=evidence)
    return Denied(f"The storage does not let us have {what}: {word or status}.", evidence=evidence)


@contextmanager
def understood(key: str) -> Iterator[None]:
    """Take what a library makes of an answer that lacks what every one has for what it is: no answer of the store.

    It is no reason to take anything for missing. Somebody else may answer in its place.

    Raises:
        Unavailable: an answer came that says nothing.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        said = {"key": key, "answer": f"{type(error).__name__}: {error}"[:300]}
        raise Unavailable("The storage gave an answer that cannot be understood.", evidence=said) from error


@contextmanager
def read_as_it_was(key: str) -> Iterator[None]:
    """That a file is no longer the one of which the first bytes came, as a failure.

    Raises:
        Unavailable: it was replaced or taken away meanwhile.
    """
    try:
        yield
    except (Exists, NotFound) as error:
        raise Unavailable(f"{key} was replaced while it was read.", evidence=error.evidence) from error


def _seconds(retry_after: str | None) -> float | None:
    """What `Retry-After` says, where it says it in seconds."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None

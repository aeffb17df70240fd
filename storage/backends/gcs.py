"""Google Cloud Storage."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import batched, chain
from secrets import token_hex
from typing import Any

from core.base.dispositions import disposition
from core.base.errors import RunsheetError
from storage.backends.answers import BeyondTheEnd, failure, read_as_it_was, understood
from storage.backends.clients import PerProcess
from storage.backends.errors import Denied, NotFound, Unavailable
from storage.backends.gateway import CONTENT_TYPE, MARK, Storage
from storage.backends.keys import HIDDEN
from storage.backends.stored import PIECE_BYTES, KeptPart, Stored, nanoseconds, pieces

COMPOSED_AT_ONCE = 32
# All that is told of a file in a listing, so that nothing else is sent.
FIELDS = "items(name,size,updated,etag),nextPageToken"


class GcsStorage(Storage):
    """A bucket.

    Args:
        credentials: of a service account, as the file with its key has them (JSON).
        endpoint_url: of another server than Google's, which lets in everybody.
        connect_timeout_s, read_timeout_s: for each attempt.
        retry_s: how long a request is made again before it has failed.
    """

    def __init__(
        self,
        *,
        bucket: str,
        credentials: str,
        endpoint_url: str = "",
        connect_timeout_s: float = 3,
        read_timeout_s: float = 10,
        retry_s: float = 20,
    ) -> None:
        self._bucket = bucket
        self._credentials = credentials
        self._endpoint_url = endpoint_url
        self._timeout_s = (connect_timeout_s, read_timeout_s)
        self._retry_s = retry_s
        self._client = PerProcess(self._make_client)

    @property
    def place(self) -> str:
        return f"gcs:{self._endpoint_url}/{self._bucket}"

    @property
    def client(self) -> Any:
        """The library's own, of this process."""
        return self._client()

    def _make_client(self) -> Any:
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - with the rest, a second and 27 MB
        from google.cloud.storage import Client  # noqa: PLC0415

        person = self._person()
        if self._endpoint_url:
            nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # theirs
            options = {"api_endpoint": self._endpoint_url}
            return Client(project=person.project_id, credentials=nobody, client_options=options)
        return Client(project=person.project_id, credentials=person)

    def _person(self) -> Any:
        from google.oauth2.service_account import Credentials  # noqa: PLC0415 - see `_make_client`

        return Credentials.from_service_account_info(json.loads(self._credentials))  # type: ignore[no-untyped-call]  # theirs

    def _asked(self) -> dict[str, Any]:
        """What each request is made with."""
        from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415 - see `_make_client`

        return {"timeout": self._timeout_s, "retry": DEFAULT_RETRY.with_timeout(self._retry_s)}

    def check(self) -> None:
        with understood(""), _translated(""):
            self.client.get_bucket(self._bucket, **self._asked())

    def _put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool, content_type: str, mark: str) -> None:
        # Zero is the generation of what is not there.
        asked = self._asked() | ({"if_generation_match": 0} if exclusive else {})
        parts = pieces(chunks)
        first = next(parts)
        blob = self._blob(key)
        blob.metadata = {MARK: mark}
        if len(first) < PIECE_BYTES:
            with _translated(key):
                blob.upload_from_string(first, content_type=content_type, **asked)
        else:
            self._put_parts(blob, chain([first], parts), content_type=content_type, asked=asked)

    def _join(self, key: str, parts: Sequence[KeptPart], *, of: str, alive: Callable[[], None]) -> None:
        """The store does so within itself, of so many at once, and of what came of these again."""
        names = [each.name for each in parts]
        while len(names) > COMPOSED_AT_ONCE:
            names = [
                self._composed(f"{HIDDEN}{of}/{token_hex(8)}", some, alive)
                for some in batched(names, COMPOSED_AT_ONCE, strict=False)
            ]
        self._composed(key, names, alive, if_generation_match=0)

    def _composed(self, key: str, names: Sequence[str], alive: Callable[[], None], **asked: Any) -> str:
        alive()
        blob = self._blob(key)
        blob.content_type = CONTENT_TYPE
        with _translated(key):
            blob.compose([self._blob(each) for each in names], **self._asked(), **asked)
        return key

    def _put_parts(self, blob: Any, parts: Iterable[bytes], *, content_type: str, asked: dict[str, Any]) -> None:
        key, writer = blob.name, blob.open("wb", chunk_size=PIECE_BYTES, content_type=content_type, **asked)
        try:
            for part in parts:
                with _translated(key):
                    writer.write(part)
            with _translated(key):
                writer.close()
        except BaseException:  # else the library would make a file of what has come when it clears the writer away
            with suppress(RunsheetError), _translated(key):
                writer.terminate()
            raise

    def _stream(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        blob = self._blob(key)
        first = self._piece(blob, start, end)
        return chain([first], self._pieces_after(blob, start + len(first), end, is_over=len(first) < PIECE_BYTES))

    def _pieces_after(self, blob: Any, start: int, end: int | None, *, is_over: bool) -> Iterator[bytes]:
        """The rest of the generation that the first piece was of, which the library keeps to."""
        while not is_over and start != end:
            try:
                with read_as_it_was(blob.name):
                    piece = self._piece(blob, start, end)
            except BeyondTheEnd:
                return
            is_over = len(piece) < PIECE_BYTES
            start += len(piece)
            yield piece

    def _piece(self, blob: Any, start: int, end: int | None) -> bytes:
        last = start + PIECE_BYTES if end is None else min(end, start + PIECE_BYTES)
        with _translated(blob.name):
            piece: bytes = blob.download_as_bytes(
                start=start, end=last - 1, raw_download=True, checksum=None, **self._asked()
            )
        return piece

    def _stat(self, key: str) -> Stored:
        blob = self._blob(key)
        with understood(key), _translated(key):
            blob.reload(**self._asked())
            stored = _stored(blob)
        return stored._replace(content_type=blob.content_type or CONTENT_TYPE)

    def _mark(self, key: str) -> str:
        blob = self._blob(key)
        with understood(key), _translated(key):
            blob.reload(**self._asked())
        return str((blob.metadata or {}).get(MARK, ""))

    def _delete(self, key: str) -> None:
        with suppress(NotFound), _translated(key):
            self._blob(key).delete(**self._asked())

    def _listing(self, prefix: str, after: str) -> Iterator[Stored]:
        with understood(""), _translated(""):
            for blob in self.client.list_blobs(
                self._bucket, prefix=prefix or None, start_offset=after or None, fields=FIELDS, **self._asked()
            ):
                if blob.name != after:  # it begins with that one, not behind it
                    yield _stored(blob)

    def _sign(self, key: str, seconds: int, name: str) -> str:
        address: str = self._blob(key).generate_signed_url(
            version="v4",
            expiration=timedelta(seconds=seconds),
            response_disposition=disposition(name),
            credentials=self._person(),
            **({"api_access_endpoint": self._endpoint_url} if self._endpoint_url else {}),
        )
        return address

    def _blob(self, key: str) -> Any:
        return self.client.bucket(self._bucket).blob(key)


def _stored(blob: Any) -> Stored:
    return Stored(blob.name, blob.size, nanoseconds(blob.updated), blob.etag.strip('"'))


@contextmanager
def _translated(key: str) -> Iterator[None]:
    from google.api_core import exceptions as said  # noqa: PLC0415 - see `_make_client`
    from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    try:
        yield
    except GoogleAuthError as error:
        if isinstance(error, TransportError):
            raise _silence(key, error) from error
        raise Denied(f"Google does not accept who asks: {type(error).__name__}.") from error
    except (said.GoogleAPICallError, InvalidResponse, said.RetryError) as error:
        # What was tried again until the time was over, by what came of it at last.
        last = error.cause if isinstance(error, said.RetryError) else error
        raise _failure(key, last) from error
    except (DataCorruption, RequestException, ConnectionError) as error:
        raise _silence(key, error) from error


def _silence(key: str, error: BaseException | None) -> Unavailable:
    return Unavailable(evidence={"key": key, "answer": type(error).__name__})


def _failure(key: str, error: Any) -> RunsheetError:
    answer = getattr(error, "response", None)
    status = getattr(error, "code", None) or getattr(answer, "status_code", None)
    if status is None:
        return _silence(key, error)
    return failure(
        key=key,
        status=status,
        word=_word(answer),
        said=str(error),
        retry_after=getattr(answer, "headers", {}).get("retry-after"),
    )


def _word(answer: Any) -> str:
    """Google's name for what is wrong, where the answer has one."""
    try:
        return str(answer.json()["error"]["errors"][0]["reason"])
    except (AttributeError, LookupError, TypeError, ValueError):
        return ""

"""Azure Blob Storage."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.base import clock
from core.base.dispositions import disposition
from core.base.errors import RunsheetError
from storage.backends.answers import failure, read_as_it_was, understood
from storage.backends.clients import PerProcess
from storage.backends.errors import NotFound, Unavailable
from storage.backends.gateway import CONTENT_TYPE, MARK, Storage
from storage.backends.stored import PIECE_BYTES, KeptPart, Stored, nanoseconds, pieces

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.storage.blob import BlobClient, BlobProperties, ContainerClient, StorageStreamDownloader

API_VERSION = "2025-11-05"


class AzureStorage(Storage):
    """A container.

    Args:
        account, account_key: whose it is; the key signs requests and addresses.
        endpoint_url: of another server than Azure's.
        connect_timeout_s, read_timeout_s: for each attempt.
        attempts: how often a request is made before it has failed.
    """

    def __init__(
        self,
        *,
        container: str,
        account: str,
        account_key: str,
        endpoint_url: str = "",
        connect_timeout_s: float = 3,
        read_timeout_s: float = 10,
        attempts: int = 3,
    ) -> None:
        self._container = container
        self._account = account
        self._account_key = account_key
        self._endpoint_url = endpoint_url or f"https://{account}.blob.core.windows.net"
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._attempts = attempts
        self._client = PerProcess(self._make_client)

    @property
    def place(self) -> str:
        return f"azure:{self._endpoint_url}/{self._container}"

    @property
    def client(self) -> "ContainerClient":
        """The library's own, of this process."""
        return self._client()

    def _make_client(self) -> "ContainerClient":
        from azure.storage.blob import ContainerClient, ExponentialRetry  # noqa: PLC0415 - takes a second and 22 MB

        return ContainerClient(
            self._endpoint_url,
            self._container,
            credential={"account_name": self._account, "account_key": self._account_key},
            api_version=API_VERSION,
            connection_timeout=self._connect_timeout_s,
            read_timeout=self._read_timeout_s,
            # What it does by itself takes more than a minute where nobody answers.
            retry_policy=ExponentialRetry(
                initial_backoff=0, increment_base=2, retry_total=self._attempts - 1, random_jitter_range=1
            ),
            max_block_size=PIECE_BYTES,
            max_single_put_size=PIECE_BYTES,
            max_single_get_size=PIECE_BYTES,
            max_chunk_get_size=PIECE_BYTES,
        )

    def check(self) -> None:
        with understood(""), _translated(""):
            self.client.get_container_properties()

    def _put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool, content_type: str, mark: str) -> None:
        from azure.storage.blob import ContentSettings  # noqa: PLC0415 - see `_make_client`

        parts = pieces(chunks)
        first = next(parts)
        with _translated(key):
            self._blob(key).upload_blob(
                first if len(first) < PIECE_BYTES else chain([first], parts),
                length=len(first) if len(first) < PIECE_BYTES else None,
                overwrite=not exclusive,
                content_settings=ContentSettings(content_type=content_type),
                metadata={MARK: mark},
                max_concurrency=1,  # an empty stream hangs with two
            )

    def _stream(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        length = None if end is None else end - start
        with understood(key), _translated(key):
            found = self._blob(key).download_blob(offset=start, length=length, max_concurrency=1)
        return _pieces_of(found, key=key)

    def _stat(self, key: str) -> Stored:
        with understood(key), _translated(key):
            found = self._blob(key).get_blob_properties()
            stored = _stored(found)
        return stored._replace(content_type=found.content_settings.content_type or CONTENT_TYPE)

    def _mark(self, key: str) -> str:
        with understood(key), _translated(key):
            return str(self._blob(key).get_blob_properties().metadata.get(MARK, ""))

    def _delete(self, key: str) -> None:
        with suppress(NotFound), _translated(key):
            self._blob(key).delete_blob()

    def _listing(self, prefix: str, after: str) -> Iterator[Stored]:
        asked: dict[str, Any] = {"start_from": after} if after else {}
        with understood(""), _translated(""):
            for found in self.client.list_blobs(name_starts_with=prefix or None, **asked):
                if found.name != after:  # it begins with that one, not behind it
                    yield _stored(found)

    def _keep_part(self, key: str, chunk: bytes, *, of: str, start: int) -> KeptPart:  # noqa: ARG002 - a block belongs to its file
        # All names of blocks of a file have one length. By chance, so that none is ever replaced.
        name = f"{start:016}-{secrets.token_hex(8)}"
        with _translated(key):
            self._blob(key).stage_block(b64encode(name.encode()).decode(), chunk)
        return KeptPart(name, start, len(chunk))

    def _join(self, key: str, parts: Sequence[KeptPart], *, of: str, alive: Callable[[], None]) -> None:  # noqa: ARG002 - one request
        from azure.core import MatchConditions  # noqa: PLC0415 - see `_make_client`
        from azure.storage.blob import BlobBlock, ContentSettings  # noqa: PLC0415

        with _translated(key):
            self._blob(key).commit_block_list(
                [BlobBlock(b64encode(each.name.encode()).decode()) for each in parts],
                content_settings=ContentSettings(content_type=CONTENT_TYPE),
                match_condition=MatchConditions.IfMissing,
            )

    def _forget_part(self, name: str) -> None:
        """Blocks of which no file was made cannot be deleted; the store does so after a week, and shows them to nobody."""

    def _drop_parts(self, key: str, *, of: str) -> None:
        """The same."""

    def _sign(self, key: str, seconds: int, name: str) -> str:
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas  # noqa: PLC0415 - see `_make_client`

        signature = generate_blob_sas(
            self._account,
            self._container,
            key,
            account_key=self._account_key,
            permission=BlobSasPermissions(read=True),
            expiry=clock.now() + timedelta(seconds=seconds),
            content_disposition=disposition(name),
        )
        return f"{self._endpoint_url}/{self._container}/{quote(key)}?{signature}"

    def _blob(self, key: str) -> "BlobClient":
        return self.client.get_blob_client(key)


def _pieces_of(found: "StorageStreamDownloader[bytes]", *, key: str) -> Iterator[bytes]:
    with read_as_it_was(key), _translated(key):
        yield from found.chunks()


def _stored(found: "BlobProperties") -> Stored:
    return Stored(found.name, found.size, nanoseconds(found.last_modified), found.etag.strip('"'))


@contextmanager
def _translated(key: str) -> Iterator[None]:
    from azure.core import exceptions as said  # noqa: PLC0415 - see `_make_client`

    try:
        yield
    except said.IncompleteReadError as error:
        raise Unavailable(evidence={"key": key, "answer": type(error).__name__}) from error
    except said.HttpResponseError as error:
        raise _failure(key, error) from error
    except said.AzureError as error:
        raise Unavailable(evidence={"key": key, "answer": type(error).__name__}) from error


def _failure(key: str, error: "HttpResponseError") -> RunsheetError:
    headers = getattr(error.response, "headers", {})
    return failure(
        key=key,
        status=error.status_code or HTTPStatus.BAD_GATEWAY,
        word=str(getattr(error, "error_code", None) or headers.get("x-ms-error-code", "")),
        said=error.message,
        retry_after=headers.get("retry-after"),
    )

"""Amazon S3, and what speaks its protocol."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any

from core.base.dispositions import disposition
from core.base.errors import RunsheetError
from storage.backends.answers import failure, understood
from storage.backends.clients import PerProcess
from storage.backends.errors import Denied, NotFound, Unavailable
from storage.backends.gateway import CONTENT_TYPE, MARK, Storage
from storage.backends.stored import PIECE_BYTES, KeptPart, Stored, begun, nanoseconds, pieces

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

READ_BYTES = 1024 * 1024
CONNECTIONS = 16
# Each takes as much memory as a part has.
PARTS_AT_ONCE = 2
# No part but the last may be smaller.
SMALLEST_PART_BYTES = 5 * 1024 * 1024


class S3Storage(Storage):
    """A bucket.

    Args:
        endpoint_url: of another server than Amazon's.
        region: where the bucket is; signatures name it.
        access_key_id, secret_access_key: empty for the rights that the machine itself has.
        addressing: "virtual" puts the bucket into the host's name, "path" into the path.
        connect_timeout_s, read_timeout_s: for each attempt.
        attempts: how often a request is made before it has failed.
    """

    def __init__(
        self,
        *,
        bucket: str,
        endpoint_url: str = "",
        region: str = "",
        access_key_id: str = "",
        secret_access_key: str = "",
        addressing: str = "virtual",
        connect_timeout_s: float = 3,
        read_timeout_s: float = 10,
        attempts: int = 3,
    ) -> None:
        self._bucket = bucket
        self._addressing = addressing
        self._patience = {"connect_timeout": connect_timeout_s, "read_timeout": read_timeout_s}
        self._attempts = attempts
        self._whither = {
            "endpoint_url": endpoint_url or None,
            "region_name": region or None,
            "aws_access_key_id": access_key_id or None,
            "aws_secret_access_key": secret_access_key or None,
        }
        self._client = PerProcess(self._make_client)

    @property
    def place(self) -> str:
        return f"s3:{self._whither['endpoint_url'] or ''}/{self._bucket}"

    @property
    def client(self) -> Any:
        """The library's own, of this process."""
        return self._client()

    def _make_client(self) -> Any:
        import boto3  # noqa: PLC0415 - takes a second and 32 MB, where it is wanted
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            signature_version="s3v4",  # the other one is what signed addresses get by default, and is refused
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            request_checksum_calculation="when_required",  # else a stream is signed in a way that few servers know
            response_checksum_validation="when_required",
            max_pool_connections=CONNECTIONS,
            s3={"addressing_style": self._addressing},
            **self._patience,
        )
        # A session of one's own: the one that boto3 shares is not made for several threads.
        return boto3.session.Session().client("s3", config=config, **self._whither)

    def check(self) -> None:
        with understood(""), _translated(""):
            self.client.head_bucket(Bucket=self._bucket)

    def _put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool, content_type: str, mark: str) -> None:
        said = {"ContentType": content_type, "Metadata": {MARK: mark}}
        condition = {"IfNoneMatch": "*"} if exclusive else {}
        parts = pieces(chunks)
        first = next(parts)
        if len(first) < PIECE_BYTES:
            with _translated(key):
                self.client.put_object(**self._file(key), Body=first, **said, **condition)
        else:
            self._put_parts(key, chain([first], parts), said=said, condition=condition)

    def _put_parts(self, key: str, parts: Iterable[bytes], *, said: dict[str, Any], condition: dict[str, str]) -> None:
        with _translated(key):
            begun = self.client.create_multipart_upload(**self._file(key), **said)
        upload = self._file(key) | {"UploadId": begun["UploadId"]}
        try:
            done = self._sent(upload, parts)
            with _translated(key):
                self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done}, **condition)
        except BaseException:  # a job that is to stop raises one, too, and parts that nobody sees cost money
            self._abort(upload)
            raise

    def _sent(self, upload: dict[str, str], parts: Iterable[bytes]) -> list[dict[str, Any]]:
        """What each part is called there. Some are on their way while the next one comes in, and so are in memory."""
        done: list[dict[str, Any]] = []
        under_way: deque[Future[dict[str, Any]]] = deque()
        with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="parts") as pool:
            for number, part in enumerate(parts, start=1):
                under_way.append(pool.submit(self._send, upload, number, part))
                if len(under_way) == PARTS_AT_ONCE:
                    done.append(under_way.popleft().result())
            done += [each.result() for each in under_way]
        return done

    def _send(self, upload: dict[str, str], number: int, part: bytes) -> dict[str, Any]:
        with _translated(upload["Key"]):
            answer = self.client.upload_part(**upload, PartNumber=number, Body=part)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _join(self, key: str, parts: Sequence[KeptPart], *, of: str, alive: Callable[[], None]) -> None:
        """The store copies them within itself; only those that it takes for too small to be copied pass through here."""
        if parts[-1].start + parts[-1].size < PIECE_BYTES:
            super()._join(key, parts, of=of, alive=alive)
            return
        with _translated(key):
            begun = self.client.create_multipart_upload(**self._file(key), ContentType=CONTENT_TYPE)
        upload = self._file(key) | {"UploadId": begun["UploadId"]}
        try:
            done = []
            for number, group in enumerate(_in_groups(parts), start=1):
                alive()
                with _translated(key):
                    done.append({"PartNumber": number, "ETag": self._joined(upload, number, group)})
            with _translated(key):
                self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done}, IfNoneMatch="*")
        except BaseException:
            self._abort(upload)
            raise

    def _joined(self, upload: dict[str, str], number: int, group: Sequence[KeptPart]) -> str:
        """The ETag of a part of these."""
        if len(group) == 1 and group[0].size:
            source = {"Bucket": self._bucket, "Key": group[0].name}
            copied = self.client.upload_part_copy(**upload, PartNumber=number, CopySource=source)
            return str(copied["CopyPartResult"]["ETag"])
        body = b"".join(chain.from_iterable(self._stream(each.name, 0, None) for each in group))
        return str(self.client.upload_part(**upload, PartNumber=number, Body=body)["ETag"])

    def _abort(self, upload: dict[str, str]) -> None:
        with suppress(RunsheetError), _translated(upload["Key"]):
            self.client.abort_multipart_upload(**upload)

    def _stream(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        wanted = f"bytes={start}-{'' if end is None else end - 1}"
        with _translated(key):
            answer = self.client.get_object(**self._file(key), **({"Range": wanted} if wanted != "bytes=0-" else {}))
        return begun(_pieces_of(answer["Body"], key=key))

    def _stat(self, key: str) -> Stored:
        with understood(key), _translated(key):
            found = self.client.head_object(**self._file(key))
            stored = _stored(key, found, size=found["ContentLength"])
        return stored._replace(content_type=found.get("ContentType") or CONTENT_TYPE)

    def _mark(self, key: str) -> str:
        with understood(key), _translated(key):
            return str(self.client.head_object(**self._file(key))["Metadata"].get(MARK, ""))

    def _delete(self, key: str) -> None:
        with suppress(NotFound), _translated(key):
            self.client.delete_object(**self._file(key))

    def _listing(self, prefix: str, after: str) -> Iterator[Stored]:
        asked: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix}
        if after:
            asked["StartAfter"] = after
        pages = self.client.get_paginator("list_objects_v2").paginate(**asked)
        with understood(""), _translated(""):
            for page in pages:
                _ = page["Name"]  # else it is an answer of somebody else, not of a bucket that is empty
                for each in page.get("Contents", ()):
                    yield _stored(each["Key"], each, size=each["Size"])

    def _sign(self, key: str, seconds: int, name: str) -> str:
        kept_as = disposition(name)
        with _translated(key):
            address: str = self.client.generate_presigned_url(
                "get_object",
                Params=self._file(key) | {"ResponseContentDisposition": kept_as},
                ExpiresIn=seconds,
            )
        return address

    def _file(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": key}


def _in_groups(parts: Sequence[KeptPart]) -> Iterator[list[KeptPart]]:
    """Parts that are large enough each for itself, others with their neighbours; only the last group may be smaller."""
    group: list[KeptPart] = []
    for part in parts:
        group.append(part)
        if sum(each.size for each in group) >= SMALLEST_PART_BYTES:
            yield group
            group = []
    if group:
        yield group


def _pieces_of(body: Any, *, key: str) -> Generator[bytes]:
    with closing(body), _translated(key):
        yield b""
        yield from body.iter_chunks(READ_BYTES)


def _stored(key: str, found: dict[str, Any], *, size: int) -> Stored:
    return Stored(key, size, nanoseconds(found["LastModified"]), found["ETag"].strip('"'))


@contextmanager
def _translated(key: str) -> Iterator[None]:
    from botocore import exceptions as said  # noqa: PLC0415 - see `_make_client`

    try:
        yield
    except said.ClientError as error:
        raise _failure(key, error) from error
    except (said.NoCredentialsError, said.PartialCredentialsError, said.ParamValidationError) as error:
        raise Denied(f"The storage cannot be asked: {error}") from error
    except said.BotoCoreError as error:
        raise Unavailable(evidence={"key": key, "answer": type(error).__name__}) from error


def _failure(key: str, error: "ClientError") -> RunsheetError:
    answer, told = error.response.get("ResponseMetadata", {}), error.response.get("Error", {})
    word = str(told.get("Code", ""))
    return failure(
        key=key,
        status=int(answer.get("HTTPStatusCode") or HTTPStatus.BAD_GATEWAY),
        word="" if word.isdecimal() else word,  # an answer without a body repeats its status there
        said=str(told.get("Message", "")),
        retry_after=answer.get("HTTPHeaders", {}).get("retry-after"),
    )

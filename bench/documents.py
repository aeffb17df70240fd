"""`python -m bench.documents`: how documents come in and go out through gunicorn, in memory and speed; see the README in this folder."""

import argparse
import http.client
import json
import multiprocessing
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import psutil
from django.core.management import call_command

from bench.discovery import Parser, whole
from bench.figures import latencies
from bench.stage import SECRETS, own_servers
from bench.stores import Weed
from core.base.errors import RunsheetError
from core.local.processes import child_environment, free_port, stop_signals, supervised
from core.local.programs import web
from core.local.servers import LOCAL

DIRECTORY = LOCAL / "bench-documents"
MB = 1_000_000
PIECE_BYTES = 1024 * 1024
LOOK_EVERY_S = 0.05
# At each kind of page of the list.
LOOKS = 20
ANSWERS_WITHIN_S = 60
MOST_EXTRA_BYTES = 60 * MB
DOCUMENTS = "/api/v1/documents/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measurement.

    Attributes:
        upload_2gb_extra_bytes, download_2gb_extra_bytes: what the process takes of its own beside what it took idle, at most.
        upload_of_cp_ratio: its pace by that of `cp` with fsync, of the same bytes to the same disk.
        download_of_loopback_ratio: its pace by that of bytes out of memory, over one connection of the machine to itself.
        s3_of_sdk_ratio: the same into and out of SeaweedFS, by the pace of its own SDK; the smaller one of both.
        s3_extra_bytes: as with files on the disk, the larger one of both.
        list_p95_ms: of a page of 100 documents, of the orders and filters that are offered, first and far behind.
        list_slowest: the one that took longest.
        list_statements: the most that one page took.
        list_rare_part_ms: of a part of names that hardly any has, for which all names are read.
    """

    megabytes: int
    documents: int
    load_before: float
    upload_2gb_extra_bytes: int
    download_2gb_extra_bytes: int
    upload_mb_per_s: float
    cp_mb_per_s: float
    upload_of_cp_ratio: float
    download_mb_per_s: float
    loopback_mb_per_s: float
    download_of_loopback_ratio: float
    s3_upload_of_sdk_ratio: float
    s3_download_of_sdk_ratio: float
    s3_of_sdk_ratio: float
    s3_extra_bytes: int
    list_p95_ms: float
    list_slowest: str
    list_statements: int
    list_rare_part_ms: float

    @property
    def is_good(self) -> bool:
        taken = (self.upload_2gb_extra_bytes, self.download_2gb_extra_bytes, self.s3_extra_bytes)
        return max(taken) <= MOST_EXTRA_BYTES


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals(), _staged() as token:
            figures = _measured(options, token=token, load_before=load_before)
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    told = asdict(figures)
    print(json.dumps(told, indent=2) if options.json else "\n".join(f"{name}: {value}" for name, value in told.items()))
    return 0 if figures.is_good else 1


@contextmanager
def _staged() -> Iterator[str]:
    """PostgreSQL and Valkey with the product's tables, Django ready in this process: a token for documents."""
    with own_servers(DIRECTORY) as urls:
        given = SECRETS | {
            "DOCUMENTS_DIRECTORY": str(DIRECTORY / "documents"),
            "SECURE_SSL_REDIRECT": "no",
            "WEB_CONCURRENCY": "1",
            "API_PER_MINUTE": "1000000",
        }
        settings = child_environment(urls, DROPBOX_BASE_URL="", settings_module="core.settings.production")
        os.environ.update(given | settings)
        (DIRECTORY / "documents").mkdir()
        django.setup()
        for command in ("migrate", "collectstatic"):
            call_command(command, interactive=False, stdout=sys.stderr)
        yield _token()


@contextmanager
def _served(**environment: str) -> Iterator[tuple[int, int]]:
    """One process of gunicorn with production settings: its port, and its number."""
    port = free_port()
    with supervised(
        [web(bind=f"127.0.0.1:{port}")], environment={**os.environ, **environment}, logs=DIRECTORY / "log"
    ) as children:
        children.wait_for(f"http://127.0.0.1:{port}/health/live", timeout_s=ANSWERS_WITHIN_S)
        (worker,) = psutil.Process(children.running[0].process.pid).children()
        yield port, worker.pid


def _token() -> str:
    from django.contrib.auth.models import User  # noqa: PLC0415 - Django is ready only now

    from api.scopes import Scope  # noqa: PLC0415 - the same
    from api.services import tokens  # noqa: PLC0415 - the same
    from core.base.clock import now  # noqa: PLC0415 - the same

    user = User.objects.create_superuser("measurer")
    made = tokens.make(by=user, name="bench", scopes=[Scope.DOCUMENTS_WRITE], lasts=timedelta(days=1), at=now())
    return made.secret


def _measured(options: argparse.Namespace, *, token: str, load_before: float) -> Figures:
    size = options.mb * MB
    source = DIRECTORY / "source"
    _fill(source, size)
    with _served() as (port, pid):
        ask = Asking(port=port, token=token)
        beside = {"cp": lambda: _cp(source), "loopback": lambda: _loopback(size)}
        local = _passed(ask, source, beside=beside, times=options.times, pid=pid)
        listed = _list(ask, documents=options.documents)
    with Weed(DIRECTORY / "store") as weed, _served(DOCUMENTS_STORAGE="s3", **_s3(weed)) as (port, pid):
        ask = Asking(port=port, token=token)
        stored = _passed(ask, source, beside=_by_sdk(weed, source), times=options.times, pid=pid)
    ratios = {name: round(stored.s[f"sdk_{name}"] / stored.s[name], 2) for name in ("upload", "download")}
    return Figures(
        megabytes=options.mb,
        documents=options.documents,
        load_before=round(load_before, 1),
        upload_2gb_extra_bytes=local.extra["upload"],
        download_2gb_extra_bytes=local.extra["download"],
        upload_mb_per_s=round(options.mb / local.s["upload"]),
        cp_mb_per_s=round(options.mb / local.s["cp"]),
        upload_of_cp_ratio=round(local.s["cp"] / local.s["upload"], 2),
        download_mb_per_s=round(options.mb / local.s["download"]),
        loopback_mb_per_s=round(options.mb / local.s["loopback"]),
        download_of_loopback_ratio=round(local.s["loopback"] / local.s["download"], 2),
        s3_upload_of_sdk_ratio=ratios["upload"],
        s3_download_of_sdk_ratio=ratios["download"],
        s3_of_sdk_ratio=min(ratios.values()),
        s3_extra_bytes=max(stored.extra.values()),
        **listed,
    )


@dataclass(frozen=True, slots=True)
class Passed:
    """What was found by name.

    Attributes:
        extra: the memory that it took, in bytes.
        s: the least time.
    """

    extra: dict[str, int]
    s: dict[str, float]


def _passed(ask: "Asking", source: Path, *, beside: Mapping[str, Callable[[], object]], times: int, pid: int) -> Passed:
    """The file is sent and fetched, and what is compared with that is done in turn with it: the machine is not the same for long.

    Memory is looked at in a turn of its own, since that takes time.
    """
    size = source.stat().st_size
    for _ in range(3):  # what is loaded with the first is not what the large one takes
        _get(ask, _put(ask, source, MB), MB)
    sent = [0]

    def put() -> None:
        sent[:] = [_put_anew(ask, source, size)]

    acts = {"upload": put, "download": lambda: _get(ask, sent[0], size), **beside}
    extra = {}
    for name in ("upload", "download"):
        with _watched(pid) as peak:
            acts[name]()
        extra[name] = peak()
    taken = [{name: _timed(act) for name, act in acts.items()} for _ in range(times)]
    return Passed(extra, {name: min(each[name] for each in taken) for name in acts})


def _s3(weed: Weed) -> dict[str, str]:
    return {f"DOCUMENTS_S3_{name.upper()}": value for name, value in weed.options.items()}


def _by_sdk(weed: Weed, source: Path) -> dict[str, Callable[[], object]]:
    """The same file by the SDK itself, with as many connections and threads as it likes."""
    import boto3  # noqa: PLC0415 - takes a second

    client = boto3.client(
        "s3",
        endpoint_url=weed.url,
        region_name=weed.options["region"],
        aws_access_key_id=weed.options["access_key_id"],
        aws_secret_access_key=weed.options["secret_access_key"],
    )
    place, target = weed.options["bucket"], DIRECTORY / "fetched"
    return {
        "sdk_upload": lambda: client.upload_file(str(source), place, "bare"),
        "sdk_download": lambda: client.download_file(place, "bare", str(target)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A program with a token."""

    port: int
    token: str

    @contextmanager
    def __call__(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=600, blocksize=PIECE_BYTES)
        try:
            said = {"Authorization": f"Bearer {self.token}", **headers}
            connection.request(method, f"{DOCUMENTS}{path}", body=body, headers=said)  # type: ignore[arg-type]  # a file
            answer = connection.getresponse()
            if answer.status >= http.client.BAD_REQUEST:
                raise RuntimeError(answer.read().decode())
            yield answer
        finally:
            connection.close()


def _put(ask: Asking, source: Path, size: int) -> int:
    """The number of the document that the first bytes of the file became."""
    with source.open("rb") as file:
        body: object = file.read(size) if size <= MB else file
        with ask("PUT", "upload/?name=large.bin", body, **{"Content-Length": str(size)}) as answer:
            document = int(json.loads(answer.read())["id"])
    _verify(document)
    return document


def _put_anew(ask: Asking, source: Path, size: int) -> int:
    """The same, where the file of the turn before is gone, as the copy of `cp` is: room that was just freed is quicker to fill."""
    for file in (DIRECTORY / "documents").rglob("*"):
        if file.is_file() and file.stat().st_size == size:
            file.unlink()
    return _put(ask, source, size)


def _get(ask: Asking, document: int, size: int) -> None:
    received, piece = 0, bytearray(PIECE_BYTES)
    with ask("GET", f"{document}/content/") as answer:
        while count := answer.readinto(piece):
            received += count
    if received != size:
        raise RuntimeError(f"{received} of {size} bytes have come")


def _verify(document: int) -> None:
    """As a worker would have; that is not what is measured."""
    from django.db.models.functions import Now  # noqa: PLC0415 - Django is ready only now

    from documents.models import Document, DocumentVersion  # noqa: PLC0415 - the same

    DocumentVersion.objects.filter(document=document, verified_at=None).update(verified_at=Now())
    Document.objects.filter(pk=document).update(state="active", verified_at=Now(), due_at=None)


@contextmanager
def _watched(pid: int) -> Iterator[Callable[[], int]]:
    """How much of its own the process took at most in the body, beside what it took before."""
    process, ended = psutil.Process(pid), threading.Event()
    before = most = process.memory_full_info().uss

    def watch() -> None:
        nonlocal most
        while not ended.wait(LOOK_EVERY_S):
            most = max(most, process.memory_full_info().uss)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: most - before
    finally:
        ended.set()
        thread.join()


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _fill(path: Path, size: int) -> None:
    piece = secrets.token_bytes(MB)
    with path.open("wb") as file:
        for _ in range(size // MB):
            file.write(piece)
        os.fsync(file.fileno())


def _cp(source: Path) -> None:
    """As `cp` does it, and on the disk at the end, as an upload is."""
    target = DIRECTORY / "documents" / ".copy"
    subprocess.run(["/bin/cp", "--reflink=never", source, target], check=True)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    target.unlink()


def _loopback(size: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = multiprocessing.get_context("fork").Process(target=_send, args=(server.getsockname(), size))
        sender.start()
        connection, _ = server.accept()
        piece = bytearray(PIECE_BYTES)
        with connection:
            while connection.recv_into(piece):
                pass
        sender.join()


def _send(address: tuple[str, int], size: int) -> None:
    piece = bytes(MB)
    with socket.create_connection(address) as connection:
        for _ in range(size // MB):
            connection.sendall(piece)


def _list(ask: Asking, *, documents: int) -> dict[str, Any]:
    """The figures of the list."""
    from bench import document_rows  # noqa: PLC0415 - Django is ready only now

    document_rows.fill(documents=documents)
    taken_ms: dict[str, float] = {}
    for query in document_rows.queries():

        def look(query: str = query) -> None:
            with ask("GET", f"?limit=100{query}") as answer:
                answer.read()

        taken_ms[query] = latencies([_timed(look) for _ in range(LOOKS)])["p95_s"] * 1000
    rare_ms = taken_ms.pop(document_rows.RARE)
    return {
        "list_p95_ms": round(max(taken_ms.values()), 1),
        "list_slowest": max(taken_ms, key=lambda each: taken_ms[each]),
        "list_statements": document_rows.statements(),
        "list_rare_part_ms": round(rare_ms, 1),
    }


def _parser() -> Parser:
    parser = Parser(prog="bench.documents", description="Measure how documents come in and go out.")
    parser.add_argument("--mb", type=whole(1), default=2_000, metavar="N", help="of the file (default: %(default)s)")
    parser.add_argument(
        "--times", type=whole(1), default=5, metavar="N", help="the quickest counts (default: %(default)s)"
    )
    parser.add_argument(
        "--documents", type=whole(500), default=1_000_000, metavar="N", help="in the list (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())

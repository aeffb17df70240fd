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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import django
import psutil
from django.core.management import call_command

from bench.discovery import Parser, whole
from bench.figures import latencies
from bench.stage import SECRETS, own_servers
from core.base.errors import RunsheetError
from core.local.processes import child_environment, free_port, stop_signals, supervised
from core.local.programs import web
from core.local.servers import LOCAL

DIRECTORY = LOCAL / "bench-documents"
MB = 1_000_000
PIECE_BYTES = 1024 * 1024
LOOK_EVERY_S = 0.05
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
        list_p95_ms: of a page of 100 documents.
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
    list_p95_ms: float

    @property
    def is_good(self) -> bool:
        return max(self.upload_2gb_extra_bytes, self.download_2gb_extra_bytes) <= MOST_EXTRA_BYTES


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals(), _served() as (port, token, pid):
            figures = _measured(options, port=port, token=token, pid=pid, load_before=load_before)
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
def _served() -> Iterator[tuple[int, str, int]]:
    """One process of gunicorn with production settings: its port, a token for documents, and its number."""
    with own_servers(DIRECTORY) as urls:
        given = SECRETS | {
            "DOCUMENTS_DIRECTORY": str(DIRECTORY / "documents"),
            "SECURE_SSL_REDIRECT": "no",
            "WEB_CONCURRENCY": "1",
        }
        settings = child_environment(urls, DROPBOX_BASE_URL="", settings_module="core.settings.production")
        os.environ.update(given | settings)
        (DIRECTORY / "documents").mkdir()
        django.setup()
        for command in ("migrate", "collectstatic"):
            call_command(command, interactive=False, stdout=sys.stderr)
        port = free_port()
        with supervised(
            [web(bind=f"127.0.0.1:{port}")], environment=dict(os.environ), logs=DIRECTORY / "log"
        ) as children:
            children.wait_for(f"http://127.0.0.1:{port}/health/live", timeout_s=ANSWERS_WITHIN_S)
            (worker,) = psutil.Process(children.running[0].process.pid).children()
            yield port, _token(), worker.pid


def _token() -> str:
    from django.contrib.auth.models import User  # noqa: PLC0415 - Django is ready only now

    from api.scopes import Scope  # noqa: PLC0415 - the same
    from api.services import tokens  # noqa: PLC0415 - the same
    from core.base.clock import now  # noqa: PLC0415 - the same

    user = User.objects.create_superuser("measurer")
    made = tokens.make(by=user, name="bench", scopes=[Scope.DOCUMENTS_WRITE], lasts=timedelta(days=1), at=now())
    return made.secret


def _measured(options: argparse.Namespace, *, port: int, token: str, pid: int, load_before: float) -> Figures:
    size = options.mb * MB
    source = DIRECTORY / "source"
    _fill(source, size)
    ask = Asking(port=port, token=token)
    for _ in range(3):  # what is loaded with the first is not what the large one takes
        _get(ask, _put(ask, source, MB), MB)

    cp_s = min(_timed(lambda: _cp(source)) for _ in range(options.times))
    uploaded_s, upload_extra, document = _best(options.times, pid, lambda: _put(ask, source, size))
    _verify(document)
    downloaded_s, download_extra, _ = _best(options.times, pid, lambda: _get(ask, document, size))
    loopback_s = min(_timed(lambda: _loopback(size)) for _ in range(options.times))
    return Figures(
        megabytes=options.mb,
        documents=options.documents,
        load_before=round(load_before, 1),
        upload_2gb_extra_bytes=upload_extra,
        download_2gb_extra_bytes=download_extra,
        upload_mb_per_s=round(options.mb / uploaded_s),
        cp_mb_per_s=round(options.mb / cp_s),
        upload_of_cp_ratio=round(cp_s / uploaded_s, 2),
        download_mb_per_s=round(options.mb / downloaded_s),
        loopback_mb_per_s=round(options.mb / loopback_s),
        download_of_loopback_ratio=round(loopback_s / downloaded_s, 2),
        list_p95_ms=_list_p95_ms(ask, document, documents=options.documents),
    )


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


def _best[Found](times: int, pid: int, act: Callable[[], Found]) -> tuple[float, int, Found]:
    """The quickest of several, and the most memory that any of them took beside what was taken before."""
    taken_s, extra = [], 0
    for _ in range(times):
        with _watched(pid) as peak:
            began = time.perf_counter()
            found = act()
            taken_s.append(time.perf_counter() - began)
        extra = max(extra, peak())
    return min(taken_s), extra, found


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


ROWS = """
INSERT INTO documents_document (name, unique_name, owner_id, state, current, last_number, size_bytes, mime_type, verified_at, entered_at)
SELECT 'Deed ' || n || '.pdf', 'deed-' || n, %(owner)s, 'active', 1, 1, 1000 + n, 'application/pdf', now(), now()
FROM generate_series(1, %(documents)s) n
"""
VERSIONS = """
INSERT INTO documents_documentversion (document_id, number, key, name, size, sha256, mime_type, verified_at)
SELECT id, 1, owner_id || '/documents/' || id || '/1/deed.pdf', name, size_bytes, repeat('0', 64), mime_type, now()
FROM documents_document WHERE unique_name LIKE 'deed-%%'
"""


def _list_p95_ms(ask: Asking, document: int, *, documents: int) -> float:
    from django.db import connection  # noqa: PLC0415 - Django is ready only now

    from documents.models import Document  # noqa: PLC0415 - the same

    owner = Document.objects.get(pk=document).owner_id
    with connection.cursor() as cursor:
        for statement in (ROWS, VERSIONS):
            cursor.execute(statement, {"owner": owner, "documents": documents})
        cursor.execute("VACUUM ANALYZE documents_document, documents_documentversion")

    def look() -> None:
        with ask("GET", "?limit=100") as answer:
            answer.read()

    return round(latencies([_timed(look) for _ in range(50)])["p95_s"] * 1000, 1)


def _parser() -> Parser:
    parser = Parser(prog="bench.documents", description="Measure how documents come in and go out.")
    parser.add_argument("--mb", type=whole(1), default=2_000, metavar="N", help="of the file (default: %(default)s)")
    parser.add_argument(
        "--times", type=whole(1), default=2, metavar="N", help="the quickest counts (default: %(default)s)"
    )
    parser.add_argument(
        "--documents", type=whole(1), default=100_000, metavar="N", help="in the list (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())

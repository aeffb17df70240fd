"""Clients as they are, against the console as it runs: whoever is killed and whatever is cut, they go on with what was told to be kept."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from bench.stores import AZURITE
from core.local.processes import free_port
from core.local.servers import ROOT
from documents import duties
from documents.models import Document, PartialUpload, Upload
from tests.api.conftest import made
from tests.core.local.test_processes import eventually
from tests.documents.making import DEED, Files, verified
from tests.live import environment_of

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

CONTENT = b"%PDF-1.7\n" + os.urandom(5_000_000)


class Console:
    """One that is killed, with whatever it is at, and started again."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self.port = free_port()
        self.documents = f"http://127.0.0.1:{self.port}/api/v1/documents/"

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "core.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stderr=log, stdout=log, start_new_session=True
            )

    def answers(self) -> bool:
        try:
            return requests.get(self.documents, timeout=30).status_code == 401
        except (requests.ConnectionError, requests.Timeout):
            return False

    def kill(self) -> None:
        """All of it at once: the master and those that it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@pytest.fixture
def console(opal: User, files: Files, dropbox: "Standin", tmp_path: Path) -> Iterator[Console]:
    files.directory.mkdir()
    environment = environment_of(redis_url=settings.REDIS_URL, dropbox=dropbox)
    more = {"DOCUMENTS_DIRECTORY": str(files.directory), "WEB_CONCURRENCY": "1", "DOCUMENTS_FREE_MB": "0"}
    console = Console({**environment, **more}, tmp_path / "log")
    console.start()
    try:
        eventually(console.answers, within_s=60)
        yield console
    finally:
        console.kill()


@pytest.fixture
def secret(opal: User) -> str:
    return made(opal).secret


def is_whole(files: Files, owner: User) -> bool:
    """The bytes are there once, and nothing else."""
    connection.close()
    document = Document.objects.get()
    duties.finish_uploads()
    assert not Upload.objects.exists()
    return (document.name, document.owner) == (DEED, owner) and list(files.all().values()) == [CONTENT]


class TestTuspy:
    def test_goes_on_after_the_server_was_killed(self, console: Console, secret: str, opal: User, files: Files) -> None:
        client: Any = TusClient(f"{console.documents}tus/", headers={"Authorization": f"Bearer {secret}"})
        said = {"filename": DEED, "filetype": "application/pdf"}
        uploader = client.uploader(
            file_stream=BytesIO(CONTENT), chunk_size=1_000_000, metadata=said, upload_checksum=True
        )
        uploader.upload_chunk()
        uploader.upload_chunk()
        console.kill()
        with pytest.raises((TusCommunicationError, requests.ConnectionError)):
            uploader.upload_chunk()
        console.start()
        eventually(console.answers, within_s=60)

        again = client.uploader(
            file_stream=BytesIO(CONTENT), url=uploader.url, chunk_size=1_000_000, upload_checksum=True
        )
        reached = again.offset
        again.upload()

        assert reached == 2_000_000
        assert is_whole(files, opal)


class TestTusJsClient:
    def test_goes_on_by_itself_after_the_server_was_killed(
        self, console: Console, secret: str, opal: User, files: Files, tmp_path: Path
    ) -> None:
        node, packages = shutil.which("node"), AZURITE.parent / "tus-js-client" / "package.json"
        if node is None or not packages.exists():
            pytest.skip("tus-js-client is not installed: make test does so where there is npm")
        (tmp_path / DEED).write_bytes(CONTENT)
        asked = [node, "tests/documents/resuming.mjs", str(packages), str(tmp_path / DEED), f"{console.documents}tus/"]
        with subprocess.Popen([*asked, secret], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "1000000\n"
            console.kill()
            console.start()
            told = process.stdout.read().split()

        assert process.returncode == 0
        assert told[-2:] == [str(len(CONTENT)), f"/api/v1/documents/{Document.objects.get().pk}/"]
        assert PartialUpload.objects.count() == 1  # it has begun no other
        assert is_whole(files, opal)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
class TestCurl:
    def test_goes_on_with_a_download(
        self, console: Console, secret: str, opal: User, files: Files, tmp_path: Path
    ) -> None:
        document = verified(opal, CONTENT)
        got = tmp_path / "got.pdf"
        asked: list[Any] = ["curl", "-sf", "-H", f"Authorization: Bearer {secret}"]
        address = f"{console.documents}{document.pk}/content/"
        with subprocess.Popen([*asked, address], stdout=subprocess.PIPE) as broken:
            assert broken.stdout
            got.write_bytes(broken.stdout.read(1_000_000))
            broken.kill()

        subprocess.run([*asked, "-o", got, "-C", "-", address], check=True, timeout=60)

        assert got.read_bytes() == CONTENT

    @pytest.mark.parametrize("path", ["documents/upload/", "documents/", "leases/import/"])
    def test_is_told_in_the_documentation_what_works(
        self, console: Console, secret: str, files: Files, tmp_path: Path, path: str
    ) -> None:
        commands = re.findall(r"^curl .*$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
        (command,) = [each for each in commands if re.search(rf"/api/v1/{path}([?\"]|$)", each)]
        (tmp_path / "token.txt").write_text(f"Authorization: Bearer {secret}")
        (tmp_path / "deed.pdf").write_bytes(CONTENT)
        (tmp_path / "leases.csv").write_text("Agency,Lease\nBLM,NMNM 0501759\n")
        here = command.replace("https://…/api/v1/documents/", console.documents).replace("rst_…", secret)
        here = here.replace("https://…/api/v1/", console.documents.removesuffix("documents/"))

        ran = subprocess.run(["bash", "-c", f"{here} -sf"], cwd=tmp_path, capture_output=True, timeout=60, check=False)

        assert ran.returncode == 0, (here, ran)
        if path != "leases/import/":
            assert CONTENT in files.all().values()

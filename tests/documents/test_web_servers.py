"""Debian's nginx and Caddy, set up as deploy/nginx and docs/operations.md say, hand out the files: to those whom the console lets have them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User

from core.local.processes import free_port
from core.local.servers import ROOT
from tests.api.conftest import made
from tests.core.local.test_processes import eventually
from tests.deploy import nginx
from tests.documents.making import DEED, PDF, Files, verified
from tests.documents.test_resuming import Console
from tests.live import environment_of

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

CADDY = shutil.which("caddy")
pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]
AROUND = """
{{
    admin off
    auto_https off
    storage file_system {place}/caddy
}}
http://127.0.0.1:{port} {{
{example}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What stands before the console.

    Attributes:
        url: without a slash at the end.
        believed: the certificate to believe, if it has one.
    """

    url: str
    believed: str | bool = True

    def get(self, path: str, **how: Any) -> requests.Response:
        return requests.get(f"{self.url}/{path}", verify=self.believed, timeout=30, **how)

    def put(self, path: str, **how: Any) -> requests.Response:
        return requests.put(f"{self.url}/{path}", verify=self.believed, timeout=60, **how)


@contextmanager
def nginx_before(console: Console, place: Path, files: Path) -> Iterator[Front]:
    """As deploy/nginx has it."""
    if nginx.PROGRAM is None:
        pytest.skip("nginx is not on this machine: apt-get install nginx-light")
    with nginx.running(place, behind=console.port, files=files) as running:
        yield Front(url=running.url, believed=running.certificate)


@contextmanager
def caddy_before(console: Console, place: Path, files: Path) -> Iterator[Front]:
    """As docs/operations.md says, for another port and another folder."""
    if CADDY is None:
        pytest.skip("Caddy is not on this machine: apt-get install caddy")
    place.mkdir()
    port = free_port()
    found = re.search(r"```\n(reverse_proxy .*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    assert found
    words = found[1].replace("/srv/documents", str(files)).replace("127.0.0.1:8000", f"127.0.0.1:{console.port}")
    (place / "configuration").write_text(AROUND.format(place=place, port=port, example=words))
    command = [CADDY, "run", "--adapter", "caddyfile", "--config", str(place / "configuration")]
    with (place / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log, env={**os.environ, "HOME": str(place)})
    try:
        eventually(lambda: nginx.listens(port), within_s=20)
        yield Front(url=f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=[nginx_before, caddy_before])
def front(
    request: pytest.FixtureRequest, opal: User, files: Files, dropbox: "Standin", tmp_path: Path
) -> Iterator[Front]:
    """What stands before the console."""
    files.directory.mkdir()
    more = {
        "DOCUMENTS_DIRECTORY": str(files.directory),
        "DOCUMENTS_DELIVERY": "internal",
        "WEB_CONCURRENCY": "1",
        "DOCUMENTS_FREE_MB": "0",
    }
    environment = environment_of(redis_url=settings.REDIS_URL, dropbox=dropbox)
    console = Console({**environment, **more}, tmp_path / "log")
    console.start()
    try:
        with request.param(console, tmp_path / "front", files.directory) as running:
            eventually(console.answers, within_s=60)
            yield running
    finally:
        console.kill()


def test_hands_out_what_the_console_lets_go_and_nothing_else(front: Front, opal: User) -> None:
    document = verified(opal)
    address = f"api/v1/documents/{document.pk}/content/"
    mine = {"Authorization": f"Bearer {made(opal).secret}"}
    stranger = {"Authorization": f"Bearer {made(User.objects.create_user('stranger')).secret}"}

    whole = front.get(address, headers=mine)
    part = front.get(address, headers={**mine, "Range": "bytes=2-5"})

    assert (whole.status_code, whole.content) == (200, PDF)
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, PDF[2:6], f"bytes 2-5/{len(PDF)}")
    assert DEED in whole.headers["Content-Disposition"]
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Accel-Redirect" not in whole.headers
    assert front.get(address).status_code == 401
    assert front.get(address, headers=stranger).status_code == 403
    key = document.versions.get().key
    for path in (f"documents-files/{key}", "documents-files/", f"documents-files/../{key}"):
        assert front.get(path, headers=mine).status_code in {401, 404}


def test_lets_a_large_file_through_as_it_comes(front: Front, opal: User, files: Files) -> None:
    content = bytes(range(256)) * 80_000  # more than either takes by itself, and than this server takes elsewhere
    mine = {"Authorization": f"Bearer {made(opal).secret}"}
    sent = front.put("api/v1/documents/upload/?name=large.bin", data=content, headers=mine)

    assert sent.status_code == 201, sent.text
    assert list(files.all().values()) == [content]
    assert not [path for path in (files.directory.parent / "front").glob("body/*") if path.is_file()]

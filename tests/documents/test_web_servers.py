"""Debian's nginx and Caddy, set up as docs/operations.md says, hand out the files: to those whom the console lets have them."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User

from core.local.processes import free_port
from core.local.servers import ROOT
from tests.api.conftest import made
from tests.core.local.test_processes import eventually
from tests.documents.making import DEED, PDF, Files, verified
from tests.documents.test_resuming import Console
from tests.live import environment_of

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

PROGRAMS = {name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("nginx", "caddy")}
pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]
AROUND = {
    "nginx": """
daemon off; user root; pid {place}/pid; error_log {place}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    server {{ listen 127.0.0.1:{port}; {example} location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}
}}
""",
    "caddy": """
{{
    admin off
    auto_https off
    storage file_system {place}/caddy
}}
http://127.0.0.1:{port} {{
{example}
}}
""",
}
BEGINS = {"nginx": "location /documents-files/ ", "caddy": "reverse_proxy "}
COMMANDS = {"nginx": ("-c",), "caddy": ("run", "--adapter", "caddyfile", "--config")}


def example(name: str, *, behind: int, files: Path) -> str:
    """That of the documentation, for another port and another folder."""
    text = (ROOT / "docs" / "operations.md").read_text()
    found = re.search(rf"```\n({BEGINS[name]}.*?)```", text, re.DOTALL)
    assert found
    return found[1].replace("/srv/documents", str(files)).replace("127.0.0.1:8000", f"127.0.0.1:{behind}")


@pytest.fixture(params=PROGRAMS)
def front(
    request: pytest.FixtureRequest, opal: User, files: Files, dropbox: "Standin", tmp_path: Path
) -> Iterator[str]:
    """Where the web server listens, in front of the console."""
    name: str = request.param
    program = PROGRAMS[name]
    if program is None:
        pytest.skip(f"{name} is not on this machine: apt-get install nginx-light caddy")
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
    place, port = tmp_path / "front", free_port()
    (place / "body").mkdir(parents=True)
    configuration = place / "configuration"
    words = example(name, behind=console.port, files=files.directory)
    configuration.write_text(AROUND[name].format(place=place, port=port, behind=console.port, example=words))
    with (place / "log").open("w") as log:
        front = subprocess.Popen(
            [program, *COMMANDS[name], configuration], stderr=log, env={**os.environ, "HOME": str(place)}
        )
    try:
        eventually(console.answers, within_s=60)
        eventually(lambda: _listens(port), within_s=20)
        yield f"http://127.0.0.1:{port}"
    finally:
        front.terminate()
        front.wait(10)
        console.kill()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def test_hands_out_what_the_console_lets_go_and_nothing_else(front: str, opal: User) -> None:
    document = verified(opal)
    address = f"{front}/api/v1/documents/{document.pk}/content/"
    mine = {"Authorization": f"Bearer {made(opal).secret}"}
    stranger = {"Authorization": f"Bearer {made(User.objects.create_user('stranger')).secret}"}

    whole = requests.get(address, headers=mine, timeout=30)
    part = requests.get(address, headers={**mine, "Range": "bytes=2-5"}, timeout=30)

    assert (whole.status_code, whole.content) == (200, PDF)
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, PDF[2:6], f"bytes 2-5/{len(PDF)}")
    assert DEED in whole.headers["Content-Disposition"]
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Accel-Redirect" not in whole.headers
    assert requests.get(address, timeout=30).status_code == 401
    assert requests.get(address, headers=stranger, timeout=30).status_code == 403
    key = document.versions.get().key
    for path in (f"documents-files/{key}", "documents-files/", f"documents-files/../{key}"):
        assert requests.get(f"{front}/{path}", headers=mine, timeout=30).status_code in {401, 404}


def test_lets_a_large_file_through_as_it_comes(front: str, opal: User, files: Files) -> None:
    content = bytes(range(256)) * 80_000  # more than either takes by itself, and than this server takes elsewhere
    sent = requests.put(
        f"{front}/api/v1/documents/upload/?name=large.bin",
        data=content,
        headers={"Authorization": f"Bearer {made(opal).secret}"},
        timeout=60,
    )

    assert sent.status_code == 201, sent.text
    assert list(files.all().values()) == [content]
    assert not list((files.directory.parent / "front" / "body").iterdir())

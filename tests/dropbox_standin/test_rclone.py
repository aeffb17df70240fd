"""A synchronising program that nobody here wrote, as it is, and over TLS under Dropbox's own names."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dropbox_standin.client import Standin
from dropbox_standin.process import Tls
from dropbox_standin.tunnel import tunnels_to

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed (the package has this name)"),
]

type Rclone = Callable[..., str]


@pytest.fixture
def rclone(standin_by_tls: Standin, tls: Tls, tmp_path: Path) -> Iterator[Rclone]:
    """Run rclone with Olivia's token; `box:` is her home, `box:/` the team's root."""
    token = {
        "access_token": "standin-access-olivia",
        "refresh_token": "standin-refresh-olivia",
        "token_type": "bearer",
        "expiry": "2001-01-01T00:00:00Z",
    }
    with tunnels_to(urlsplit(standin_by_tls.base_url).port or 0) as tunnels:
        settings = {
            "HTTPS_PROXY": tunnels.url,
            "RCLONE_CONFIG": str(tmp_path / "none.conf"),
            "RCLONE_CONFIG_BOX_TYPE": "dropbox",
            "RCLONE_CONFIG_BOX_CLIENT_ID": "standin-app",
            "RCLONE_CONFIG_BOX_CLIENT_SECRET": "standin-secret",
            "RCLONE_CONFIG_BOX_TOKEN": json.dumps(token),
            # Its batches wait for as many files as are on their way at once.
            "RCLONE_TRANSFERS": "20",
            "RCLONE_DROPBOX_BATCH_TIMEOUT": "50ms",
        }
        environment = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"} | settings

        def run(*arguments: str) -> str:
            done = subprocess.run(
                ["rclone", "--ca-cert", str(tls.ca), "--retries", "1", *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield run
        assert tunnels.refused == [], "it asked for nobody but Dropbox"


def test_rclone_copies_checks_synchronises_and_moves(rclone: Rclone, standin_by_tls: Standin, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "Größe ½").mkdir(parents=True)
    for number in range(20):
        (here / "Größe ½" / f"{number}.txt").write_text(f"content {number}")

    rclone("copy", str(here), "box:/Copied")
    (here / "Größe ½" / "1.txt").unlink()
    (here / "Größe ½" / "2.txt").write_text("something else")
    (here / "new.txt").write_text("new")
    rclone("sync", str(here), "box:/Copied")
    rclone("check", str(here), "box:/Copied")
    rclone("move", "box:/Copied/Größe ½", "box:/Moved")

    assert rclone("lsf", "-R", "box:/Copied") == "new.txt\n"
    assert len(rclone("lsf", "box:/Moved").splitlines()) == 19
    assert {"/Copied/new.txt", "/Moved/2.txt"} <= set(standin_by_tls.tree())
    calls = standin_by_tls.calls()
    assert calls["files/upload_session/finish_batch_v2"] < calls["files/upload_session/start"]

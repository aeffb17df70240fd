"""Debian's ClamAV itself, which knows one virus here: what the protocol is like where nobody has imitated it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.errors import ScannerUnavailable, TooLargeToScan
from documents.scanning import found_in
from tests.core.local.test_processes import eventually
from tests.documents.clamav import EICAR

CLAMD = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin")
LARGEST = 1_000_000
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(CLAMD is None, reason="ClamAV is not on this machine: apt-get install clamav-daemon"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Its socket."""
    directory = tmp_path_factory.mktemp("clamav")
    known = directory / "known"
    known.mkdir()
    (known / "test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
    socket, configuration = directory / "clamd.sock", directory / "clamd.conf"
    configuration.write_text(
        f"Foreground yes\nLocalSocket {socket}\nDatabaseDirectory {known}\nStreamMaxLength {LARGEST}\nSelfCheck 0\n"
    )
    with (directory / "log").open("w") as log:
        process = subprocess.Popen([str(CLAMD), "--config-file", configuration], stdout=log, stderr=log)
    try:
        eventually(socket.exists, within_s=60)
        yield socket
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def scanner(place: Path, settings: Any) -> None:
    settings.DOCUMENTS_SCANNER = f"unix://{place}"


@pytest.mark.usefixtures("scanner")
@pytest.mark.parametrize("pieces", [1, 7, 100_000])
def test_tells_what_is_infected_from_what_is_clean(pieces: int) -> None:
    content = b"A lease of 1907. " * 10_000 + EICAR
    chunks = [content[start : start + pieces] for start in range(0, len(content), pieces)]

    assert found_in(chunks) == "Test.Eicar.UNOFFICIAL"
    assert found_in([content[:-1]]) == found_in([]) == ""


@pytest.mark.usefixtures("scanner")
def test_says_that_something_is_too_large_for_it() -> None:
    with pytest.raises(TooLargeToScan):
        found_in([bytes(LARGEST)] * 20)


def test_that_is_not_there_says_nothing(tmp_path: Path, settings: Any) -> None:
    settings.DOCUMENTS_SCANNER = f"unix://{tmp_path / 'none.sock'}"

    with pytest.raises(ScannerUnavailable):
        found_in([b"some"])

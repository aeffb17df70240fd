"""The release before this one, out of the repository's own history: for who rehearses an upgrade."""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from core.base.errors import Refused
from core.local.servers import LOCAL, ROOT

# Before backups, alerts and a pooler came.
PREVIOUS = "6e592db670f755dee41304148e43e4ca4bf6178a"


class NoRelease(Refused):
    """The release before this one is not there."""

    code = "no_release"


def previous(commit: str = PREVIOUS) -> Path:
    """A folder with its code, which stays for the next time.

    Raises:
        NoRelease: the history does not go back so far, or there is no git.
    """
    code = LOCAL / f"release-{commit[:12]}"
    if not code.exists():
        half = code.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        with tarfile.open(fileobj=BytesIO(_archive(commit))) as archive:
            archive.extractall(half, filter="data")
        half.rename(code)
    return code


def _archive(commit: str) -> bytes:
    try:
        return subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607 - whichever git there is
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoRelease(f"Release {commit[:12]} cannot be had out of this repository's history: {error}") from error

"""`scripts/rebuild-index.sh`: where it finds Runsheet."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "rebuild-index.sh"

pytestmark = pytest.mark.process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with the script and nothing else."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    return tmp_path


def program(path: Path, says: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)


def run(folder: Path, *given: str) -> subprocess.CompletedProcess[str]:
    """In a shell that knows only what the test has put into `bin`, beside the system's own programs."""
    environment = {"PATH": f"{folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    script = folder / "scripts" / "rebuild-index.sh"
    return subprocess.run([script, *given], env=environment, capture_output=True, text=True, check=False)


def compose(folder: Path, *, container: str) -> None:
    program(folder / "bin" / "docker", f'[ "$2" = ps ] && {{ echo "{container}"; exit; }}\necho "$@"; exit 3')


class TestScript:
    def test_runs_in_the_container_that_has_the_files(self, folder: Path) -> None:
        compose(folder, container="abc")

        done = run(folder, "--mode", "sync")

        assert done.stdout == "compose exec -T worker-storage python manage.py rebuild_index --mode sync\n"
        assert done.returncode == 3, "its exit code is the command's"

    def test_runs_in_the_folder_s_own_python_where_no_container_is_up(self, folder: Path) -> None:
        compose(folder, container="")
        program(folder / ".venv" / "bin" / "python", 'echo "$@"; exit 1')

        done = run(folder, "--mode", "full", "--dry-run")

        assert (done.stdout, done.returncode) == ("manage.py rebuild_index --mode full --dry-run\n", 1)

    def test_says_what_to_do_where_it_finds_none(self, folder: Path) -> None:
        compose(folder, container="")

        done = run(folder)

        assert (done.returncode, done.stdout) == (2, "")
        assert 'Start it with "docker compose up --detach"' in done.stderr

    def test_explains_itself(self, folder: Path) -> None:
        done = run(folder, "--help")

        assert done.returncode == 0
        assert done.stdout.startswith("Usage: scripts/rebuild-index.sh")

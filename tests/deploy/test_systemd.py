"""The units of deploy/systemd/ are what systemd takes, run what everything else runs, and may do little."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.local.programs import MIGRATE, RECONCILER, Program, web, worker
from core.local.servers import ROOT
from statemachine.reactions import queues
from tests.core.settings.test_secrets import FILES
from tests.deploy.units import PYTHON, UNITS, names, unit

ANALYZE = shutil.which("systemd-analyze")
with_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="systemd-analyze is not on this machine: apt-get install systemd"
)
# In tenths of the 10.0 that a unit without any of it has.
EXPOSED_AT_MOST = 20
QUEUES = [queue for queue in queues() if queue != "toy"]
LASTING = {
    "runsheet-web.service": web(bind="127.0.0.1:8000"),
    "runsheet-reconciler.service": RECONCILER,
    **{f"runsheet-worker@{queue}.service": worker(count=4, queue=queue) for queue in QUEUES},
}
ONCE = {
    "runsheet-migrate.service": [("python", "manage.py", "collectstatic", "--no-input"), MIGRATE],
    "runsheet-backup.service": [("python", "manage.py", "backup", "/srv/backups")],
    "runsheet-verify-backup.service": [("python", "manage.py", "verify_backup", "/srv/backups")],
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a host, but for where Python lies."""
    shutil.copytree(UNITS, tmp_path / "units")
    for path in (tmp_path / "units").glob("*.service"):
        path.write_text(path.read_text().replace(PYTHON, f"{ROOT}/.venv/bin/python"))
    return tmp_path / "units"


def analyzed(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *words]
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{installed}:"}
    return subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)


@with_systemd
@pytest.mark.process
class TestSystemd:
    def test_takes_them_and_has_nothing_to_say(self, installed: Path) -> None:
        done = analyzed(installed, "--man=no", "verify", *names())

        assert (done.returncode, done.stderr + done.stdout) == (0, "")

    def test_would_say_what_is_wrong(self, installed: Path) -> None:
        with (installed / "runsheet-web.service").open("a") as file:
            file.write("[Service]\nProtectSystm=strict\n")

        assert "ProtectSystm" in analyzed(installed, "--man=no", "verify", "runsheet-web.service").stderr

    def test_finds_little_that_they_may(self, installed: Path) -> None:
        options = ("--offline=yes", f"--threshold={EXPOSED_AT_MOST}")

        done = analyzed(installed, "security", *options, *LASTING, *ONCE)

        assert done.returncode == 0, re.findall(r"→ .*", done.stdout)


@pytest.mark.skipif(
    shutil.which("systemctl") is None, reason="systemctl is not on this machine: apt-get install systemd"
)
@pytest.mark.process
class TestEnabled:
    @pytest.mark.parametrize("name", ["runsheet.target", *LASTING])
    def test_starts_with_the_host_by_itself(self, name: str, tmp_path: Path) -> None:
        """A host with some of the programs only does not start runsheet.target."""
        units = tmp_path / "etc/systemd/system"
        shutil.copytree(UNITS, units)

        subprocess.run(["systemctl", f"--root={tmp_path}", "enable", name], capture_output=True, check=True)

        links = [path.relative_to(units) for path in units.rglob("*") if path.is_symlink()]
        assert links == [Path("multi-user.target.wants") / name]


class TestUnits:
    def test_are_all_known_here(self) -> None:
        others = {"runsheet.target", "runsheet-backup.timer", "runsheet-verify-backup.timer"}

        assert set(names()) == {*LASTING, *ONCE, *others}

    @pytest.mark.parametrize("name", LASTING)
    def test_run_what_make_up_runs_for_as_long_as_it_takes_to_stop(self, name: str) -> None:
        program: Program = LASTING[name]
        found = unit(name)

        assert found.commands(found.environment(credentials="")) == [program.command]
        assert float(found.said("TimeoutStopSec")) == program.stop_s
        assert (found.said("Restart"), found.said("KillMode")) == ("always", "mixed")
        assert found.said("StartLimitIntervalSec", "Unit") == "0"

    @pytest.mark.parametrize("name", ONCE)
    def test_run_once_what_compose_runs_once(self, name: str) -> None:
        found = unit(name)

        assert found.commands(found.environment(credentials="")) == ONCE[name]
        assert (found.said("Type"), found.said("TimeoutStartSec")) == ("oneshot", "infinity")

    @pytest.mark.parametrize("name", LASTING)
    def test_wait_for_the_tables(self, name: str) -> None:
        found = unit(name).settings["Unit"]

        assert found["Requires"] == ["runsheet-migrate.service"]
        assert "runsheet-migrate.service" in found["After"][0].split()

    @pytest.mark.parametrize("name", [*LASTING, *ONCE])
    def test_hand_out_each_secret_as_a_file(self, name: str) -> None:
        found = unit(name)

        assert found.settings["Service"]["LoadCredential"] == [
            f"{each.lower()}:/etc/runsheet/secrets/{each.lower()}" for each in FILES
        ]
        told = found.environment(credentials="/run/credentials/x")
        assert {f"{each}_FILE": f"/run/credentials/x/{each.lower()}" for each in FILES}.items() <= told.items()

    @pytest.mark.parametrize("name", [*LASTING, *ONCE])
    def test_may_write_only_where_their_work_lies(self, name: str) -> None:
        found = unit(name)
        places = {
            "runsheet-web.service": ["/srv/documents"],
            "runsheet-worker@storage.service": ["/srv/documents"],
            "runsheet-backup.service": ["-/srv/backups"],
            "runsheet-migrate.service": ["/srv/runsheet/.local"],
        }

        assert found.said("ProtectSystem") == "strict"
        assert found.settings["Service"].get("ReadWritePaths", []) == places.get(name, [])

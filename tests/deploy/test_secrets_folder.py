"""`deploy/secrets` makes a folder with which production starts."""

import os
import subprocess
from pathlib import Path

import pytest

from core.local.servers import ROOT
from tests.core.settings.test_production import filled_in
from tests.core.settings.test_secrets import FILES
from tests.forking import Forks

pytestmark = pytest.mark.process
OF_OTHERS = {"grafana_password", "redis_admin_password"}
MADE_UP = {
    "database_password",
    "grafana_password",
    "metrics_token",
    "redis_password",
    "secret_key",
    "token_encryption_keys",
}


def made(folder: Path) -> str:
    """Makes it; what was said."""
    done = subprocess.run([ROOT / "deploy" / "secrets", folder], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout


class TestSecretsFolder:
    def test_has_a_file_for_each_and_what_can_be_made_up_in_it(self, tmp_path: Path) -> None:
        said = made(tmp_path / "secrets")

        found = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
        assert set(found) == {name.lower() for name in FILES} | OF_OTHERS
        assert {name for name, content in found.items() if content} == MADE_UP
        assert said == f"Now write the secret of your Dropbox app into {tmp_path}/secrets/dropbox_app_secret.\n"

    def test_lets_nobody_else_in(self, tmp_path: Path) -> None:
        made(tmp_path / "secrets")

        assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
        # Whoever runs in a container is another user, and gets each file by itself.
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o644}

    def test_stays_as_it_is_when_it_is_made_again(self, tmp_path: Path) -> None:
        made(tmp_path)
        (tmp_path / "dropbox_app_secret").write_text("of the app\n")
        before = {path.name: path.read_text() for path in tmp_path.iterdir()}

        said = made(tmp_path)

        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
        assert not said

    def test_is_never_the_same_again(self, tmp_path: Path) -> None:
        made(tmp_path / "one")
        made(tmp_path / "other")

        same = {
            name for name in MADE_UP if (tmp_path / "one" / name).read_text() == (tmp_path / "other" / name).read_text()
        }
        assert same == set()

    def test_is_enough_for_production(self, prepared: Forks, tmp_path: Path) -> None:
        made(tmp_path)
        (tmp_path / "dropbox_app_secret").write_text("of the app\n")
        given = {name: value for name, value in filled_in().items() if name not in FILES}
        given |= {
            "DATABASE_URL": "postgresql://runsheet@postgres:5432/runsheet",
            "REDIS_URL": "redis://redis:6379/0",
            "PATH": os.environ["PATH"],
            **{f"{name}_FILE": str(tmp_path / name.lower()) for name in FILES},
        }

        done = prepared.run("python", "manage.py", "check", "--deploy", environment=given)

        assert (done.returncode, done.stderr) == (0, "")

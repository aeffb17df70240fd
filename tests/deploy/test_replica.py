"""The script of deploy/postgres that keeps a replica, where it must not begin; bench/standby.py runs it for all other tests."""

import os
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from core.local.servers import ROOT

SCRIPT = ROOT / "deploy" / "postgres" / "replica"
COMPOSE = ROOT / "deploy" / "postgres" / "replica.yml"


def run(*given: str, programs: Path) -> "subprocess.CompletedProcess[str]":
    told = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    return subprocess.run([SCRIPT, *given], env=told, capture_output=True, text=True, check=False)


@pytest.mark.process
class TestScript:
    def test_says_what_it_wants_to_know(self, tmp_path: Path) -> None:
        ended = run("data", programs=tmp_path)

        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith("Say where its data lies")

    def test_leaves_alone_what_is_no_replica(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        data.mkdir()
        (data / "PG_VERSION").write_text("18")

        ended = run(str(data), "primary", "runsheet", programs=tmp_path)

        assert ended.returncode == 2
        assert "holds a PostgreSQL that is no replica" in ended.stderr
        assert [each.name for each in data.iterdir()] == ["PG_VERSION"]

    def test_does_not_take_half_a_copy_for_one(self, tmp_path: Path) -> None:
        (copy := tmp_path / "pg_basebackup").write_text('#!/bin/sh\nmkdir -p "$6" && touch "$6/PG_VERSION" && exit 1\n')
        copy.chmod(0o755)

        ended = run(str(tmp_path / "data"), "primary", "runsheet", programs=tmp_path)

        assert ended.returncode == 1
        assert not (tmp_path / "data").exists()

    def test_asks_with_the_password_of_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (copy := tmp_path / "pg_basebackup").write_text('#!/bin/sh\necho "$PGPASSWORD" >&2\nexit 1\n')
        copy.chmod(0o755)
        (tmp_path / "password").write_text("p@ss word\n")
        monkeypatch.setenv("PASSWORD_FILE", str(tmp_path / "password"))

        assert run(str(tmp_path / "data"), "primary", "runsheet", programs=tmp_path).stderr == "p@ss word\n"


class TestCompose:
    def test_runs_the_script_that_is_mounted(self) -> None:
        services = YAML(typ="safe").load(COMPOSE)["services"]
        replica = services["postgres-replica"]
        folder, script = replica["command"][0].rsplit("/", 1)

        assert f"./deploy/postgres:{folder}:ro" in replica["volumes"]
        assert os.access(SCRIPT.parent / script, os.X_OK)
        assert set(services["postgres"]["volumes"]) <= set(replica["volumes"])
        assert replica["image"] == YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]["postgres"]["image"]

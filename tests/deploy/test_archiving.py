"""The write-ahead log is archived, and the database restored as it was at a moment: by the scripts of deploy/postgres."""

import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from core.local import servers
from core.local.processes import child_environment
from core.local.servers import ServerUrls
from tests.deploy.archiving import ARCHIVING, SCRIPTS, Archived, Scripts, ask, eventually
from tests.forking import Forks

MAKE = """
from django.contrib.auth.models import User
from documents.services import uploads
from leases.models import Lease
user = User.objects.create_superuser("olivia")
Lease.objects.create(agency="BLM", lease_number="NMNM 1", created_by=user)
uploads.store(by=user, name="first.txt", chunks=[b"first"], length=5)
"""
RUIN = """
from django.contrib.auth.models import User
from documents.services import uploads, writing
from leases.models import Lease
uploads.store(by=User.objects.get(), name="second.txt", chunks=[b"second"], length=6)
writing.write_owed(lasts_s=10)  # as a worker does at once
Lease.objects.all().delete()
"""
LOOK = """
import gzip
import json
from documents.models import Document
from leases.models import Lease
names = Document.objects.order_by("name").values_list("name", flat=True)
print(json.dumps({"documents": list(names), "leases": Lease.objects.count()}))
"""

pytestmark = [pytest.mark.process, pytest.mark.long]


@pytest.fixture
def archived(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archived]:
    """One that has not started yet."""
    directory = Path(tempfile.mkdtemp(prefix="archiving-", dir=servers.LOCAL))
    directory.chmod(0o755)  # for PostgreSQL's user
    monkeypatch.delenv("DATABASE_URL")  # or no server would start
    try:
        found = Archived(directory)
        with found.running("first"):
            pass
        with (directory / "first" / "postgres" / "postgresql.conf").open("a") as file:
            file.write(ARCHIVING.format(archive=found.archive, scripts=SCRIPTS))
        found.give_to_postgres(found.archive)
        yield found
    finally:
        shutil.rmtree(directory)


class Runsheet:
    """Its commands, on a database."""

    def __init__(self, url: str, redis_url: str, documents: Path, prepared: Forks) -> None:
        self._environment = child_environment(
            ServerUrls(database_url=url, redis_url=redis_url), DOCUMENTS_DIRECTORY=str(documents)
        )
        self._prepared = prepared

    def __call__(self, *command: str, code: int = 0) -> str:
        ended = self._prepared.run("python", "manage.py", *command, environment=self._environment)
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    def found(self) -> Any:
        """The documents and leases that it has."""
        return json.loads(self("shell", "--no-imports", "-c", LOOK))

    def archive(self) -> Any:
        """What the doctor says of it."""
        found = json.loads(self("doctor", "--json", code=1))
        return next(each for each in found["findings"] if each["part"] == "Log archive")


def test_all_is_as_it_was_at_a_moment_and_later_documents_come_back(
    archived: Archived, prepared: Forks, tmp_path: Path, settings: Any
) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    with archived.running("first") as url:
        runsheet = Runsheet(url, settings.REDIS_URL, documents, prepared)
        runsheet("migrate", "--verbosity", "0")
        assert archived.base(url).returncode == 0
        runsheet("shell", "-c", MAKE)
        moment = str(ask(url, "SELECT clock_timestamp()::timestamptz(0) + interval '1 second'"))
        eventually(url, f"SELECT clock_timestamp() > '{moment}'")
        runsheet("shell", "-c", RUIN)
        assert runsheet.found() == {"documents": ["first.txt", "second.txt"], "leases": 0}
        archive_all(url)

    archived.go_back(moment)
    assert (archived.directory / "first" / "before" / "PG_VERSION").exists()
    with archived.running("first") as url:
        runsheet = Runsheet(url, settings.REDIS_URL, documents, prepared)
        assert runsheet.found() == {"documents": ["first.txt"], "leases": 1}
        runsheet("rebuild_index", "--mode", "sync", code=1)
        assert runsheet.found() == {"documents": ["first.txt", "second.txt"], "leases": 1}


def archive_all(url: str) -> None:
    """That was written until now."""
    ask(url, "SELECT pg_create_restore_point('until here')")  # what holds nothing is not archived
    last = ask(url, "SELECT pg_walfile_name(pg_switch_wal())")
    eventually(url, f"SELECT last_archived_wal >= '{last}' FROM pg_stat_archiver")


def test_what_no_base_backup_needs_is_given_up(archived: Archived) -> None:
    with archived.running("first") as url:
        first, second = [archived.base(url, kept="1") for _ in range(2)]

    (base,) = (archived.archive / "base").iterdir()
    assert (first.returncode, second.returncode) == (0, 0)
    assert base.name in second.stdout
    label = subprocess.run(
        ["tar", "-xzOf", str(base / "base.tar.gz"), "backup_label"], capture_output=True, text=True, check=True
    ).stdout
    needed = re.search(r"\(file (\w+)\)", label)
    logs = sorted(each.stem for each in archived.logs.glob("????????????????????????.gz"))
    assert needed
    assert logs[0] == needed[1]


def test_a_damaged_base_backup_is_not_restored(archived: Archived) -> None:
    with archived.running("first") as url:
        assert archived.base(url).returncode == 0
    (base,) = (archived.archive / "base").iterdir()
    directory = archived.directory / "second"
    for harm in (_other_content, _shorter_list, _shorter):
        whole = {each: each.read_bytes() for each in base.iterdir()}
        harm(base)

        ended = archived("restore", str(directory), "latest")

        assert (ended.returncode, ended.stdout) == (2, ""), harm
        assert f"Base backup {base.name} is damaged" in ended.stderr
        assert list(directory.iterdir()) == []
        for path, content in whole.items():
            path.write_bytes(content)


def _other_content(base: Path) -> None:
    packed = base / "base.tar.gz"
    packed.write_bytes(
        gzip.compress(gzip.decompress(packed.read_bytes()).replace(b"\n# TYPE  DATABASE", b"\n# TYPE  DATABAES"), 1)
    )


def _shorter_list(base: Path) -> None:
    """Of which nobody can tell what is missing."""
    manifest = base / "backup_manifest"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if '"Path": "base/' not in line))


def _shorter(base: Path) -> None:
    packed = base / "base.tar.gz"
    packed.write_bytes(packed.read_bytes()[:-1_000_000])


def test_a_server_says_that_its_log_cannot_be_archived(
    archived: Archived, prepared: Forks, tmp_path: Path, settings: Any
) -> None:
    away = archived.logs.rename(archived.archive / "away")
    with archived.running("first") as url:
        runsheet = Runsheet(url, settings.REDIS_URL, tmp_path, prepared)
        ask(url, "SELECT pg_switch_wal()")
        eventually(url, "SELECT failed_count > 0 FROM pg_stat_archiver")
        broken = runsheet.archive()
        away.rename(archived.logs)
        archive_all(url)
        mended = runsheet.archive()

    assert (broken["mark"], broken["seen"]) == ("wrong", "the log cannot be archived; nothing yet")
    assert mended["mark"] == "ok"
    assert mended["seen"].startswith("the log is archived; the last file 20")


@pytest.fixture
def alone(tmp_path: Path) -> Scripts:
    """Without a server."""
    return Scripts(tmp_path)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """As by a script that is at it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class TestArchive:
    def test_takes_the_same_again_and_nothing_else(self, alone: Scripts) -> None:
        log = alone.directory / "segment"
        log.write_bytes(b"log" * 1000)
        assert alone("archive", str(log), "0001").returncode == 0
        assert alone("archive", str(log), "0001").returncode == 0

        log.write_bytes(b"another" * 1000)
        refused = alone("archive", str(log), "0001")

        assert refused.returncode == 1
        assert "this one is another server's" in refused.stderr
        assert gzip.decompress((alone.logs / "0001.gz").read_bytes()) == b"log" * 1000
        assert [each.name for each in alone.logs.iterdir()] == ["0001.gz"]

    def test_half_of_one_is_not_taken_for_it(self, alone: Scripts) -> None:
        log = alone.directory / "segment"
        log.write_bytes(b"log")
        (alone.logs / "0001.gz.new").write_bytes(b"hal")

        assert alone("archive", str(log), "0001").returncode == 0
        assert gzip.decompress((alone.logs / "0001.gz").read_bytes()) == b"log"


class TestRefusals:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ((), "Say which directory, and which time"),
            (("new", "2026-01-31 14:05:00"), "is no time with its zone"),
            (("new", "2026-13-31 14:05:00+00"), "“2026-13-31 14:05:00+00” is no time."),
            (("new", "2026-01-31 14:05:00+00"), "There is no base backup"),
            (("new", "latest"), "There is no base backup"),
            (("archive", "latest"), "is not empty. Name another one"),
        ],
    )
    def test_say_what_to_do(self, alone: Scripts, given: tuple[str, ...], said: str) -> None:
        directory = [str(alone.directory / each) for each in given[:1]]

        ended = alone("restore", *directory, *given[1:])

        assert (ended.returncode, ended.stdout) == (2, "")
        assert said in ended.stderr
        assert not (alone.directory / "new").exists()

    def test_a_base_backup_that_is_not_there(self, alone: Scripts) -> None:
        ended = alone("restore", str(alone.directory / "new"), "latest", BASE_BACKUP="20260101T000000Z")

        assert ended.returncode == 2
        assert "is damaged, or is not there" in ended.stderr

    def test_a_base_backup_beside_one_that_is_still_to_come(self, alone: Scripts) -> None:
        (alone.archive / "base" / "20990101T000000Z").mkdir()

        ended = alone("base")

        assert ended.returncode == 2
        assert "20990101T000000Z is of a time that is still to come" in ended.stderr

    def test_a_second_base_backup_beside_the_first(self, alone: Scripts) -> None:
        others = alone.archive / "base" / "new.1"
        others.mkdir()
        with held(alone.archive / "base"):
            ended = alone("base")
            assert others.exists()

        assert ended.returncode == 2
        assert "Another base backup is being made" in ended.stderr

    def test_what_a_base_backup_has_left_that_was_killed_goes(self, alone: Scripts) -> None:
        (alone.archive / "base" / "new.1").mkdir()

        alone("base", "--host", str(alone.directory))  # where no server is

        assert list((alone.archive / "base").iterdir()) == []

    @pytest.mark.parametrize("kept", ["0", "-1", "two", "1.5"])
    def test_a_number_that_is_none(self, alone: Scripts, kept: str) -> None:
        ended = alone("base", BASE_BACKUPS_KEPT=kept)

        assert ended.returncode == 2
        assert f"BASE_BACKUPS_KEPT is “{kept}”" in ended.stderr


class TestCompose:
    def test_archives_beside_what_it_does_anyway(self) -> None:
        usual, archives = (
            YAML(typ="safe").load(servers.ROOT / each)["services"]["postgres"]
            for each in ("docker-compose.yml", "deploy/postgres/archiving.yml")
        )

        assert archives["command"][: len(usual["command"])] == usual["command"]
        told = dict(each.split("=", 1) for each in archives["command"][len(usual["command"]) :] if each != "-c")
        assert set(told) == {"archive_mode", "archive_command", "archive_timeout"}
        folder, script = told["archive_command"].split()[0].rsplit("/", 1)
        assert f"./deploy/postgres:{folder}:ro" in archives["volumes"]
        assert os.access(SCRIPTS / script, os.X_OK)

"""What others have written is read with suspicion: keys, lists, manifests, names of places, versions of programs."""

import stat
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.db import connection

from core.backups import age, manifest, postgres
from core.backups.errors import BackupDamaged, BackupFailed, BackupRefused
from core.backups.lists import KeptBlob, items
from core.backups.place import Place, place_of
from storage.backends.local import LocalStorage

NAME = "ab" * 32
LINE = f'{{"name":"{NAME}","size":3,"sha256":"{NAME}"}}\n'.encode()


class TestAge:
    @pytest.fixture
    def identity(self) -> Any:
        return pyrage.x25519.Identity.generate()

    def test_opens_what_it_has_sealed(self, identity: Any) -> None:
        content = [b"a" * 100_000, b"b"]

        sealed = b"".join(age.sealed(content, [age.public_of(identity)]))

        assert b"aaaa" not in sealed
        assert b"".join(age.opened([sealed], [identity], is_sealed=True)) == b"".join(content)

    @pytest.mark.parametrize("harm", [lambda it: it[:-1], lambda it: it[:-1] + b"x", lambda _: b"", lambda it: it[9:]])
    def test_says_that_it_is_damaged(self, identity: Any, harm: Any) -> None:
        sealed = b"".join(age.sealed([b"a" * 100_000], [age.public_of(identity)]))

        with pytest.raises(BackupDamaged, match="cannot be decrypted"):
            list(age.opened([harm(sealed)], [identity], is_sealed=True))

    def test_reads_identities_and_repeats_none(self, identity: Any, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text(f"# a comment\n\n{identity}\n")
        assert [str(each) for each in age.identities(str(path))] == [str(identity)]

        path.write_text("AGE-SECRET-KEY-1WRONG\n")
        with pytest.raises(BackupRefused) as refused:
            age.identities(str(path))
        assert "WRONG" not in str(refused.value)
        path.write_text("# nothing\n")
        with pytest.raises(BackupRefused, match="holds no AGE-SECRET-KEY"):
            age.identities(str(path))
        with pytest.raises(BackupRefused, match="cannot be read"):
            age.identities(str(tmp_path / "none"))


class TestLists:
    def test_are_read_whole_whatever_the_pieces(self) -> None:
        assert [each.name for each in items(KeptBlob, [LINE[:5], LINE[5:] + LINE[:1], LINE[1:]])] == [NAME, NAME]

    @pytest.mark.parametrize("content", [LINE[:-1], b"{}\n", b"nonsense\n", b"x" * 100_000])
    def test_are_damaged(self, content: bytes) -> None:
        with pytest.raises(BackupDamaged):
            list(items(KeptBlob, [content]))


class TestManifest:
    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": 1}'])
    def test_that_says_nothing_is_damaged(self, content: bytes) -> None:
        with pytest.raises(BackupDamaged):
            manifest.read(content)

    def test_of_a_newer_runsheet_is_refused(self) -> None:
        with pytest.raises(BackupRefused, match="Upgrade Runsheet"):
            manifest.read(b'{"format": 2}')


class TestPlace:
    @pytest.mark.parametrize("text", ["ftp://host/backups", "s3://", "/no/such/directory", "", " "])
    def test_that_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(BackupRefused):
            place_of(text)

    def test_may_be_a_part_of_a_bucket(self, settings: Any) -> None:
        settings.BACKUP_S3 = {"endpoint_url": "http://127.0.0.1:9", "region": "us-east-1"}

        assert place_of("s3://bucket/some/where/").name == "s3:http://127.0.0.1:9/bucket/some/where"

    def test_that_is_full_is_not_the_documents_disk(self, tmp_path: Path) -> None:
        place = Place(LocalStorage(directory=str(tmp_path), free_bytes=10**18))

        with pytest.raises(BackupFailed, match="There is no room left"):
            place.put("a", [b"a"])

    def test_knows_no_backup_of_such_a_name(self, tmp_path: Path) -> None:
        with pytest.raises(BackupRefused, match=r"There is no backup '\.\./x'"):
            Place(LocalStorage(directory=str(tmp_path))).manifest("../x")


@pytest.mark.django_db
class TestReaching:
    def test_tells_the_password_to_nobody_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connection.settings_dict, "PASSWORD", "the-password")
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "sslpassword", "of-a-key")
        monkeypatch.setenv("PGSSLMODE", "disable")

        with postgres.reaching() as environment:
            service = Path(environment["PGSERVICEFILE"])
            text, mode = service.read_text(), service.parent.stat().st_mode & 0o777

        assert (environment["PGPASSWORD"], "the-password" in text, mode) == ("the-password", False, 0o700)
        assert f"dbname={connection.settings_dict['NAME']}\n" in text
        assert "sslpassword=of-a-key\n" in text
        assert "PGSSLMODE" not in environment
        assert not service.exists()


@pytest.mark.process
class TestPrograms:
    def test_are_the_oldest_that_will_do(self, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        folders = [_programs(tmp_path, each) for each in ("18.4", "16.1", "15.2")]
        monkeypatch.setattr(postgres, "_folders", lambda: folders)

        assert postgres.programs(least=16).version == "16.1"
        with pytest.raises(BackupRefused, match=r"PostgreSQL 19 or later are needed; found: 18\.4 in"):
            postgres.programs(least=19)

    def test_are_looked_for_where_the_setting_says(self, tmp_path: Path, settings: Any) -> None:
        settings.BACKUP_POSTGRES_BIN = str(_programs(tmp_path, "17.0"))

        assert postgres.programs(least=1).version == "17.0"


def _programs(folder: Path, version: str) -> Path:
    """What says that it is of that version."""
    there = folder / version
    there.mkdir()
    for name in postgres.NEEDED:
        (there / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (there / name).chmod(stat.S_IRWXU)
    return there

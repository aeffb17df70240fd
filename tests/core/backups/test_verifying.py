"""A backup is whole, or it is said what of it is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.contrib.auth.models import User

from tests.core.backups.conftest import command
from tests.core.backups.rows import all_rows
from tests.documents.making import PDF, Files, digest, stored
from tests.pooler import itself

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, itself, pytest.mark.usefixtures("alone")]


@pytest.fixture
def backup(opal: User, place: Path) -> Path:
    """The folder of one."""
    stored(opal)
    return place / "backups" / str(command("backup", place, "--json").said["manifest"]["id"])


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with a private key; the public one is `public_of` it."""
    path = tmp_path / "key.txt"
    identity = pyrage.x25519.Identity.generate()
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    return path


def public_of(key: Path) -> str:
    return key.read_text().split()[3]


class TestWhole:
    def test_is_said_with_the_keys(self, backup: Path, place: Path) -> None:
        ended = command("verify_backup", place)

        assert (ended.code, ended.errors) == (0, "")
        assert f"Backup {backup.name} is whole" in ended.out
        assert "Needs TOKEN_ENCRYPTION_KEYS" in ended.out

    def test_says_which_key_is_not_here(self, backup: Path, place: Path, settings: Any) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = ["YW5vdGhlci1vbmUtYW5vdGhlci1vbmUtYW5vdGhlcjE="]

        ended = command("verify_backup", place, "--json")

        assert (ended.code, list(ended.said["lacking"])) == (1, ["TOKEN_ENCRYPTION_KEYS"])


class TestDamaged:
    def test_is_told_by_what_it_is(self, backup: Path, place: Path) -> None:
        blob = place / "blobs" / digest(PDF)[:2] / digest(PDF)
        blob.write_bytes(PDF.replace(b"A deed", b"B deed"))

        ended = command("verify_backup", place)

        assert ended.code == 2
        assert f"blobs/{digest(PDF)[:2]}/{digest(PDF)} is not what was written there" in ended.errors

    def test_is_mended_by_a_backup_that_trusts_no_earlier_one(self, backup: Path, place: Path) -> None:
        for blob in (each for each in (place / "blobs").rglob("*") if each.is_file()):
            blob.write_bytes(blob.read_bytes().replace(b"A deed", b"B deed"))

        assert "backup --reread" in command("verify_backup", place).errors
        assert (command("backup", place, "--reread").code, command("verify_backup", place).code) == (0, 0)

    def test_is_a_content_that_is_gone(self, backup: Path, place: Path) -> None:
        (place / "blobs" / digest(PDF)[:2] / digest(PDF)).unlink()

        assert "is not there any more" in command("verify_backup", place).errors

    @pytest.mark.parametrize("part", ["database", "files", "blobs"])
    def test_is_a_part_of_which_a_byte_is_another(self, backup: Path, place: Path, part: str) -> None:
        content = bytearray((backup / part).read_bytes())
        content[len(content) // 2] ^= 1
        (backup / part).write_bytes(content)

        ended = command("verify_backup", place)

        assert (ended.code, f"{part} is not what was written there" in ended.errors) == (2, True)

    def test_is_a_dump_with_other_rows(self, backup: Path, place: Path) -> None:
        manifest = backup / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"documents_document": 1', '"documents_document": 2'))

        assert "has not as many rows as there were, in: documents_document" in command("verify_backup", place).errors

    def test_is_a_manifest_that_cannot_be_read(self, backup: Path, place: Path) -> None:
        (backup / "manifest.json").write_text("{")

        assert (command("verify_backup", place).code, command("backup", place).code) == (2, 0)

    def test_is_a_list_that_lacks_a_file_as_the_manifest_may_not_tell(
        self, backup: Path, place: Path, files: Files
    ) -> None:
        manifest, listed = backup / "manifest.json", backup / "files"
        said = json.loads(manifest.read_text())
        listed.write_bytes(b"")
        said["parts"]["files"] = {"size": 0, "sha256": digest(b"")}
        manifest.write_text(json.dumps(said))

        verified, restored = command("verify_backup", place), command("restore", place, "--replace")

        assert (verified.code, restored.code) == (2, 2)
        assert "0 files of 0 bytes are listed, and should be 1 of" in verified.errors
        assert "lists 0 files, and should 1" in restored.errors

    def test_is_one_among_others_that_are_told(self, backup: Path, place: Path) -> None:
        other = command("backup", place, "--json").said["manifest"]["id"]
        (backup / "manifest.json").write_text("{}")

        ended = command("verify_backup", place, "--list")

        assert (ended.code, ended.out.split()[0]) == (2, other)
        assert f"{backup.name}: The manifest cannot be used" in ended.errors

    def test_says_nothing_to_a_terminal_but_words(self, backup: Path, place: Path) -> None:
        manifest = backup / "manifest.json"
        manifest.write_text(manifest.read_text().replace("SECRET_KEY", "\\u001b]0;owned\\u0007"))

        for ended in (command("verify_backup", place), command("restore", place, "--replace")):
            assert "owned" in ended.out + ended.errors
            assert "\x1b" not in ended.out + ended.errors


class TestEncrypted:
    def test_tells_nobody_what_it_holds(self, opal: User, place: Path, key: Path) -> None:
        stored(opal, b"the secret word")

        assert command("backup", place, "--recipient", public_of(key)).code == 0

        found = b"".join(each.read_bytes() for each in place.rglob("*") if each.is_file())
        names = {each.name for each in place.rglob("*")}
        assert b"secret word" not in found
        assert b"/documents/" not in found
        assert digest(b"the secret word") not in names

    def test_is_compared_without_its_key_and_opened_with_it(self, opal: User, place: Path, key: Path) -> None:
        stored(opal)
        command("backup", place, "--recipient", public_of(key))

        outside, inside = command("verify_backup", place), command("verify_backup", place, "--identity", key)

        assert (outside.code, "was not looked inside" in outside.out) == (0, True)
        assert (inside.code, "was not looked inside" in inside.out) == (0, False)

    def test_is_restored_with_its_key_only(
        self, opal: User, files: Files, place: Path, key: Path, index: Callable[[str], Any]
    ) -> None:
        stored(opal)
        index("sync")
        before, lying = all_rows(), files.all()
        command("backup", place, "--recipient", public_of(key))
        shutil.rmtree(files.directory)
        files.directory.mkdir()

        other = key.with_name("other")
        other.write_text(str(pyrage.x25519.Identity.generate()))
        refused = command("restore", place, "--replace")
        assert command("verify_backup", place, "--identity", other).code == 3
        ended = command("restore", place, "--replace", "--identity", key)

        assert (refused.code, "Name the file with the private key" in refused.errors) == (3, True)
        assert ended.code == 0, ended.errors
        assert all_rows() == before
        assert lying.items() <= files.all().items()

    def test_is_made_again_without_copying(self, opal: User, place: Path, key: Path) -> None:
        stored(opal)
        command("backup", place, "--recipient", public_of(key))

        again = command("backup", place, "--recipient", public_of(key), "--json").said
        plain = command("backup", place, "--unencrypted", "--json").said

        assert (again["added"]["count"], plain["added"]["count"]) == (0, 1)

    def test_is_followed_by_none_that_is_not_unless_somebody_says_so(self, opal: User, place: Path, key: Path) -> None:
        command("backup", place, "--recipient", public_of(key))
        before = sorted(place.rglob("*"))

        forgotten, both = command("backup", place), command("backup", place, "--unencrypted", "--recipient", "age1")

        assert (forgotten.code, "Set BACKUP_RECIPIENTS again" in forgotten.errors) == (3, True)
        assert (both.code, "only one of them" in both.errors) == (3, True)
        assert sorted(place.rglob("*")) == before

    def test_is_refused_with_what_is_no_public_key_and_repeats_no_private_one(
        self, opal: User, place: Path, key: Path
    ) -> None:
        private = key.read_text().split()[4]

        ended = command("backup", place, "--recipient", private)

        assert (ended.code, "has to be a public key of age's" in ended.errors, private in ended.errors) == (
            3,
            True,
            False,
        )

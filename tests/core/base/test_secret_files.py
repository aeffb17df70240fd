"""A secret comes in a variable or in a file, and what cannot be read stops the start with one sentence."""

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.base.secret_files import LARGEST_BYTES, secret

NAME = "RUNSHEET_TEST_VALUE"


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The one that the environment names; it is not there yet."""
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
    return tmp_path / "secret"


class TestSecret:
    def test_is_the_value_of_the_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "x")
        monkeypatch.setenv(f"{NAME}_FILE", "")

        assert secret(NAME) == "x"

    @pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
    def test_is_what_stands_in_the_file_without_the_end_of_its_line(self, file: Path, end: str) -> None:
        file.write_text(f"a secret\nof two lines{end}", newline="")

        assert secret(NAME) == "a secret\nof two lines"

    @pytest.mark.parametrize("content", [b"", b"\n"])
    def test_may_be_missing(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)

        assert not secret(NAME)
        assert not secret("RUNSHEET_ANOTHER_TEST_VALUE")

    def test_may_stand_in_the_variable_while_the_file_is_empty(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.touch()
        monkeypatch.setenv(NAME, "x")

        assert secret(NAME) == "x"


class TestWhatCannotBeMeant:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (None, "No such file or directory"),
            (b"\xff", "it is no text"),
            (b"x" * (LARGEST_BYTES + 1), "it has more than 100,000 bytes, which no secret has"),
        ],
    )
    def test_is_a_file_that_is_none(self, file: Path, content: bytes | None, reason: str) -> None:
        if content is not None:
            file.write_bytes(content)

        with pytest.raises(ImproperlyConfigured) as refusal:
            secret(NAME)

        assert str(refusal.value) == f"{NAME}_FILE names {file}, which cannot be read: {reason}."

    def test_is_a_folder(self, file: Path) -> None:
        file.mkdir()

        with pytest.raises(ImproperlyConfigured, match=r"which cannot be read: Is a directory\.$"):
            secret(NAME)

    def test_is_a_pipe_into_which_nobody_writes(self, file: Path) -> None:
        os.mkfifo(file)

        with pytest.raises(
            ImproperlyConfigured, match=r"which cannot be read: it is no file, but a pipe or the like\.$"
        ):
            secret(NAME)

    def test_is_a_variable_beside_it(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text("another")
        monkeypatch.setenv(NAME, "s3cret")

        with pytest.raises(ImproperlyConfigured) as refusal:
            secret(NAME)

        assert str(refusal.value) == f"{NAME} and {NAME}_FILE are both set; only one of them can be meant."

"""Directories for tests, and what `os.walk` says of them: the oracle."""

import os
import shutil
from pathlib import Path
from typing import Any

# Long enough ago that no directory counts as just changed.
LONG_AGO_NS = 1_700_000_000_123_456_789


class Tree:
    """What lies in a root."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, *keys: str, text: str = "text", at_ns: int | None = None) -> None:
        for key in keys:
            where = self.path / key
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text)
            if at_ns:
                os.utime(where, ns=(at_ns, at_ns))

    def fill(self, directory: str, count: int) -> None:
        where = self.path / directory
        where.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            os.mknod(f"{where}/{number:06d}")  # opening each takes four times as long

    def remove(self, *keys: str) -> None:
        for key in keys:
            where = self.path / key
            shutil.rmtree(where) if where.is_dir() and not where.is_symlink() else where.unlink()

    def move(self, old: str, new: str) -> None:
        (self.path / new).parent.mkdir(parents=True, exist_ok=True)
        (self.path / old).rename(self.path / new)

    def link(self, key: str, target: str) -> None:
        (self.path / key).symlink_to(target)

    def settle(self) -> None:
        """Let all directories have been changed long ago."""
        for above, _, _ in os.walk(self.path):
            os.utime(above, ns=(LONG_AGO_NS, LONG_AGO_NS))

    def oracle(self) -> dict[str, tuple[Any, ...]]:
        """Key to size, time and whether it is a directory, as Python's own walk sees it."""
        found: dict[str, tuple[Any, ...]] = {}
        for above, directories, files in os.walk(self.path):
            for name in [*directories, *files]:
                where = Path(above, name)
                if where.is_symlink() or not (where.is_dir() or where.is_file()):
                    continue
                key = str(where.relative_to(self.path))
                try:
                    key.encode()
                except UnicodeEncodeError:
                    continue
                said = where.stat()
                if where.is_dir():
                    found[f"{key}/"] = (0, said.st_mtime_ns, True)
                elif not key.startswith(".runsheet-"):
                    found[key] = (said.st_size, said.st_mtime_ns, False)
        return found

"""The units of deploy/systemd/, read as systemd reads them: each with what lies beside it."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.local.servers import ROOT

UNITS = ROOT / "deploy" / "systemd"
PYTHON = "/srv/runsheet/.venv/bin/python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit, as it is after all that changes it.

    Attributes:
        settings: what is said under each section's name and key, in order.
    """

    settings: Mapping[str, Mapping[str, list[str]]]
    instance: str

    def said(self, key: str, section: str = "Service") -> str:
        """What is said last."""
        return self.settings[section][key][-1]

    def environment(self, **given: str) -> dict[str, str]:
        """What a program is told, with what the environment file says.

        Args:
            given: what the environment file says, which wins; `credentials` is the folder with the secrets.
        """
        folder = given.pop("credentials")
        lines = [line.replace("%d", folder) for line in self.settings["Service"].get("Environment", [])]
        return dict(line.split("=", 1) for line in lines) | given

    def commands(self, environment: Mapping[str, str]) -> list[tuple[str, ...]]:
        """In order, word for word, but for where Python lies."""
        found = []
        for line in self.settings["Service"]["ExecStart"]:
            told = re.sub(r"\$\{(\w+)\}", lambda name: environment[name[1]], line.replace("%i", self.instance))
            found.append(tuple("python" if word == PYTHON else word for word in shlex.split(told)))
        return found


def unit(name: str) -> Unit:
    """That of a name, such as runsheet-worker@storage.service."""
    settings: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in _files(name):
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                settings[section][key].append(value)
    return Unit(settings=settings, instance=name.partition("@")[2].partition(".")[0])


def names() -> list[str]:
    """All of them, a pool of workers once for each queue that the target names."""
    found = [path.name for path in UNITS.iterdir() if path.is_file() and "@" not in path.name]
    return sorted({*found, *unit("runsheet.target").said("Wants", "Unit").split()})


def _files(name: str) -> Iterator[Path]:
    kind = name.rpartition(".")[2]
    template = re.sub("@[^.]*", "@", name)
    yield UNITS / template
    dropped = {f"runsheet-.{kind}.d", f"{template}.d", f"{name}.d"} if name.startswith("runsheet-") else {f"{name}.d"}
    yield from sorted((path for each in dropped for path in (UNITS / each).glob("*.conf")), key=lambda path: path.name)

"""`python -m bench.index`: how long runs of the storage's index take; see the README in this folder."""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.stage import SECRETS, own_servers
from core.local.processes import child_environment, run
from core.local.programs import MIGRATE
from core.local.servers import LOCAL

DIRECTORY = LOCAL / "bench-index"
TREES = LOCAL / "bench-index-trees"
USERS, PER_DIRECTORY = 10, 1_000
SMALL, LARGE = 100_000, 1_000_000
# What is measured in a process of its own, so that each tells its own memory.
PARTS = ("first", "audit", "incremental", "changed", "objects", "told", "told_delta")


def plant(files: int) -> Path:
    """So many files, a thousand in each directory, unless they lie there already."""
    top = TREES / str(files)
    if (top / "whole").exists():
        return top / "root"
    shutil.rmtree(top, ignore_errors=True)
    for number in range(files // PER_DIRECTORY):
        directory = top / "root" / str(number % USERS + 1) / f"folder {number // USERS:05}"
        directory.mkdir(parents=True)
        opened = os.open(directory, os.O_RDONLY)
        for scan in range(PER_DIRECTORY):
            file = os.open(f"scan-{scan:06}.pdf", os.O_WRONLY | os.O_CREAT, dir_fd=opened)
            os.ftruncate(file, 1_000 + scan)
            os.close(file)
        os.close(opened)
    (top / "whole").touch()
    return top / "root"


@contextmanager
def stage() -> Iterator[None]:
    """PostgreSQL and Valkey as durable as in production, and tables; nothing else runs."""
    with own_servers(DIRECTORY) as urls:
        settings = {"DOCUMENTS_DIRECTORY": str(DIRECTORY / "documents")}
        environment = child_environment(
            urls, DROPBOX_BASE_URL="http://127.0.0.1:9", settings_module="core.settings.production"
        )
        os.environ.update(SECRETS | environment | settings)
        run(MIGRATE, environment=dict(os.environ))
        yield


def apart(part: str, files: int) -> dict[str, float]:
    """A part, measured in a process of its own."""
    command = [sys.executable, "-m", "bench.index", "--part", part, "--files", str(files)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def measured(part: str, files: int) -> dict[str, float]:
    """What a part comes to, in this process; Django is not ready yet."""
    import django  # noqa: PLC0415 - once the environment names the servers

    django.setup()
    from bench import index_parts  # noqa: PLC0415

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = perf_counter()
    told: Mapping[str, float] = getattr(index_parts, part)(TREES / str(files) / "root")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": perf_counter() - began, "before_bytes": before * 1024, "peak_bytes": peak * 1024, **told}


def figures() -> dict[str, Any]:
    """All that the index has to show, one after the other."""
    load = os.getloadavg()[0]
    for files in (SMALL, LARGE):
        plant(files)
    with ExitStack() as stack:
        stack.enter_context(stage())
        small, audit = apart("first", SMALL), apart("audit", SMALL)
        large, same = apart("first", LARGE), apart("audit", LARGE)
        incremental, changed = apart("incremental", LARGE), apart("changed", LARGE)
        objects = apart("objects", SMALL)
        told_small, told_large, delta = apart("told", SMALL), apart("told", LARGE), apart("told_delta", LARGE)
    return {
        "first_sync_100k_s": small["run_s"],
        "first_sync_1m_s": large["run_s"],
        "audit_100k_s": audit["run_s"],
        "no_change_1m_s": same["run_s"],
        "incremental_1m_s": incremental["run_s"],
        "changed_10_percent_1m_s": changed["run_s"],
        "memory_growth_bytes": max(large["peak_bytes"] - small["peak_bytes"], same["peak_bytes"] - audit["peak_bytes"]),
        "statements_per_5000_rows": changed["statements_per_5000_rows"],
        "s3_audit_100k_ratio": objects["ratio"],
        "told_first_1m_s": told_large["run_s"],
        "told_delta_10k_of_1m_s": delta["run_s"],
        "told_memory_growth_bytes": told_large["peak_bytes"] - told_small["peak_bytes"],
        "load_before": load,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.index", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--files", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(measured(options.part, options.files)))
        return
    found = figures()
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<28} {value}")


if __name__ == "__main__":
    main()

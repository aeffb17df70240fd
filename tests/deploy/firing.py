"""A real Prometheus over the real /metrics, with the rules of deploy/, whose alerts wait for nothing before they fire."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from core.local.processes import free_port, listening
from core.local.programs import RECONCILER, Program, web, worker
from tests.deploy import reading
from tests.forking import Forks, forks
from tests.live import METRICS_TOKEN, await_that, environment_of, own_valkey
from tests.redis_tls import OwnRedis

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

PROMETHEUS = shutil.which("prometheus")
EVERY_S = 1
WITHIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """One that scrapes, and evaluates the rules, each second.

    Attributes:
        seen: which alerts were ever seen firing.
    """

    url: str
    seen: set[str] = field(default_factory=set)

    def firing(self) -> set[str]:
        """Which alerts fire now."""
        alerts = self._ask("alerts")["alerts"]
        found = {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}
        self.seen.update(found)
        return found

    def values(self, query: str) -> list[Any]:
        """What a query comes to now."""
        found: list[Any] = self._ask("query", query=query)["result"]
        return found

    def await_firing(self, *alerts: str) -> None:
        """Wait until each of them has been seen firing, since it was last asked."""
        left = set(alerts)

        def are_seen() -> bool:
            left.difference_update(self.firing())
            return not left

        try:
            await_that(are_seen, within_s=WITHIN_S)
        except AssertionError as late:
            raise AssertionError(f"these do not fire: {sorted(left)}") from late

    def await_scrape(self) -> None:
        """Wait until what has happened before this call is told."""
        now = time.time()  # a scrape that has begun may have read it as it was
        await_that(lambda: self._newest() > now, within_s=WITHIN_S)

    def _newest(self) -> float:
        """When the newest scrape began, by this machine's clock, if it was answered in time; else 0."""
        found = self.values('timestamp(up{job="runsheet"}) and up{job="runsheet"} == 1')
        return float(found[0]["value"][1]) if found else 0.0

    def _ask(self, what: str, **given: str) -> dict[str, Any]:
        with urlopen(f"{self.url}/api/v1/{what}?{urlencode(given)}", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)["data"]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Programs of a house of its own, each for the length of a body.

    Attributes:
        documents: the folder in which they lie.
    """

    url: str
    documents: Path
    valkey: OwnRedis
    console: Program
    forked: Forks
    logs: Path

    @contextmanager
    def answering(self) -> Iterator[None]:
        with self.forked.running(self.console, logs=self.logs):
            yield

    @contextmanager
    def working(self, *, queues: Iterable[str] = ("discovery", "storage")) -> Iterator[None]:
        pools = [worker(count=1, queue=queue) for queue in queues]
        with self.forked.running(*pools, RECONCILER, logs=self.logs):
            yield


@contextmanager
def house(directory: Path, standin: "Standin") -> Iterator[House]:
    """Of the test's database, with a Redis and a folder for documents of its own; nothing runs yet.

    Documents have no room there: nobody has so large a disk.
    """
    documents, logs = directory / "documents", directory / "log"
    documents.mkdir()
    logs.mkdir()
    with own_valkey(directory / "valkey") as valkey, listening(0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        given = {
            **environment_of(redis_url=valkey.url, dropbox=standin),
            "CONSOLE_URL": url,
            "METRICS_TOKEN": METRICS_TOKEN,
            "DOCUMENTS_DIRECTORY": str(documents),
            "DOCUMENTS_FREE_MB": "1000000000",
            **dict.fromkeys(
                ("STORAGE_LOOK_EVERY_S", "STORAGE_INCREMENTAL_EVERY_HOURS", "STORAGE_WHOLE_EVERY_DAYS"), "0"
            ),
            "STORAGE_LOOK_AT_START": "no",
            "WEB_CONCURRENCY": "1",
            # Nobody is there.
            "DATABASE_REPLICA_URL": f"postgresql://runsheet@{quote(str(directory), safe='')}/runsheet",
        }
        console = web(bind=f"fd://{listener.fileno()}", inherits=(listener.fileno(),))
        with forks("project", environment=given, log=logs / "forking.log", inherits=console.inherits) as forked:
            yield House(url=url, documents=documents, valkey=valkey, console=console, forked=forked, logs=logs)


@contextmanager
def prometheus(directory: Path, *, target: str) -> Iterator[Prometheus]:
    """One that scrapes that address."""
    directory.mkdir()
    (directory / "rules.yml").write_text(re.sub(r"(?m)^ +for: .*\n", "", reading.RULES.read_text()))
    (directory / "prometheus.yml").write_text(_configuration(target))
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": directory / "prometheus.yml", "storage.tsdb.path": directory / "data"}
    command = ["prometheus", f"--web.listen-address={address}", *(f"--{name}={each}" for name, each in options.items())]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=subprocess.STDOUT)
    try:
        running = Prometheus(url=f"http://{address}")
        await_that(lambda: _is_ready(running), within_s=WITHIN_S)
        yield running
    finally:
        process.kill()
        process.wait(20)


def _is_ready(running: Prometheus) -> bool:
    try:
        with urlopen(f"{running.url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _configuration(target: str) -> str:
    of_target = {
        "job_name": "runsheet",
        "authorization": {"credentials": METRICS_TOKEN},
        "static_configs": [{"targets": [target.removeprefix("http://")]}],
    }
    intervals = {
        "scrape_interval": f"{EVERY_S}s",
        "scrape_timeout": f"{EVERY_S}s",
        "evaluation_interval": f"{EVERY_S}s",
    }
    return json.dumps({"global": intervals, "rule_files": ["rules.yml"], "scrape_configs": [of_target]})

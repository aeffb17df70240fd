"""`python -m tests.chaos.drill [--seconds 20] [--json]`: back up under load, destroy everything, restore, and compare.

Four programs send documents over HTTP into SeaweedFS, change and share them, while leases are made and looked for. In the
midst of that a backup is made, encrypted, into another bucket; and another one once all is quiet. Then programs, database,
storage and Redis are lost, and each of the two is restored by the commands. Each row has to be as it was in the moment of the
backup, which is read by somebody else in the same snapshot; each version has to have its bytes; and the index 0 differences.
"""

import argparse
import faulthandler
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.breakable import Host, House, premises, staffed
from bench.stores import Weed
from core.local.processes import interpreted, stop_signals, supervised
from core.local.programs import worker
from core.local.servers import LOCAL, ROOT
from tests.chaos import documents
from tests.chaos.senders import Known, Sender
from tests.chaos.telling import counted, in_words, say
from tests.chaos.world import BASES, BLM

BUCKET = "backups"
PLACE = f"s3://{BUCKET}/drill"
PERSON = "olivia"
BASE = BASES[BLM][0]
LEASE_EVERY_S = 0.1
ROUND_S = 0.05
LIMIT_S = 900
# Beside the pools of storage.
DISCOVERY = worker(count=2)
type Rows = Mapping[str, tuple[str, ...]]


@dataclass
class Told:
    """What the drill has to say."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


class Leases(threading.Thread):
    """Somebody who makes leases one after the other: every second archive is there."""

    def __init__(self, house: House) -> None:
        super().__init__(name="leases", daemon=True)
        self._house = house
        self.ended = threading.Event()
        self.made = 0

    def prepare(self) -> None:
        from django.contrib.auth.models import User  # Django is ready only now

        from cloud.services.accounts import connect_account
        from leases.models import AgencyStorageConfig

        self._house.standin.reset(seed={"team": [f"{BASE}/"]})
        AgencyStorageConfig.objects.create(
            agency=BLM, runsheet_archive_base_path=BASE, documents_base_path=BASE, misc_index_base_path=BASE
        )
        connect_account(user=User.objects.create_superuser(PERSON), refresh_token=f"standin-refresh-{PERSON}")

    def run(self) -> None:
        from django.contrib.auth.models import User
        from django.db import connection

        from leases.services import create_lease

        person = User.objects.get(username=PERSON)
        while not self.ended.wait(LEASE_EVERY_S):
            number = f"NMNM {110_000 + self.made}"
            if self.made % 2:
                self._house.standin.put(f"{BASE}/{number}/Master Documents.pdf")
            create_lease(agency=BLM, lease_number=number, created_by=person, background=True)
            self.made += 1
        connection.close()


class Drill:
    """One, in a house that is empty.

    Args:
        seconds: of load.
        is_short: only what was backed up under load is lost and restored.
    """

    def __init__(self, house: House, weed: Weed, *, seconds: float, is_short: bool = False) -> None:
        self.house = house
        self.weed = weed
        self.seconds = seconds
        self.is_short = is_short
        self.told = Told()
        self.known = Known()
        self.environment = {
            **house.environment,
            **{f"BACKUP_S3_{name.upper()}": str(value) for name, value in weed.options.items() if name != "bucket"},
        }
        self.key = house.directory / "key.txt"

    def run(self) -> Told:
        """All of it."""
        self._prepare()
        began = time.monotonic()
        with self._load():
            self._work(until=began + self.seconds / 2)
            under_load = self._back_up_under_load()
            self._work(until=time.monotonic() + self.seconds / 2)
        if self.is_short:
            self._lose("under load", under_load)
            return self.told
        at_rest = self._back_up_at_rest()
        self._verify(at_rest.backup_id)
        self._lose("at rest", at_rest)
        self._lose("under load", under_load)
        return self.told

    def _lose(self, what: str, moment: "Moment") -> None:
        self._destroy()
        self._restore(what, moment)
        self._compare(what, moment)

    # --- What is backed up ----------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        import pyrage
        from django.conf import settings

        from storage.backends.s3 import S3Storage

        _empty_storage()  # else what another play has left there comes back from its sidecars
        os.environ.update({name: value for name, value in self.environment.items() if name.startswith("BACKUP_")})
        settings.BACKUP_S3.update({name: value for name, value in self.weed.options.items() if name != "bucket"})
        options: Any = {**self.weed.options, "bucket": BUCKET}
        S3Storage(**options).client.create_bucket(Bucket=BUCKET)
        identity = pyrage.x25519.Identity.generate()
        self.key.write_text(f"{identity}\n")
        self.recipient = str(identity.to_public())

    @contextmanager
    def _load(self) -> Iterator[None]:
        """Programs that send, and somebody who makes leases, in the body; at its end all have had their answers."""
        play = documents.Play(self.house, self.weed, blows=0, seed=1)
        play.known = self.known
        logs = self.house.directory / "log"
        with ExitStack() as stack:
            stack.enter_context(staffed(self.house, documents.BUILDING))
            pool = stack.enter_context(supervised([DISCOVERY], environment=self.environment, logs=logs))
            web_host, port = stack.enter_context(play._web())
            senders = [
                Sender(port=port, token=token, known=self.known, seed=number)
                for number, token in enumerate(documents._tokens())
            ]
            self.leases = Leases(self.house)
            self.leases.prepare()
            at_it: list[Sender | Leases] = [*senders, self.leases]
            for each in at_it:
                each.start()
            yield
            for each in at_it:
                each.ended.set()
            for each in at_it:
                each.join()
            for host in (Host(pool), web_host):
                host.crash()
            self.house.crash()

    def _work(self, *, until: float) -> None:
        while time.monotonic() < until or not self.known.links:
            self.house.mend()
            time.sleep(ROUND_S)

    def _back_up_under_load(self) -> "Moment":
        from core.backups import making
        from core.backups.place import place_of

        answered = dict(self.known.stored)
        seen: list[Rows] = []
        dump = making._dump

        def noted(place: Any, moment: Any, *rest: Any) -> Any:
            seen.append(_in_snapshot(moment.name))
            return dump(place, moment, *rest)

        making._dump = noted  # type: ignore[assignment]
        try:
            made = making.back_up(
                place_of(PLACE), recipients=[self.recipient], keep_days=30, at_once=4, told=lambda _: None
            )
        finally:
            making._dump = dump
        self._note_backup("under load", made.manifest.model_dump(mode="json"), made.added, made.took_s)
        return Moment(backup_id=made.manifest.id, rows=seen[0], answered=answered)

    def _back_up_at_rest(self) -> "Moment":
        said = self._command("backup", PLACE, "--recipient", self.recipient, "--json")
        self._note_backup("at rest", said["manifest"], said["added"]["count"], said["took_s"])
        return Moment(backup_id=said["manifest"]["id"], rows=_now(), answered=dict(self.known.stored))

    def _note_backup(self, what: str, said: Mapping[str, Any], added: int, took_s: float) -> None:
        size = said["parts"]["database"]["size"] + said["blobs"]["size"]
        self.told.figures[f"backup {what}"] = {
            "took_s": round(took_s, 1),
            "rows": sum(said["tables"].values()),
            "leases": said["tables"]["leases_lease"],
            "documents": said["tables"]["documents_document"],
            "versions": said["tables"]["documents_documentversion"],
            "links": said["tables"]["documents_sharelink"],
            "transitions": said["tables"]["statemachine_transitionlog"],
            "bytes": size,
            "new contents": added,
        }

    def _verify(self, backup_id: str) -> None:
        said = self._command("verify_backup", PLACE, "--backup", backup_id, "--identity", str(self.key), "--json")
        self.told.figures["verified"] = {"took_s": round(said["took_s"], 1), "bytes": said["bytes"]}
        self.told.wrong += said["problems"]

    # --- What is lost and put back ----------------------------------------------------------------------------------------

    def _destroy(self) -> None:
        from django.db import connections

        connections.close_all()
        url = self.environment["DATABASE_URL"]
        name = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]))
        with psycopg.connect(psycopg.conninfo.make_conninfo(url, dbname="postgres"), autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        _empty_storage()
        self.house.valkey.flush()

    def _restore(self, what: str, moment: "Moment") -> None:
        began = time.monotonic()
        said = self._command("restore", PLACE, "--backup", moment.backup_id, "--identity", str(self.key), "--json")
        took_s = time.monotonic() - began
        self.told.figures[f"restored, {what}"] = {
            "took_s": round(took_s, 1),
            "parts_s": said["took_s"],
            "files": said["put"]["count"],
        }
        if not said["audited"]["in_sync"]:
            found = {name: count for name, count in said["audited"]["stats"].items() if count and name != "seconds"}
            self.told.wrong.append(f"{what}: the index has differences: {counted(found)}")

    def _compare(self, what: str, moment: "Moment") -> None:
        from documents.models import DocumentVersion
        from storage.backends import documents as storage

        found = _now()
        for name in sorted(found.keys() | moment.rows.keys()):
            was, now = set(moment.rows.get(name, ())), set(found.get(name, ()))
            self.told.wrong += [f"{what}: {name} had {line}" for line in sorted(was - now)]
            self.told.wrong += [f"{what}: {name} has {line}" for line in sorted(now - was)]
        versions = {(each.document_id, each.number): each for each in DocumentVersion.objects.all()}
        for (of, number), digest in moment.answered.items():
            if (of, number) not in versions or versions[of, number].sha256 != digest:
                self.told.wrong.append(f"{what}: version {number} of document {of} was answered for, and is lost")
        for each in versions.values():
            if sha256(storage().read(each.key)).hexdigest() != each.sha256:
                self.told.wrong.append(f"{what}: {each.key} has other bytes")

    def _command(self, *given: str) -> Any:
        """Raises: RuntimeError: it has not ended well; with what it said."""
        done = subprocess.run(
            interpreted(("python", "manage.py", *given)),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{given[0]} has ended with {done.returncode}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
            )
        return json.loads(done.stdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What has to be there again.

    Attributes:
        answered: the SHA-256 of each version that was answered for before the backup began, by document and number.
    """

    backup_id: str
    rows: Rows
    answered: Mapping[tuple[int, int], str]


def _empty_storage() -> None:
    from storage.backends import documents as storage

    for each in list(storage()._listing("", "")):  # also what is on its way
        storage()._delete(each.key)


def _in_snapshot(name: str) -> Rows:
    """What the database says in the moment of a backup, by a connection of its own."""
    from django.db import connection

    from tests.core.backups.rows import lines

    own = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(name)))
            return lines(cursor)
    finally:
        own.rollback()
        own.close()


def _now() -> Rows:
    from django.db import connection

    from tests.core.backups.rows import lines

    with connection.cursor() as cursor:
        return lines(cursor)


def tell(told: Told, *, as_json: bool = False) -> None:
    """What was measured, what is wrong, and in the last line how much was lost."""
    if as_json:
        say(json.dumps({"lost": told.wrong, **told.figures}, indent=1))
        return
    for name, figures in told.figures.items():
        say(f"{name}: {in_words(figures)}")
    for line in told.wrong[:20]:
        say(f"LOST  {line}")
    say(f"drill: {len(told.wrong) or 'nothing'} lost")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.drill", description="Lose everything, and get it back.")
    parser.add_argument("--seconds", type=float, default=30, help="of load (default: %(default)s)")
    parser.add_argument("--directory", default="drill", help="in .local (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    directory = LOCAL / options.directory
    with (
        stop_signals(),
        documents.storing(Path(f"{directory}-store")) as weed,
        premises(directory, documents.BUILDING) as house,
    ):
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        told = Drill(house, weed, seconds=options.seconds).run()
    tell(told, as_json=options.json)
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

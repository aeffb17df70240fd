"""`python -m tests.chaos.documents --seed N [--blows 20]`: documents come and go while web, workers and storage are killed.

Programs send files, give them other versions, rename, archive, restore, share and fetch them, over HTTP, into SeaweedFS. The
web server, workers and SeaweedFS are each killed so many times (SIGKILL), each while something of theirs is under way, and begin again.
When all is quiet, what was answered must be so, no row may stand without its bytes, and no bytes without a row after the sweep.
"""

import argparse
import faulthandler
import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from redis.exceptions import RedisError

from bench.breakable import Host, House, breakable, send
from bench.stores import Weed
from core.local.processes import free_port, stop_signals, supervised
from core.local.programs import web
from core.local.servers import LOCAL
from tests.chaos import cups
from tests.chaos.senders import Known, Sender
from tests.chaos.telling import counted, say

BUILDING = replace(cups.BUILDING, settings_module="tests.chaos.documents_settings", queue="storage")
SENDERS = 4
KINDS = ("web", "worker", "storage")
LIMIT_S = 1_800
BLOW_EVERY_S = 1.5
# So long one waits for something to be under way, after something has gone well; then the blow falls where nothing is.
WAITED_AT_MOST_S = 30.0
AWAY_S = (0.2, 1.5)
ROUND_S = 0.05
WEB_ANSWERS_S = 60
RUNS_AT_MOST = 20
OWED_AT_MOST_S = 60.0
SENDING = ("send", "version")


class Play:
    """One run."""

    def __init__(self, house: House, weed: Weed, *, blows: int, seed: int) -> None:
        self.house = house
        self.weed = weed
        self.rng = random.Random(seed)
        self.blows = [kind for kind in KINDS for _ in range(blows)]
        self.rng.shuffle(self.blows)
        self.seed = seed
        self.known = Known()
        self.hits: Counter[str] = Counter()
        self.back_at: float | None = None
        self.done_before = 0

    def run(self) -> list[str]:
        """Everything, in its time; what is wrong when all has settled."""
        began = time.monotonic()
        with self._web() as (web_host, port):
            senders = [
                Sender(port=port, token=token, known=self.known, seed=100 * self.seed + number)
                for number, token in enumerate(_tokens())
            ]
            for each in senders:
                each.start()
            self._break(web_host, began)
            for each in senders:
                each.ended.set()
            for each in senders:
                while each.is_alive():
                    self._mend(web_host)
                    each.join(ROUND_S)
            runs = self._settle(web_host, began)
        say(
            f"{time.monotonic() - began:.1f} s, struck: {counted(self.hits)}; done: {counted(dict(sorted(self.known.did.items())))}"
        )
        say(f"verified again, after all tries had failed: {runs}")
        missing = [f"{kind} was not struck as often as it should" for kind in KINDS if kind in self.blows]
        return [*missing, *self.known.wrong, *self._judge()]

    @contextmanager
    def _web(self) -> Iterator[tuple[Host, int]]:
        port = free_port()
        environment = {**self.house.environment, "DJANGO_SETTINGS_MODULE": BUILDING.settings_module}
        logs = self.house.directory / "log"
        with supervised([web(bind=f"127.0.0.1:{port}")], environment=environment, logs=logs) as children:
            children.wait_for(f"http://127.0.0.1:{port}/health/live", timeout_s=WEB_ANSWERS_S)
            yield Host(children), port

    # --- What breaks ------------------------------------------------------------------------------------------------

    def _break(self, web_host: Host, began: float) -> None:
        struck_at = time.monotonic()
        while self.blows and time.monotonic() - began < LIMIT_S:
            self._mend(web_host)
            waited = time.monotonic() - struck_at - BLOW_EVERY_S
            if waited > 0 and (self._is_busy(self.blows[-1]) or waited > WAITED_AT_MOST_S):
                self._strike(self.blows.pop(), web_host)
                struck_at = time.monotonic()
            time.sleep(ROUND_S)

    def _strike(self, kind: str, web_host: Host) -> None:
        is_busy = self._is_busy(kind)
        self.hits[kind if is_busy else f"{kind}, idle"] += 1
        if not is_busy:  # that proves nothing, so there is another one
            self.blows.insert(0, kind)
        self.done_before = self._done()
        getattr(self, f"_strike_{kind}")(web_host)

    def _mend(self, web_host: Host) -> None:
        self.house.mend()
        web_host.mend()
        if self.back_at is not None and time.monotonic() >= self.back_at:
            self.back_at = None
            self.weed.start()

    def _is_busy(self, kind: str) -> bool:
        if kind == "worker":
            return bool(self._working())
        is_sending = any(self.known.under_way[each] > 0 for each in SENDING)
        return is_sending and self.back_at is None and self._done() > self.done_before

    def _done(self) -> int:
        return sum(self.known.did[each] for each in SENDING)

    def _working(self) -> list[int]:
        try:
            return [each.pid for each in self.house.valkey.at_work()]
        except RedisError:
            return []

    def _strike_web(self, web_host: Host) -> None:
        """All of it, or one of its processes."""
        workers = web_host.workers()
        if workers and self.rng.random() < 0.5:
            send(self.rng.choice(workers), signal.SIGKILL)
        else:
            web_host.crash()
            web_host.forget_ends()

    def _strike_worker(self, _web: Host) -> None:
        working = self._working()
        if working:
            send(self.rng.choice(working), signal.SIGKILL)
        else:
            self.rng.choice(self.house.hosts).crash()
        for host in self.house.hosts:
            host.forget_ends()

    def _strike_storage(self, _web: Host) -> None:
        if self.back_at is None:
            self.weed.kill()
            self.back_at = time.monotonic() + self.rng.uniform(*AWAY_S)

    # --- What came of it --------------------------------------------------------------------------------------------

    def _settle(self, web_host: Host, began: float) -> int:
        """Until nothing is owed; what all tries have failed for is verified again, as somebody would see to it. How often."""
        from documents.models import Document  # Django is ready only now
        from documents.services import documents

        runs = 0
        while time.monotonic() - began < LIMIT_S:
            self._mend(web_host)
            if not Document.objects.filter(due_at__isnull=False).exists():
                failed = list(Document.objects.filter(state="error").select_related("owner"))
                if not failed or runs >= RUNS_AT_MOST:
                    break
                for document in failed:
                    say(f"document {document.pk} has failed: {document.failure_code} {document.failure_message}")
                    documents.verify(document_id=document.pk, by=document.owner)
                runs += len(failed)
            time.sleep(ROUND_S)
        return runs

    def _judge(self) -> Iterator[str]:
        yield from self._of_rows()
        yield from _of_bytes(self.known)
        yield from _of_sidecars()
        yield from _of_links(self.known)
        yield from _of_room()

    def _of_rows(self) -> Iterator[str]:
        """What was answered is so."""
        from documents.models import Document, DocumentVersion

        hashes = {(each.document_id, each.number): each.sha256 for each in DocumentVersion.objects.all()}
        for (of, number), expected in self.known.stored.items():
            if hashes.get((of, number)) != expected:
                yield f"version {number} of document {of} was answered for, and is {hashes.get((of, number))}"
        for document in Document.objects.all():
            if document.due_at or document.state not in {"active", "archived"}:
                yield f"document {document.pk} is {document.state} ({document.failure_code}), due {document.due_at}"
            if (document.pk, document.current) not in hashes:
                yield f"document {document.pk} has no version {document.current}"
            seen = self.known.seen.get(document.pk)
            found = (document.name, document.current, document.archived_at is not None)
            if seen and found != (seen["name"], seen["version"], seen["archived_at"] is not None):
                yield f"document {document.pk} is {found}, and was answered to be {seen}"


def _of_bytes(known: Known) -> Iterator[str]:
    """No row is without its bytes, and after the sweep there are no others."""
    from django.db.models.functions import Now

    from core.base.clock import now
    from documents import sidecars
    from documents.models import Document, DocumentVersion, Leftover, Upload
    from documents.services import sweeping
    from storage.backends import documents as storage
    from storage.index.walking import MARKER

    left = Upload.objects.update(touched_at=now() - timedelta(days=1))
    sweeping.drop_dead_uploads()
    left += Leftover.objects.update(due_at=Now())
    sweeping.sweep()
    say(f"swept: {left}")
    there = {each.key: each.size for each in storage().listing() if each.key != MARKER}
    rows = {each.key: each for each in DocumentVersion.objects.all()}
    beside = {sidecars.key_of(owner_id=each.owner_id, document_id=each.pk) for each in Document.objects.all()}
    for key in sorted(there.keys() - rows.keys() - beside):
        yield f"{key} is in storage, and no version stands on it"
    for key, version in rows.items():
        if version.sha256 not in known.sent:
            yield f"{key} is something that nobody has sent"
        if key not in there:
            yield f"{key} is not in storage"
        elif (digest := sha256(storage().read(key)).hexdigest()) != version.sha256:
            yield f"{key} is {digest} in storage, of {there[key]} bytes, and not {version.sha256}, of {version.size}"


def _of_sidecars() -> Iterator[str]:
    """Beside each document stands what its rows say, once what is owed was written."""
    from django.db.models.functions import Now

    from documents import sidecars
    from documents.models import Document, OwedSidecar
    from documents.services import writing
    from storage.backends import documents as storage

    # A worker may be at some of them, which are passed by here.
    until = time.monotonic() + OWED_AT_MOST_S
    while OwedSidecar.objects.exists() and time.monotonic() < until:
        OwedSidecar.objects.update(due_at=Now())
        writing.write_owed()
        time.sleep(ROUND_S)
    beside = {"edition", "written_at"}
    for document in Document.objects.all():
        key = sidecars.key_of(owner_id=document.owner_id, document_id=document.pk)
        written = sidecars.read(key, storage().read(key)).said.model_dump(exclude=beside)
        expected = sidecars.of([document.pk])[document.pk].model_dump(exclude=beside)
        if odd := {name for name in expected if written[name] != expected[name]}:
            yield f"{key} is not what the rows say: {sorted(odd)}"


def _of_links(known: Known) -> Iterator[str]:
    """Each is there, was fetched as often as it is said to be, and opens what it should."""
    from core.base.clock import now
    from documents.models import Document, ShareLink
    from documents.services import opening, shares
    from documents.states import LinkState

    at = now()
    shares.settle(at=at)
    rows, archived = (
        ShareLink.objects.in_bulk(),
        set(Document.objects.exclude(archived_at=None).values_list("pk", flat=True)),
    )
    say(f"links: {len(rows)}, fetched: {sum(each.downloads for each in rows.values())}")
    for number, link in known.links.items():
        row = rows.get(number)
        if row is None or row.document_id != link.document or opening.find(token=link.token) != row:
            yield f"{link} was answered for, and is {row}"
            continue
        if not link.fetched <= row.downloads <= min(link.fetched + link.begun, link.most):
            yield f"{link} is said to have been fetched {row.downloads} times"
        if row.revoked_at is None if True in link.ends else row.revoked_at and not link.ends:
            yield f"{link} was revoked at {row.revoked_at}"
        opens = LinkState.SUSPENDED if link.document in archived else LinkState.ACTIVE
        used = LinkState.USED_UP if row.downloads == link.most else opens
        expected = LinkState.REVOKED if row.revoked_at else used
        if (found := row.state_at(at)) != expected:
            yield f"{link} is {found} and should be {expected}"


def _of_room() -> Iterator[str]:
    """What is counted is what there is."""
    from documents.models import Quota
    from documents.services import usage

    counted = {each.pk: (each.used_bytes, each.reserved_bytes) for each in Quota.objects.all()}
    usage.recount()
    for quota in Quota.objects.all():
        if (quota.used_bytes, quota.reserved_bytes) != counted[quota.pk] or quota.reserved_bytes:
            yield f"the room of {quota} is {counted[quota.pk]}, and should be {(quota.used_bytes, quota.reserved_bytes)}"


def _tokens() -> Iterator[str]:
    from django.contrib.auth.models import User

    from api.scopes import Scope
    from api.services import tokens
    from core.base.clock import now

    for number in range(SENDERS):
        user = User.objects.create_superuser(f"sender {number}")
        made = tokens.make(by=user, name="chaos", scopes=[Scope.DOCUMENTS_WRITE], lasts=timedelta(days=1), at=now())
        yield made.secret


@contextmanager
def storing(directory: Path) -> Iterator[Weed]:
    """A SeaweedFS in which the documents of all programs lie that are started in the body."""
    with Weed(directory) as weed:
        os.environ.update(
            {
                "DOCUMENTS_STORAGE": "s3",
                "SECURE_SSL_REDIRECT": "no",
                **{f"DOCUMENTS_S3_{name.upper()}": str(value) for name, value in weed.options.items()},
            }
        )
        yield weed


def tell(wrong: Sequence[str], *, blows: int, seed: int) -> None:
    """What is wrong, and in the last line how much."""
    for line in wrong[:20]:
        say(f"WRONG  {line}")
    say(f"documents: {len(wrong)} wrong after {blows} blows at each of {', '.join(KINDS)} (seed {seed})")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.documents", description="Break the way of documents.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--blows", type=int, default=20, help="at each of web, workers and storage (default: %(default)s)"
    )
    parser.add_argument("--directory", default="chaos-documents", help="in .local (default: %(default)s)")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(LIMIT_S + 120, exit=True)
    directory = LOCAL / options.directory
    with stop_signals(), storing(LOCAL / f"{options.directory}-store") as weed, breakable(directory, BUILDING) as house:
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        wrong = Play(house, weed, blows=options.blows, seed=options.seed).run()
        house.crash()
    tell(wrong, blows=options.blows, seed=options.seed)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

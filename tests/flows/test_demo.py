"""`make demo`: one lease for every outcome, judged."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from core.local.servers import LOCAL, ROOT
from discovery.management.commands import play_demo
from discovery.services import demo_examples
from discovery.services.demo_examples import EXAMPLES, End, Example
from leases.models import Lease
from statemachine.reconcile import reconcile
from tests.redis_tls import unsecured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BY_OUTCOME = {example.outcome: example for example in EXAMPLES}


def databases() -> set[str]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database") if "_demo_" in row[0]}


@pytest.fixture
def alone() -> Iterator[None]:
    """One demo at a time can run in a checkout; another worker of this test run may be at it."""
    with (LOCAL / "test-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.process
@pytest.mark.xdist_group("demo")  # else one worker waits for the other's
@pytest.mark.usefixtures("alone")
@unsecured
class TestTheDemo:
    def test_ends_every_lease_as_it_should_and_leaves_nothing_behind(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "demo", "--json"],
            cwd=ROOT,
            env={**os.environ, "DISCOVERY_BACKOFF_BASE_S": "0.05"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        document = json.loads(done.stdout)
        assert document["backoff_base_s"] == 0.05
        assert [each for each in document["leases"] if not each["as_it_should"]] == []
        assert (done.returncode, document["ok"], len(document["leases"])) == (0, True, len(EXAMPLES))
        assert databases() == set()

    def test_an_interrupt_stops_everything_that_it_started(self) -> None:
        demo = subprocess.Popen([sys.executable, "manage.py", "demo"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        await_condition(databases)

        demo.send_signal(signal.SIGTERM)

        _, said = demo.communicate(timeout=60)
        assert demo.returncode == 130
        assert said.endswith("Interrupted; everything is stopped.\n")
        assert databases() == set()


class TestThePlay:
    @pytest.fixture
    def play(
        self, dropbox: "Standin", work_until_settled: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., None]:
        """Play some examples; while the command waits, the workers work."""
        dropbox.reset(seed="demo")

        def work(_: float) -> None:
            reconcile()  # rings: nothing is committed here, so nothing has rung yet
            work_until_settled()

        clock = SimpleNamespace(monotonic=time.monotonic, sleep=work)
        monkeypatch.setattr("discovery.management.commands.play_demo.time", clock)

        def play(*examples: Example, **options: object) -> None:
            monkeypatch.setattr(demo_examples, "EXAMPLES", examples)
            monkeypatch.setattr(play_demo, "EXAMPLES", examples)
            call_command("play_demo", **options)

        return play

    def test_shows_what_became_of_each_lease(
        self, db: None, play: Callable[..., None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        play(
            BY_OUTCOME["report found"],
            BY_OUTCOME["link forbidden by team policy"],
            replace(BY_OUTCOME["not found"], begins_last=True),
        )

        shown = capsys.readouterr().out
        assert "All 3 leases ended as they should." in shown
        assert "refused" in shown

    def test_orders_the_faults_that_an_example_needs(
        self, db: None, play: Callable[..., None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        play(BY_OUTCOME["two 503s and then fine"], json=True)

        [lease] = json.loads(capsys.readouterr().out)["leases"]
        assert (lease["tries"], lease["dropbox_calls"], lease["as_it_should"]) == (3, 4, True)

    def test_lets_a_colleague_run_what_has_settled(
        self, db: None, play: Callable[..., None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        again = next(example for example in EXAMPLES if example.again_by)

        play(again, json=True)

        assert [each["as_it_should"] for each in json.loads(capsys.readouterr().out)["leases"]] == [True]
        assert Lease.objects.get().initiated_by == User.objects.get(username=again.again_by)

    def test_ends_badly_when_one_lease_does_not_end_as_it_should(
        self, db: None, play: Callable[..., None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = replace(BY_OUTCOME["report found"], end=End(state="not_found", dropbox_calls=1))

        with pytest.raises(SystemExit) as ended:
            play(wrong, BY_OUTCOME["empty directory"])

        assert ended.value.code == 1
        assert "report found: state is done, not not_found;" in capsys.readouterr().out

    def test_prints_one_json_document_that_says_so(
        self, db: None, play: Callable[..., None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = replace(BY_OUTCOME["report found"], end=End(state="done", dropbox_calls=9))

        with pytest.raises(SystemExit):
            play(wrong, json=True)

        document = json.loads(capsys.readouterr().out)
        assert (document["ok"], document["leases"][0]["as_it_should"]) == (False, False)

    def test_gives_up_on_a_lease_that_does_not_settle(
        self, db: None, play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(play_demo, "LONGEST_S", 0)

        with pytest.raises(SystemExit):
            play(BY_OUTCOME["report found"])

        assert Lease.objects.get().state == "searching"

    def test_touches_no_database_that_is_in_use(self, db: None, play: Callable[..., None]) -> None:
        Lease.objects.create(agency="BLM", lease_number="NMNM 1")

        with pytest.raises(CommandError, match=r"^There are leases in this database already\."):
            play(*EXAMPLES)

        assert Lease.objects.count() == 1


def await_condition(holds: Callable[[], object], *, timeout_s: float = 60) -> None:
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)

import os
import signal
import textwrap
import threading
from io import StringIO
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg.errors import LockNotAvailable
from pytest_django.fixtures import Settings
from redis import Redis

from statemachine import claims, heartbeat, pump
from statemachine import reconcile as reconcile_module
from statemachine.doorbell import Message
from statemachine.management.commands import reconcile as reconcile_command
from statemachine.models import TransitionLog
from statemachine.reconcile import Reconciled, reconcile
from tests.forking import Forks
from tests.statemachine.conftest import due_at, history, in_s, owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db

CRASHED = {"tries": 3, "due_at": in_s(-1), "claimed_until": in_s(-1)}


class TestReconcile:
    def test_does_nothing_to_an_empty_database(self) -> None:
        assert not reconcile()

    def test_starts_and_dispatches_what_code_of_ours_never_saw(self) -> None:
        Kettle.objects.bulk_create([Kettle(), Kettle()])

        assert reconcile() == Reconciled(started=2, dispatched=2)

        assert Kettle.objects.filter(state="heating", rung_at__isnull=False).count() == 2
        assert set(TransitionLog.objects.values_list("actor_kind", flat=True)) == {"reconciler"}

    def test_one_rows_bug_does_not_stand_in_the_way_of_others(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        cursed, sound = Kettle.objects.create(label="cursed"), Kettle.objects.create(label="sound")
        plain_save = Kettle.save

        def save(kettle: Kettle, *args: Any, **kwargs: Any) -> None:
            if kettle.label == "cursed":
                raise ZeroDivisionError
            plain_save(kettle, *args, **kwargs)

        monkeypatch.setattr(Kettle, "save", save)

        assert reconcile() == Reconciled(started=1, dispatched=1)
        assert Kettle.objects.get(pk=sound.pk).state == "heating"
        assert due_at(Kettle.objects.get(pk=cursed.pk)) > in_s(25)
        assert "could not take switch_on" in caplog.text

    def test_an_outage_of_the_database_is_not_taken_for_a_bug_of_the_row(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Kettle.objects.create()

        def save(*_: object, **__: object) -> None:
            raise OperationalError

        monkeypatch.setattr(Kettle, "save", save)

        with pytest.raises(OperationalError):
            reconcile()

    def test_leaves_a_cancelled_row_alone(self) -> None:
        Kettle.objects.create(due_at=None)

        assert not reconcile()

    def test_dispatches_what_is_due(self) -> None:
        owed()

        assert reconcile() == Reconciled(dispatched=1)

    def test_keeps_the_queue_short(self, settings: Settings) -> None:
        settings.QUEUE_TARGET = 3
        Kettle.objects.bulk_create([Kettle() for _ in range(5)])
        owed()

        first, second = reconcile(), reconcile()

        assert first == Reconciled(dispatched=3, started=2)
        assert second == Reconciled()

    def test_rings_again_for_messages_that_redis_lost(self, redis: Redis) -> None:
        owed()
        reconcile()
        redis.flushdb()
        Kettle.objects.update(rung_at=in_s(-3))

        assert reconcile() == Reconciled(lost=1, dispatched=1)

    def test_trusts_a_message_that_redis_still_has(self) -> None:
        owed()
        reconcile()
        Kettle.objects.update(rung_at=in_s(-3))

        assert not reconcile()

    def test_fails_a_row_whose_work_kills_its_worker_each_time(self) -> None:
        kettle = owed(tries=3, due_at=in_s(-1), claimed_until=in_s(-1))

        assert reconcile() == Reconciled(crashed=1)

        kettle = Kettle.objects.get(pk=kettle.pk)
        assert (kettle.state, kettle.failure_code) == ("broken", "crashed")
        assert kettle.failure_message.startswith("Every try was broken off")
        assert history(kettle) == ["fail"]

    def test_does_not_say_that_every_try_killed_its_worker_when_only_the_last_did(self) -> None:
        kettle = owed(
            tries=3, due_at=in_s(-1), claimed_until=in_s(-1), failure_code="power_cut", failure_message="No power."
        )

        reconcile()

        assert Kettle.objects.get(pk=kettle.pk).failure_message.startswith("The last try was broken off")
        assert TransitionLog.objects.get().evidence == {"before": "No power."}

    def test_does_not_fail_a_row_that_a_worker_still_holds(self) -> None:
        owed(tries=3, due_at=in_s(30), claimed_until=in_s(30))

        assert not reconcile()

    def test_changes_nothing_while_redis_is_away(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        owed()
        Kettle.objects.create()

        assert not reconcile()
        assert Kettle.objects.filter(due_at__lte=timezone.now()).count() == 2

    @pytest.mark.parametrize(
        "moved_on",
        [
            {"generation": 2},
            {"state": "ready", "due_at": None},
            {"due_at": in_s(3600), "claimed_until": in_s(3600)},
            {"claimed_until": in_s(3600)},
            {"due_at": in_s(3600)},
        ],
        ids=["dispatched", "done", "claimed by a late message", "held", "put back"],
    )
    def test_leaves_a_row_to_whoever_was_faster(
        self, monkeypatch: pytest.MonkeyPatch, moved_on: dict[str, Any]
    ) -> None:
        kettle = owed(tries=3, due_at=in_s(-1), claimed_until=in_s(-1))
        plain_message = claims.message_of

        def somebody_is_faster(kettle: Kettle) -> Message:
            Kettle.objects.update(**moved_on)
            return plain_message(kettle)

        monkeypatch.setattr(claims, "message_of", somebody_is_faster)

        assert not reconcile()
        assert history(kettle) == []

    def test_gives_up_no_longer_than_others_can_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reconcile_module, "GIVES_UP_FOR_S", 0)
        for _ in range(3):
            owed(**CRASHED)
        owed()

        assert [reconcile() for _ in range(3)] == [Reconciled(crashed=1, dispatched=1), *[Reconciled(crashed=1)] * 2]

    def test_gives_up_in_turn_what_is_in_different_states(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            owed(**CRASHED)
        few = owed(state="steeping", **CRASHED)
        seconds = iter([0, 0, reconcile_module.GIVES_UP_FOR_S])
        clock = Mock(monotonic=lambda: next(seconds))
        monkeypatch.setattr(reconcile_module, "time", clock)

        assert reconcile().crashed == 2
        assert Kettle.objects.get(pk=few.pk).state == "broken"

    def test_starts_no_longer_than_others_can_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pump, "STARTING_S", 0)
        Kettle.objects.create()
        owed()

        assert reconcile() == Reconciled(dispatched=1)
        assert Kettle.objects.filter(state="cold", due_at__isnull=False).exists()

    @pytest.mark.parametrize("meanwhile", [{"due_at": None}, {"due_at": in_s(3600)}], ids=["called off", "put off"])
    def test_does_not_start_what_was_called_off_since_it_looked(
        self, monkeypatch: pytest.MonkeyPatch, meanwhile: dict[str, Any]
    ) -> None:
        kettle = Kettle.objects.create()

        def somebody_is_faster(kettle: Kettle) -> Message:
            Kettle.objects.update(**meanwhile)
            return claims.message_of(kettle)

        monkeypatch.setattr(pump, "message_of", somebody_is_faster)

        assert not reconcile()
        assert history(kettle) == []

    def test_still_fails_the_crashed_while_redis_is_away(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        owed(tries=3, due_at=in_s(-1), claimed_until=in_s(-1))

        assert reconcile() == Reconciled(crashed=1)


def locked_row() -> OperationalError:
    error = OperationalError("canceling statement due to lock timeout")
    error.__cause__ = LockNotAvailable()
    return error


class TestReconcileCommand:
    def test_goes_on_after_an_outage_of_the_database(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.RECONCILE_INTERVAL_S = 0
        stopped = threading.Event()
        passes: list[Reconciled | Exception] = [
            OperationalError("the server went away"),
            Reconciled(started=1),
            Reconciled(),
        ]

        def one_pass() -> Reconciled:
            done = passes.pop(0)
            if isinstance(done, Exception):
                raise done
            if not done:
                stopped.set()
            return done

        monkeypatch.setattr(reconcile_command, "reconcile", one_pass)
        monkeypatch.setattr(reconcile_command, "connection", Mock())

        with caplog.at_level("INFO"):
            reconcile_command.run_until(stopped)

        assert "The database does not answer (the server went away)" in caplog.text
        assert "Reconciled(started=1" in caplog.text

    def test_counts_as_alive_when_somebody_holds_what_it_needs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reconcile_command, "reconcile", Mock(side_effect=locked_row()))

        reconcile_command._pass()

        age_s = heartbeat.age_s(heartbeat.RECONCILER)
        assert age_s is not None
        assert age_s < 5

    def test_waits_out_a_database_that_takes_nothing(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        Kettle.objects.create()
        monkeypatch.setattr(reconcile_command, "connection", Mock())
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")

        reconcile_command._pass()

        assert "PostgreSQL is read-only, so nothing can be saved (cannot execute" in caplog.text
        assert "could not take" not in caplog.text, "no row is to blame"

    @pytest.mark.process
    def test_ends_when_a_pass_hangs(self, prepared: Forks) -> None:
        """As a database that accepts and never answers makes it; what supervises it starts another."""
        hanging = textwrap.dedent("""
            import threading, django; django.setup()
            from statemachine.management.commands import reconcile
            reconcile.HANGS_S, reconcile.reconcile = 0.5, threading.Event().wait
            reconcile.run_until(threading.Event())
        """)

        ended = prepared.run("python", "-c", hanging, environment=os.environ)

        assert ended.returncode == 1
        assert "Timeout (0:00:00.500000)!" in ended.stderr
        assert "reconcile.py" in ended.stderr

    def test_says_what_is_missing_before_the_migration(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE toy_kettle RENAME TO gone")

        with pytest.raises(CommandError, match=r"^The database lacks tables\. Run: python manage\.py migrate$"):
            call_command("reconcile", "--once")

    def test_once_says_what_it_did(self) -> None:
        owed()
        out = StringIO()

        call_command("reconcile", "--once", stdout=out)

        assert out.getvalue() == "0 started, 1 dispatched, 0 messages lost, 0 crashed\n"

    def test_stops_at_a_signal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def one_pass() -> Reconciled:
            signal.raise_signal(signal.SIGTERM)
            return Reconciled()

        monkeypatch.setattr(reconcile_command, "reconcile", one_pass)
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        try:
            call_command("reconcile")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

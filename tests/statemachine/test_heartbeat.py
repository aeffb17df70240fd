import socket
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models.functions import Now

from statemachine import heartbeat
from statemachine.management.commands import reconcile as command
from statemachine.models import Heartbeat

pytestmark = pytest.mark.django_db


class TestHeartbeat:
    def test_has_no_age_before_the_first(self) -> None:
        assert heartbeat.age_s("reconciler") is None

    def test_is_as_old_as_the_database_says(self) -> None:
        heartbeat.beat("reconciler")
        Heartbeat.objects.update(at=Now() - timedelta(seconds=40))

        age_s = heartbeat.age_s("reconciler")

        assert str(Heartbeat.objects.get()) == f"reconciler on {socket.gethostname()}"
        assert age_s is not None
        assert 40 <= age_s < 45

    def test_begins_anew_with_each_beat(self) -> None:
        heartbeat.beat("reconciler")
        Heartbeat.objects.update(at=Now() - timedelta(seconds=40), host="gone")

        heartbeat.beat("reconciler")

        beat = Heartbeat.objects.get()
        assert beat.host != "gone"
        assert (heartbeat.age_s("reconciler") or 0) < 5

    def test_is_never_negative(self) -> None:
        heartbeat.beat("reconciler")
        Heartbeat.objects.update(at=Now() + timedelta(seconds=40))

        assert heartbeat.age_s("reconciler") == 0


class TestReconcile:
    def test_beats_with_every_pass(self) -> None:
        command._pass()

        assert Heartbeat.objects.get().name == heartbeat.RECONCILER

    def test_beats_when_run_once(self) -> None:
        call_command("reconcile", once=True, stdout=StringIO())

        assert Heartbeat.objects.get(name=heartbeat.RECONCILER).host

    def test_does_not_beat_when_its_pass_has_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(command, "reconcile", fail)
        monkeypatch.setattr(connection, "close", lambda: None)  # the test's own, which it still needs

        command._pass()

        assert not Heartbeat.objects.exists()

"""What `discover` tells by what is known of the folder of archives, and how often Dropbox is asked for the rest."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from redis import Redis

from leases.models import Lease
from leases.states import State
from tests.factories import account, configured, indexed, watched
from tests.leases.test_making import absent


@pytest.fixture(autouse=True)
def _empty_redis(redis: Redis) -> None: ...


class TestKnownFolder:
    def test_counts_no_calls_for_what_the_index_answers(self, olivia: User, capsys: pytest.CaptureFixture[str]) -> None:
        """So many are an order of the background; a few are asked of Dropbox itself."""
        made = account(user=olivia)
        made.save()
        configured()
        numbers = [f"NMNM {each}" for each in range(21)]
        indexed(watched(made), {number: [] for number in numbers})

        call_command("discover", "blm", *numbers, user="olivia", json=True)
        assert json.loads(capsys.readouterr().out)["dropbox_calls"] == 0

        Lease.objects.all().delete()
        call_command("discover", "blm", *numbers[:20], user="olivia", json=True)
        assert json.loads(capsys.readouterr().out)["dropbox_calls"] == 40

    def test_says_of_near_archives_whether_they_have_a_report_by_what_is_known_now(
        self, olivia: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Who looked for them may have had their names alone."""
        made = account(user=olivia)
        made.save()
        configured()
        indexed(watched(made), {"NMNM 01": ["Master Documents.pdf"], "NMNM 02": []})
        absent(olivia, nearest=["NMNM 01", "NMNM 02", "NMNM 03"])
        said = {"state": State.NOT_FOUND, "due_at": None, "generation": 3}
        monkeypatch.setattr("time.sleep", lambda _: Lease.objects.update(**said))

        call_command("discover", "BLM", "NMNM 1", user="olivia", wait=True, json=True)

        printed = capsys.readouterr()
        [lease] = json.loads(printed.out)["leases"]
        assert lease["nearest_reports"] == {"NMNM 01": True, "NMNM 02": False, "NMNM 03": None}
        assert "02 (no" in printed.err

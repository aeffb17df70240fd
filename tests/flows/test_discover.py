"""`manage.py discover --wait`, from the command line's first word to Dropbox's answer."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from statemachine.reconcile import reconcile
from tests.flows.conftest import BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin


@pytest.fixture(autouse=True)
def _workers_work_meanwhile(work_until_settled: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command waits to look again, the workers work."""

    def work(_: float) -> None:
        reconcile()  # rings: nothing is committed here, so nothing has rung yet
        work_until_settled()

    clock = SimpleNamespace(monotonic=time.monotonic, sleep=work)
    monkeypatch.setattr("discovery.management.terminal.time", clock)


class TestDiscover:
    def test_tells_link_and_report_of_each_lease(
        self, operator: User, dropbox: "Standin", capsys: pytest.CaptureFixture[str]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")

        call_command("discover", "BLM", "NMNM 1", "NMNM 2", user="olivia", wait=True, json=True)

        first, second = json.loads(capsys.readouterr().out)["leases"]
        assert (first["state"], first["report_found"], first["path"]) == ("done", True, f"{BLM}/NMNM 1")
        assert "/scl/fo/" in first["share_url"]
        assert (second["state"], second["share_url"]) == ("not_found", None)

    def test_tells_the_nearest_names_where_there_is_no_archive(
        self, operator: User, dropbox: "Standin", capsys: pytest.CaptureFixture[str]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 0014321/", f"{BLM}/NMNM 77/")

        call_command("discover", "BLM", "NMNM 14321", user="olivia", wait=True, json=True)

        said = capsys.readouterr()
        [lease] = json.loads(said.out)["leases"]
        assert (lease["state"], lease["nearest"]) == ("not_found", ["NMNM 0014321"])
        assert lease["nearest_reports"] == {"NMNM 0014321": None}
        assert "Nearest" in said.err

    def test_searching_alone_makes_no_statement_about_a_report(
        self, operator: User, dropbox: "Standin", capsys: pytest.CaptureFixture[str]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")

        call_command("discover", "BLM", "NMNM 1", user="olivia", only="search", wait=True, json=True)

        [lease] = json.loads(capsys.readouterr().out)["leases"]
        assert (lease["state"], lease["report_found"]) == ("found", None)

"""The measurement of how soon a change is on the screen, as small as it goes."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from bench import screen
from bench.leases import prepare
from bench.screen import BROWSERS, Seen, shown
from tests.live import System, hashed, system  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from dropbox_standin.client import Standin


def seen(**values: float) -> Seen:
    return Seen(**{"page": "list", "changes": 3, "median_s": 0.5, "p95_s": 0.9, "max_s": 1.1, **values})  # type: ignore[arg-type]  # the test's


class TestBench:
    @pytest.fixture
    def served(self, system: System, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811 - the fixture
        """What runs for the tests, instead of servers and programs of the measurement's own; those start for bench.discovery."""

        @contextmanager
        def served(*, count: int) -> Iterator[tuple[str, User, "Standin"]]:
            person = prepare(dropbox, count=count)
            User.objects.filter(pk=person.pk).update(password=hashed(person.username))
            yield system.url, person, dropbox

        monkeypatch.setattr(screen, "_served", served)
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # as the measurement does, and only here

    @pytest.mark.browser
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.skipif(
        not any(map(shutil.which, BROWSERS)), reason="there is no Chromium here (Debian: apt-get install chromium)"
    )
    @pytest.mark.usefixtures("served")
    def test_sees_a_change_on_each_page(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["bench.screen", "--leases", "1", "--json"])

        screen.main()

        pages = {page["page"]: page for page in json.loads(capsys.readouterr().out)["pages"]}
        assert pages.keys() == {"lease page", "list"}
        assert all(page["changes"] >= 1 and page["median_s"] > 0 for page in pages.values())


class TestShown:
    def test_tells_what_is_too_late(self) -> None:
        text = shown([seen(), seen(max_s=2.1)], load_before=0.5)

        assert "list                3      0.50   0.90   1.10\n" in text
        assert text.count("too late") == 1

"""Every number has an end on both sides, and no two settings contradict each other."""

import re
import runpy

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.base import statement_limits
from core.local.servers import ROOT
from core.settings import base

SETTINGS = ROOT / "core" / "settings"
NUMBERS = sorted(
    set(
        re.findall(r'environment\.(?:whole_)?number\(\s*(?:#[^\n]*\s*)?"([A-Z_]+)"', (SETTINGS / "base.py").read_text())
    )
)

# Compiled once for all that read it.
BASE = compile((SETTINGS / "base.py").read_text(), SETTINGS / "base.py", "exec")


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> dict[str, object]:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    done: dict[str, object] = {"__name__": "base", "__file__": str(SETTINGS / "base.py")}
    exec(BASE, done)
    return done


class TestANumber:
    def test_is_one_of_those_that_operations_tells_of(self) -> None:
        told = (ROOT / "docs" / "operations.md").read_text()

        assert len(NUMBERS) > 10
        assert [name for name in NUMBERS if f"`{name}`" not in told] == []

    @pytest.mark.parametrize("value", ["-1", "1e9", "nan", "x"])
    @pytest.mark.parametrize("name", NUMBERS)
    def test_has_bounds(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"^{name} must be a number from .* to .*, not '{value}'.$"):
            read(monkeypatch, **{name: value})

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            (
                {"DISCOVERY_SOFT_TIME_LIMIT": "120"},
                "DISCOVERY_TIME_LIMIT must be a number from 121 to 7200, not '120'.",
            ),
            (
                {"DISCOVERY_SOFT_TIME_LIMIT": "30", "DISCOVERY_TIME_LIMIT": "30"},
                "DISCOVERY_TIME_LIMIT must be a number from 31 to 7200, not '30'.",
            ),
            (
                {"DISCOVERY_BACKOFF_BASE_S": "300"},
                "DISCOVERY_BACKOFF_CAP_S must be a number from 300 to 86400, not '120'.",
            ),
            ({"REQUEST_STATEMENT_S": "5"}, "REQUEST_STATEMENT_S must be a number from 11 to 60, not '5'."),
            ({"RECONCILE_INTERVAL_S": "60"}, "RECONCILE_INTERVAL_S must be a number from 0.1 to 10, not '60'."),
            ({"QUEUE_TARGET": "0"}, "QUEUE_TARGET must be a number from 1 to 1000, not '0'."),
        ],
    )
    def test_contradicts_no_other(self, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str) -> None:
        with pytest.raises(ImproperlyConfigured) as refusal:
            read(monkeypatch, **given)

        assert str(refusal.value) == sentence


class TestWhatIsNoSetting:
    def test_is_in_order(self) -> None:
        """Each is given up before whoever waits for it gives up."""
        hangs_s = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["HANGS_S"]

        assert base.CLAIM_RENEWAL_S * 2 < base.CLAIM_S < base.DISCOVERY_SOFT_TIME_LIMIT_S < base.DISCOVERY_TIME_LIMIT_S
        assert (
            base.LOCK_TIMEOUT_S
            < base.REQUEST_STATEMENT_S
            < statement_limits.WITHIN_S
            < statement_limits.FILE_WITHIN_S
            < hangs_s
        )
        assert base.DROPBOX_CONNECT_TIMEOUT_S + base.DROPBOX_READ_TIMEOUT_S < base.TRANSACTION_IDLE_S
        assert base.DISCOVERY_TRIES > 1


class TestAnAddress:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "postgresql://u@h/runsheet?options=-c%20lock_timeout%3D0"),
            ("REDIS_URL", "redis://h/0?socket_timeout=0"),
        ],
    )
    def test_undoes_no_time_out(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"^{name} may have no option but "):
            read(monkeypatch, **{name: value})

    def test_gives_its_options_to_postgresql_beside_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = read(monkeypatch, DATABASE_URL="postgresql://u@h/runsheet?sslmode=verify-full")["DATABASES"]

        assert found["default"]["OPTIONS"].items() >= {"sslmode": "verify-full", "connect_timeout": 5}.items()  # type: ignore[index]  # Django's own

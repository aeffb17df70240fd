"""The rules fire when they have to and else do not, by promtool's word; the dashboard's queries can be read by it, too."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy import reading

PROMTOOL = shutil.which("promtool")
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool (Debian: apt-get install prometheus)")


def promtool(*words: str | Path) -> str:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.process
@with_promtool
class TestRules:
    def test_can_be_read(self) -> None:
        assert promtool("check", "rules", reading.RULES) == ""

    def test_fire_when_they_have_to_and_else_do_not(self) -> None:
        assert promtool("test", "rules", reading.CASES) == ""

    def test_are_loaded_by_the_examples_of_a_configuration(self) -> None:
        for name in ("prometheus.yml", "compose.yml"):
            assert promtool("check", "config", "--syntax-only", reading.PROMETHEUS / name) == ""

    def test_the_queries_of_the_dashboard_can_be_read(self, tmp_path: Path) -> None:
        written = tmp_path / "queries.yml"
        written.write_text("\n".join(reading.recording(reading.queries_of_dashboard())))

        assert promtool("check", "rules", written) == ""


class TestCases:
    def test_there_is_one_in_which_each_fires_and_two_in_which_it_does_not(self) -> None:
        fires = [case["alertname"] for case in reading.cases() if case.get("exp_alerts")]
        does_not = [case["alertname"] for case in reading.cases() if not case.get("exp_alerts")]
        names = [rule["alert"] for rule in reading.rules()]

        assert set(fires) == set(does_not) == set(names)
        assert [name for name in names if does_not.count(name) < 2] == []

    def test_each_rule_says_how_bad_it_is(self) -> None:
        assert {rule["labels"]["severity"] for rule in reading.rules()} == {"critical", "warning"}

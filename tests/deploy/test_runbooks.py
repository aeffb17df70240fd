"""Each alert has its runbook, none is left over, and what a runbook says to type can be typed."""

import re

import pytest
from django.core.management import get_commands

from core.local.servers import ROOT
from tests.deploy import reading
from tests.deploy.test_firing import NOT_TRIED

TEXT = (ROOT / "docs/runbooks.md").read_text()
SECTIONS = dict(re.findall(r"(?m)^## (Runsheet\w+)\n\n((?:(?!^## ).*\n?)*)", TEXT))
PARTS = ["Means", "Look", "Do", "Tried"]
LISTED = re.findall(r"\[(\w+)\]\(#(\w+)\)", TEXT.partition("\n## ")[0])


def alerts() -> list[str]:
    return [rule["alert"] for rule in reading.rules()]


class TestRunbooks:
    def test_are_there_for_each_alert_and_no_other(self) -> None:
        assert list(SECTIONS) == sorted(SECTIONS, key=alerts().index)
        assert set(SECTIONS) == set(alerts())

    def test_are_where_the_alert_says(self) -> None:
        named = {rule["alert"]: rule["annotations"]["runbook"] for rule in reading.rules()}

        assert named == {alert: f"docs/runbooks.md#{alert.lower()}" for alert in alerts()}

    @pytest.mark.parametrize("alert", SECTIONS)
    def test_say_what_it_means_what_to_look_at_what_to_do_and_how_it_was_tried(self, alert: str) -> None:
        assert re.findall(r"(?m)^\*\*(\w+):\*\* \S", SECTIONS[alert]) == PARTS

    def test_are_listed_at_the_top(self) -> None:
        assert sorted(f"Runsheet{name}" for name, _ in LISTED) == sorted(alerts())
        assert [name for name, anchor in LISTED if anchor != f"runsheet{name.lower()}"] == []

    def test_name_commands_that_there_are(self) -> None:
        named = set(re.findall(r"manage\.py (\w+)", TEXT))

        assert named - set(get_commands()) == set()
        assert "doctor" in named

    def test_set_each_variable_once_that_they_ask_for(self) -> None:
        at_the_top, _, alerts_ = TEXT.partition("\n## Runsheet")
        asked, set_ = set(re.findall(r"\$([A-Z_]+)", alerts_)), re.findall(r"(?m)^\$ ([A-Z_]+)=", at_the_top)

        assert asked - set(set_) == set()
        assert len(set_) == len(set(set_)) > 2

    def test_do_not_run_a_program_by_hand_that_is_a_unit(self) -> None:
        """Nobody would start it again."""
        assert re.findall(r"manage\.py (?:reconcile|rqworker-pool)\b", TEXT) == []

    def test_say_live_of_what_is_tried_live(self) -> None:
        tried = {alert: text.partition("**Tried:** ")[2] for alert, text in SECTIONS.items()}

        assert {alert for alert, how in tried.items() if not how.startswith("live")} == set(NOT_TRIED)

    def test_name_figures_that_there_are(self) -> None:
        documented = (ROOT / "docs/observability.md").read_text()

        assert [name for name in re.findall(r"`(runsheet_\w+)`", TEXT) if f"`{name}`" not in documented] == []

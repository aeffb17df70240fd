"""The measurement of the console, as small as it goes: every page comes, at a price that does not depend on the number."""

import json
import sys
from contextlib import nullcontext

import pytest

from bench import console
from bench.console import MOST_QUERIES, Page, _parser, shown


def page(**values: float | str) -> Page:
    return Page(**{"name": "list", "queries": 3, "median_s": 0.1, "p95_s": 0.2, "max_s": 0.9, **values})  # type: ignore[arg-type]  # the test's


class TestBench:
    @pytest.mark.matrix
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("redis")
    # Static files are collected for production only.
    @pytest.mark.filterwarnings("ignore:No directory at")
    def test_asks_for_every_page_of_a_filled_database(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # The tests' servers serve as well; that servers of its own start, the test of bench.discovery tells.
        monkeypatch.setattr(console, "_staged", lambda **_: nullcontext())
        smallest = ["--leases", "300", "--log", "4", "--files", "300", "--requests", "1", "--json"]
        monkeypatch.setattr(sys, "argv", ["bench.console", *smallest])

        console.main()

        pages = {page["name"]: page for page in json.loads(capsys.readouterr().out)["pages"]}
        assert {name.partition(",")[0] for name in pages} == {
            "start page", "list", "transition log", "archives", "lease page", "worst: list", "worst: transition log",
            "worst: archives", "worst: imports", "worst: notices", "worst: people", "files", "file page", "roots",
            "worst: files",
        }  # fmt: skip
        assert not {name: page["queries"] for name, page in pages.items() if not 0 < page["queries"] <= MOST_QUERIES}
        assert all(0 < page["median_s"] <= page["p95_s"] <= page["max_s"] for page in pages.values())

    def test_refuses_what_is_no_number_of_leases(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            _parser().parse_args(["--leases=0"])

        assert ended.value.code == 2
        assert "'0' is not a whole number from 1 on" in capsys.readouterr().err


class TestPage:
    @pytest.mark.parametrize(
        ("values", "is_good"),
        [
            ({}, True),
            ({"p95_s": 0.201}, False),
            ({"name": "worst: list", "p95_s": 2.0}, True),
            ({"name": "worst: list", "p95_s": 2.1}, False),
            ({"queries": 15}, True),
            ({"queries": 16}, False),
            ({"queries": 0}, False),
        ],
    )
    def test_is_good_within_its_bounds(self, values: dict[str, float | str], is_good: bool) -> None:
        assert page(**values).is_good == is_good

    def test_is_shown_in_milliseconds(self) -> None:
        text = shown([page(), page(p95_s=0.3)], load_before=0.5)

        assert "list        3        100     200     900\n" in text
        assert text.count("too slow or too many") == 1

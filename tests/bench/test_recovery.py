"""The measurement's arguments and arithmetic; what it measures takes minutes and is for people."""

import pytest

from bench.recovery import KINDS, Demand, demanded, parser, shown, summary

SOON = Demand(what="a kill", median_s=30, max_s=60)


class TestParser:
    def test_measures_every_kind_three_times_and_no_hang(self) -> None:
        options = parser().parse_args([])

        assert (options.repeat, options.only, options.hang, options.json) == (3, None, False, False)

    def test_takes_some_kinds_only(self) -> None:
        assert parser().parse_args(["--only", "worker", "--only", "valkey"]).only == ["worker", "valkey"]

    @pytest.mark.parametrize("option", ["--repeat", "--workers"])
    @pytest.mark.parametrize("text", ["0", "-1", "1.5", "often", "\u0661"])
    def test_refuses_what_is_no_number_of_times(
        self, option: str, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            parser().parse_args([f"{option}={text}"])

        expected = f"bench.recovery: argument {option}: {text!r} is not a whole number from 1 on\n"
        assert (ended.value.code, capsys.readouterr().err) == (2, expected)

    def test_refuses_a_kind_that_there_is_not(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            parser().parse_args(["--only", "meteorite"])

        assert "bench.recovery: argument --only: invalid choice: 'meteorite'" in capsys.readouterr().err


class TestSummary:
    def test_has_median_and_maximum(self) -> None:
        found = summary(SOON, [12.0, 40.0, 16.004])

        assert (found.seconds, found.median_s, found.max_s, found.good) == ((12.0, 40.0, 16.0), 16.0, 40.0, True)

    @pytest.mark.parametrize(
        ("demand", "seconds"),
        [
            (SOON, [31.0]),
            (SOON, [10.0, 10.0, 60.1]),
            (Demand(what="a flush", max_s=10), [10.1]),
            (Demand(what="a hang", min_s=115, max_s=125), [114.9, 120.0]),
        ],
        ids=["median", "one of them", "without a median", "too soon"],
    )
    def test_is_bad_where_a_demand_is_missed(self, demand: Demand, seconds: list[float]) -> None:
        assert not summary(demand, seconds).good

    @pytest.mark.parametrize(("seconds", "good"), [([30.0, 60.0, 0.0], True), ([30.001], False)])
    def test_counts_the_bound_itself_as_in_time(self, seconds: list[float], good: bool) -> None:
        assert summary(SOON, seconds).good is good


class TestDemanded:
    @pytest.mark.parametrize(
        ("demand", "words"),
        [
            (SOON, "median ≤ 30 s, max ≤ 60 s"),
            (Demand(what="a flush", max_s=10), "max ≤ 10 s"),
            (Demand(what="a hang", min_s=115, max_s=125), "115 to 125 s"),
        ],
    )
    def test_says_the_bounds(self, demand: Demand, words: str) -> None:
        assert demanded(demand) == words


class TestKinds:
    def test_have_the_bounds_that_are_promised(self) -> None:
        assert {kind: (demand.median_s, demand.max_s) for kind, demand in KINDS.items()} == {
            "worker": (30, 60),
            "host": (30, 60),
            "reconciler": (30, 60),
            "flushall": (None, 10),
            "valkey": (None, 10),
        }


class TestShown:
    def test_has_a_line_for_each_kind_and_marks_what_is_missed(self) -> None:
        found = {"a": summary(SOON, [15.9, 16.1]), "b": summary(Demand(what="a flush", max_s=10), [11.0])}

        assert shown(found, load_before=0.3).splitlines() == [
            "from the kill to the next claim   n    median       max  demanded",
            "a kill                            2    16.0 s    16.1 s  median ≤ 30 s, max ≤ 60 s",
            "a flush                           1    11.0 s    11.0 s  max ≤ 10 s  TOO LATE OR TOO SOON",
            "load of the machine before: 0.3",
        ]

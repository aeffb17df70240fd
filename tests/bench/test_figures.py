"""The arithmetic of the measurements."""

from dataclasses import replace

import pytest

from bench.figures import Figures, latencies, per_lease, shown

FIGURES = Figures(
    mode="serial",
    leases=100,
    workers=4,
    latency_ms=50,
    calls_per_lease={"files/list_folder": 1, "sharing/create_shared_link_with_settings": 1},
    median_s=0.189,
    p95_s=0.2,
    max_s=0.3,
    elapsed_s=5.5,
    leases_per_s=18.2,
    latency_share=0.54,
    processor_ms_per_lease=44.5,
    processor_ms_by_part={"creator": 10, "workers": 30, "PostgreSQL": 4.5},
    statements_to_create=6,
    statements_to_work=20,
    frames_to_create=2,
    frames_to_work=4,
    peak_bytes=300 * 2**20,
    memory_kind="PSS",
    load_before=0.1,
    processors=2,
)


class TestLatencies:
    def test_of_a_hundred_the_95th_is_the_95th(self) -> None:
        assert latencies([float(each) for each in range(100, 0, -1)]) == {"median_s": 50.5, "p95_s": 95, "max_s": 100}

    def test_of_one_are_all_the_same(self) -> None:
        assert latencies([0.2]) == {"median_s": 0.2, "p95_s": 0.2, "max_s": 0.2}


class TestPerLease:
    def test_divides_each_routes_calls_by_the_leases(self) -> None:
        assert per_lease(["list", "link", "list", "list"], 2) == {"link": 0.5, "list": 1.5}


class TestShown:
    @pytest.mark.parametrize(
        ("changed", "figure"),
        [({"mode": "serial"}, "653 ms"), ({"mode": "burst"}, "16.9 s")],
    )
    def test_stands_beside_the_predecessors_figure(self, changed: dict[str, str], figure: str) -> None:
        assert figure in shown(replace(FIGURES, mode=changed["mode"]))

    @pytest.mark.parametrize(
        "other",
        [
            replace(FIGURES, latency_ms=0),
            replace(FIGURES, mode="burst", leases=50),
            replace(FIGURES, mode="burst", workers=2),
        ],
    )
    def test_compares_nothing_that_was_measured_otherwise(self, other: Figures) -> None:
        text = shown(other)

        assert "653 ms" not in text
        assert "16.9 s" not in text

    def test_tells_calls_by_route_and_memory_by_kind(self) -> None:
        text = shown(FIGURES)

        assert "(files/list_folder 1, sharing/create_shared_link_with_settings 1)" in text
        assert "(PSS)" in text
        assert "300 MiB" in text

    def test_tells_processor_time_by_part_and_which_statements_only_frame_others(self) -> None:
        text = shown(FIGURES)

        assert "(creator 10.0, workers 30.0, PostgreSQL 4.5)" in text
        assert "work a lease (4 of them BEGIN, COMMIT or savepoints)" in text

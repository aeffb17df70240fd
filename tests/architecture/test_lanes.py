"""What tests/lanes.py tells xdist's scheduler, which says nothing when it does not understand."""

import subprocess
from copy import copy

import pytest
from django.test import Client

from tests.forking import Forks
from tests.lanes import SHARED, StartsPrograms, name_group


class TestNameGroup:
    @pytest.mark.xdist_group("alike")
    def test_is_read_in_the_name_of_a_test(self, request: pytest.FixtureRequest) -> None:
        item = copy(request.node)

        name_group(item)
        name_group(item)

        assert item.nodeid.removesuffix("@alike").endswith("::test_is_read_in_the_name_of_a_test")
        assert item.nodeid.endswith("@alike")

    def test_is_left_alone_without_a_group(self, request: pytest.FixtureRequest) -> None:
        before = request.node.nodeid

        name_group(request.node)

        assert request.node.nodeid == before


class TestPlaces:
    def test_are_lanes(self, request: pytest.FixtureRequest) -> None:
        assert request.node.get_closest_marker("matrix")

    def test_who_runs_forks_is_where_all_others_do(self, request: pytest.FixtureRequest, prepared: Forks) -> None:
        assert request.node.get_closest_marker("process")
        assert request.node.get_closest_marker("xdist_group").args == (SHARED,)

    def test_who_asks_for_pages_says_so_by_asking(self, request: pytest.FixtureRequest, client: Client) -> None:
        assert request.node.get_closest_marker("page")

    def test_who_asks_for_none_does_not(self, request: pytest.FixtureRequest) -> None:
        assert not request.node.get_closest_marker("page")


class TestStartsPrograms:
    def test_is_told_to_a_test_that_does_not_say_so(self) -> None:
        with pytest.raises(StartsPrograms):
            subprocess.run(["true"], check=True)

    @pytest.mark.process
    def test_is_no_matter_for_one_that_says_so(self) -> None:
        assert subprocess.run(["true"], check=True).returncode == 0

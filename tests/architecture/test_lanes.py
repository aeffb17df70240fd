"""What tests/lanes.py tells xdist's scheduler, which says nothing when it does not understand."""

from copy import copy

import pytest

from tests.lanes import name_group


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

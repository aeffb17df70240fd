"""What is only a preparation."""

import pytest

from core.base.preparations import are_made, preparing


class TestPreparing:
    def test_is_what_is_written_in_the_body(self) -> None:
        with preparing():
            with preparing():
                assert are_made()
            assert are_made()
        assert not are_made()

    def test_ends_with_an_error(self) -> None:
        with pytest.raises(ZeroDivisionError), preparing():
            raise ZeroDivisionError

        assert not are_made()

    def test_decorates_a_function(self) -> None:
        assert preparing()(are_made)()

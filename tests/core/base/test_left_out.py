"""What a library loads by the way."""

import importlib
import sys

import pytest

from core.base.left_out import without


class TestWithout:
    def test_cannot_be_imported_in_the_body_and_is_as_before_after_it(self) -> None:
        import colorsys

        with without("colorsys", "tests.no_such_module"):
            with pytest.raises(ImportError):
                import colorsys
            with pytest.raises(ImportError):
                importlib.import_module("tests.no_such_module")

        assert sys.modules["colorsys"] is colorsys
        assert "tests.no_such_module" not in sys.modules

"""A house of which everything can be told that /metrics ever tells."""

from tests.storage.conftest import index, tree

__all__ = ["index", "tree"]

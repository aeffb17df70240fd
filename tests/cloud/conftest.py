"""Olivia's Dropbox, connected, as the process finds it."""

from tests.discovery.conftest import _nothing_remembered, lease, operator

__all__ = ["_nothing_remembered", "lease", "operator"]

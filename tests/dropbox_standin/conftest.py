"""The stand-in, empty, and the SDK's clients for it."""

from typing import TYPE_CHECKING

import pytest

from tests.dropbox_standin.clients import at_root, sdk

if TYPE_CHECKING:
    from dropbox import Dropbox

    from dropbox_standin.client import Standin


@pytest.fixture
def standin(standin_process: "Standin") -> "Standin":
    standin_process.reset(seed="empty")
    return standin_process


@pytest.fixture
def home(standin: "Standin") -> "Dropbox":
    """Olivia's client without a path root."""
    return sdk(standin)


@pytest.fixture
def team(standin: "Standin", home: "Dropbox") -> "Dropbox":
    """Olivia's client under the team's root."""
    return at_root(home, standin.account("olivia"))

"""The stand-in, empty, and the SDK's clients for it."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from dropbox_standin.process import Tls, running
from tests.conftest import traced_programs
from tests.dropbox_standin.certificates import make_tls
from tests.dropbox_standin.clients import at_root, sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropbox import Dropbox

    from dropbox_standin.client import Standin


PROXIES_AND_CERTIFICATES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy or a bundle of certificates of the machine's would come before what a test asks for."""
    for name in PROXIES_AND_CERTIFICATES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def standin_process() -> "Iterator[Standin]":
    """One that counts for coverage, which makes it slow: this is how its code is run at all."""
    with ExitStack() as stack:
        with traced_programs():
            process = stack.enter_context(running(seed="empty"))
        yield process


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1 and Dropbox's names by an authority of the tests' own."""
    return make_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def standin_by_tls(tls: Tls) -> "Iterator[Standin]":
    with running(tls=tls) as standin:
        yield standin


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

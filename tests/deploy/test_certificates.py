"""Certificates as docs/operations.md makes them are believed where Python is strict."""

import shutil
import ssl
from pathlib import Path

import pytest

from tests.typed import commands, typed

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="openssl is not on this machine: apt-get install openssl"
    ),
]
NAME = "redis-1.example.com"


def shake_hands(folder: Path) -> str:
    """The TLS that a host with that certificate and one that trusts its authority agree on.

    Raises:
        SSLCertVerificationError: the certificate is not believed.
    """
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / f"{NAME}.pem", folder / f"{NAME}.key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    asking = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client = asking.wrap_bio(to_client, to_server, server_hostname=NAME)
    for side in (client, server):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    client.do_handshake()
    return str(client.version())


def test_are_believed(tmp_path: Path) -> None:
    said = typed(commands("Certificates of one's own"), instead={}, cwd=tmp_path)

    assert said == f"{NAME}.pem: OK\n"
    assert shake_hands(tmp_path) == "TLSv1.3"


def test_are_not_where_the_authority_does_not_say_what_its_key_is_for(tmp_path: Path) -> None:
    usage = ' -addext "keyUsage=critical,keyCertSign,cRLSign"'
    typed(commands("Certificates of one's own")[:-1], instead={usage: ""}, cwd=tmp_path)

    with pytest.raises(ssl.SSLCertVerificationError, match="CA cert does not include key usage extension"):
        shake_hands(tmp_path)

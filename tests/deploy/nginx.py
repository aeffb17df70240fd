"""Debian's nginx as deploy/nginx has it, for other addresses and another folder."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.local.processes import free_port
from core.local.servers import ROOT
from tests.core.local.test_processes import eventually

PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
DEPLOYED = ROOT / "deploy" / "nginx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """One that runs.

    Attributes:
        url: without a slash at the end.
        plain: the address without TLS.
        certificate: whom to believe.
    """

    url: str
    plain: str
    certificate: str
    place: Path

    def log(self) -> str:
        return (self.place / "access.log").read_text()

    def errors(self) -> str:
        return (self.place / "log").read_text()


@contextmanager
def running(place: Path, *, behind: int, files: Path) -> Iterator[Nginx]:
    """For the length of the body.

    Args:
        place: a folder of its own, which is made.
        behind: the console's port.
        files: where documents lie.
    """
    place.mkdir()
    _certify(place)
    ports = {"listen 8443": free_port(), "listen 8080": free_port()}
    elsewhere = {
        **{line: f"listen 127.0.0.1:{port}" for line, port in ports.items()},
        **dict.fromkeys(("/tmp/", "/run/secrets/", "/etc/nginx/"), f"{place}/"),
        "/dev/stdout": f"{place}/access.log",
        "/srv/documents": str(files),
        "http://web:8000": f"http://127.0.0.1:{behind}",
    }
    for name in ("nginx.conf", "runsheet.conf"):
        text = (DEPLOYED / name).read_text()
        for here, there in elsewhere.items():
            text = text.replace(here, there)
        # As root it would become somebody who cannot come here.
        (place / name).write_text(("user root;\n" if name == "nginx.conf" and os.getuid() == 0 else "") + text)
    assert PROGRAM
    with (place / "log").open("w") as log:
        command = [PROGRAM, "-e", "stderr", "-c", str(place / "nginx.conf")]
        process = subprocess.Popen(command, stderr=log)
    secure, plain = ports.values()
    try:
        eventually(lambda: listens(secure), within_s=20)
        yield Nginx(
            url=f"https://127.0.0.1:{secure}",
            plain=f"http://127.0.0.1:{plain}",
            certificate=f"{place}/tls_certificate",
            place=place,
        )
    finally:
        process.terminate()
        process.wait(10)


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def _certify(place: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (place / "tls_certificate").write_bytes(certificate.public_bytes(encoding))
    (place / "tls_key").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

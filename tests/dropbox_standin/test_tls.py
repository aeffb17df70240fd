"""The SDK over TLS, unmodified and without an adapter, by its environment variables alone."""

import datetime as dt
import ipaddress
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dropbox_standin.client import Standin
from dropbox_standin.process import Tls, running

pytestmark = pytest.mark.process

SCRIPT = """
import sys
import dropbox
from dropbox.common import PathRoot
from dropbox.exceptions import ApiError

client = dropbox.Dropbox(
    oauth2_refresh_token="standin-refresh-olivia",
    app_key="standin-app",
    app_secret="standin-secret",
    ca_certs=sys.argv[1],
    max_retries_on_error=0,
)
root = client.users_get_current_account().root_info.root_namespace_id
team = client.with_path_root(PathRoot.root(root))
print([entry.name for entry in team.files_list_folder("/Archive").entries])
url = team.sharing_create_shared_link_with_settings("/Archive").url
try:
    team.sharing_create_shared_link_with_settings("/Archive")
except ApiError as error:
    print(error.error.get_shared_link_already_exists().get_metadata().url == url)
team.files_upload(b"x", "/Archive/new.txt")
print(team.files_download("/Archive/new.txt")[1].content)
print(team.files_list_folder_longpoll(team.files_list_folder_get_latest_cursor("").cursor).changes)
client.auth_token_revoke()
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1 by an authority of the test's own."""
    folder = tmp_path_factory.mktemp("tls")
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = certificate("Test authority", key=authority_key, issuer="Test authority", signer=authority_key)
    served = certificate("127.0.0.1", key=key, issuer="Test authority", signer=authority_key)
    files = Tls(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
    files.ca.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.cert.write_bytes(served.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture(scope="module")
def standin_by_tls(tls: Tls) -> Iterator[Standin]:
    with running(tls=tls) as standin:
        yield standin


class TestTls:
    def test_serves_the_unmodified_sdk_by_its_environment(self, standin_by_tls: Standin, tls: Tls) -> None:
        standin_by_tls.put("/Archive/report.pdf")
        standin_by_tls.longpoll_cap(0)
        authority = standin_by_tls.base_url.removeprefix("https://")
        hosts = ("DROPBOX_API_HOST", "DROPBOX_API_CONTENT_HOST", "DROPBOX_API_NOTIFY_HOST", "DROPBOX_WEB_HOST")

        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tls.ca)],
            env={**os.environ, **dict.fromkeys(hosts, authority)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.stderr == ""
        assert done.stdout.splitlines() == ["['report.pdf']", "True", "b'x'", "False"]

    def test_can_break_a_connection_too(self, standin_by_tls: Standin, tls: Tls) -> None:
        import requests

        for kind in ("reset", "close", "truncate"):
            standin_by_tls.fault("check/user", kind=kind)
            with pytest.raises(requests.RequestException):
                requests.post(f"{standin_by_tls.base_url}/2/check/user", verify=str(tls.ca), timeout=10)


def certificate(
    name: str, *, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    is_authority = name == issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    builder = builder.add_extension(usage(signs=is_authority), critical=True)
    if not is_authority:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )

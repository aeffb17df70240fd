"""An authority of the tests' own, and a certificate for this machine and for Dropbox's names."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dropbox_standin.process import Tls

NAMES = ("api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com", "www.dropbox.com")


def make_tls(
    folder: Path,
    *,
    addresses: tuple[str, ...] = ("127.0.0.1",),
    names: tuple[str, ...] = NAMES,
    days: int = 1,
    says_usage: bool = True,
) -> Tls:
    """The files that the stand-in serves https with, and its clients trust it by.

    Args:
        days: the certificate is valid for one day, which ends in so many.
        says_usage: of the authority, what its key is for.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Test authority", key=authority_key, signer=authority_key)
    if says_usage:
        authority = authority.add_extension(usage(signs=True), critical=True)
    hosts = [*(x509.IPAddress(ipaddress.ip_address(each)) for each in addresses), *map(x509.DNSName, names)]
    served = (
        _certificate("served", key=key, signer=authority_key, days=days)
        .add_extension(usage(signs=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    )
    files = Tls(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
    for file, made in ((files.ca, authority), (files.cert, served)):
        file.write_bytes(made.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _certificate(
    name: str, *, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, days: int = 1
) -> x509.CertificateBuilder:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - dt.timedelta(days=1, minutes=5))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=key is signer, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


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

"""Encryption for whoever has the key that opens it, in the format of age, version 1.

Who makes backups needs the public key only, and cannot read them. `age --decrypt` opens the files, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage

from core.backups.errors import BackupDamaged, BackupRefused
from core.backups.streams import through


def check_recipients(recipients: Sequence[str]) -> tuple[str, ...]:
    """The public keys, each once and in order.

    Raises:
        BackupRefused: one is none.
    """
    for each in recipients:
        _recipient(each)
    return tuple(sorted(set(recipients)))


def identities(path: str) -> list[Any]:
    """The private keys that stand in a file, one a line, as `age-keygen` writes it.

    Raises:
        BackupRefused: it cannot be read, or holds none. What stands there is not repeated.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupRefused(f"The file of the identity, {path}, cannot be read: {error}") from error
    stated = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(each) for each in stated]
    except pyrage.IdentityError as error:
        raise BackupRefused(f"{path} holds something else than AGE-SECRET-KEY-1….") from error
    if not found:
        raise BackupRefused(f"{path} holds no AGE-SECRET-KEY-1….")
    return found


def public_of(identity: Any) -> str:
    """The public key of a private one."""
    return str(identity.to_public())


def sealed(chunks: Iterable[bytes], recipients: Sequence[str]) -> Iterator[bytes]:
    """Encrypted for these; as it is if there are none."""
    if not recipients:
        return iter(chunks)
    keys = [_recipient(each) for each in recipients]
    return through(lambda source, into: pyrage.encrypt_io(source, into, keys), chunks)


def opened(chunks: Iterable[bytes], keys: Sequence[Any], *, is_sealed: bool) -> Iterator[bytes]:
    """As it was before it was encrypted.

    Raises:
        BackupDamaged: it is not what was encrypted, or none of the keys opens it.
    """
    if not is_sealed:
        return iter(chunks)
    return through(lambda source, into: _open(source, into, keys), chunks)


def _open(source: Any, into: Any, keys: Sequence[Any]) -> None:
    with _told():
        pyrage.decrypt_io(source, into, list(keys))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except pyrage.DecryptError as error:
        raise BackupDamaged(f"It cannot be decrypted: {error}.") from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise BackupDamaged(f"It cannot be decrypted to its end: {error}.") from error


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise BackupRefused(
            "A recipient has to be a public key of age's, which begins with “age1”; “age-keygen” makes one, with its private key."
        ) from error

"""Which secrets a backup needs beside itself. They are named by what tells them apart, and never included."""

import hmac
from collections.abc import Mapping, Sequence

from django.conf import settings

WORDS = b"runsheet: which key it is"
SHOWN = 12


def present() -> dict[str, list[str]]:
    """The fingerprints of the keys that are in use here, by the variable that holds them."""
    signing = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return {
        "SECRET_KEY": [fingerprint(each) for each in signing],
        "TOKEN_ENCRYPTION_KEYS": [fingerprint(each) for each in settings.TOKEN_ENCRYPTION_KEYS],
    }


def lacking(needed: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Those that a backup needs and that are not here."""
    here = present()
    missing = {name: [each for each in prints if each not in here.get(name, ())] for name, prints in needed.items()}
    return {name: prints for name, prints in missing.items() if prints}


def fingerprint(secret: str | bytes) -> str:
    """By which it is known again, and from which nobody gets it."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, WORDS, "sha256").hex()[:SHOWN]

"""What a document may be called, and what may be said of it: the rules, each once."""

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from documents.errors import InvalidMetadata, InvalidName, InvalidUniqueName, InvalidWhy, LeaseUnknown

NAME_AT_MOST = 200
UNIQUE_NAME_AT_MOST = 80
# As PostgreSQL's constraint has it, too.
UNIQUE_NAME = r"^[A-Za-z0-9][A-Za-z0-9-]{1,78}[A-Za-z0-9]$"
# What an address of a public page means, or may come to mean, beside the name of a document; in small letters.
RESERVED = frozenset(
    [
        "admin",
        "all",
        "api",
        "archive",
        "console",
        "content",
        "docs",
        "document",
        "documents",
        "download",
        "downloads",
        "edit",
        "favicon",
        "health",
        "help",
        "index",
        "list",
        "login",
        "logout",
        "media",
        "metrics",
        "new",
        "null",
        "openapi",
        "password",
        "public",
        "robots",
        "root",
        "search",
        "share",
        "shared",
        "static",
        "system",
        "undefined",
        "upload",
        "uploads",
        "version",
        "versions",
        "www",
    ]
)
METADATA_AT_MOST_BYTES = 16_384
METADATA_DEPTH = 5
KEY_AT_MOST = 100
WHY_AT_MOST = 300
# What people who look into storage read; the true name stands in the database.
SAFE_AT_MOST = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# The ends of lines and of paragraphs beside: some of PostgreSQL's locales take these for control characters, too.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# PostgreSQL keeps neither null characters nor halves of others.
_NOT_KEPT = re.compile(r"[\0\ud800-\udfff]")
# These turn the order of what is read around, so that “exe.fdp” reads as “pdf.exe” backwards.
_OVERRIDES = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def checked_name(name: str) -> str:
    """The name, without blanks around it and in the form in which it is compared.

    Raises:
        InvalidName: it cannot be one.
    """
    found = unicodedata.normalize("NFC", name).strip() if not _CONTROL.search(name) else ""
    if not found or len(found) > NAME_AT_MOST or found in {".", ".."} or {"/", "\\"} & set(found):
        raise InvalidName
    if all(unicodedata.category(each)[0] in "CZ" for each in found):
        raise InvalidName("Nobody can see this name. Take one with letters or digits.")
    if _OVERRIDES.search(found):
        raise InvalidName("A document's name must not turn the direction of writing around. Leave such characters out.")
    return found


def safe_name(name: str) -> str:
    """What the file is called in storage: plain letters, digits, and its ending."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, ending = _UNSAFE.sub("_", plain).strip("._-").rpartition(".")
    if not dot:
        return (ending or "file")[:SAFE_AT_MOST]
    ending = ending[: SAFE_AT_MOST // 4]
    return f"{(stem or 'file')[: SAFE_AT_MOST - len(ending) - 1]}.{ending}"


def checked_unique_name(name: str) -> str:
    """The unique name, if it may be one.

    Raises:
        InvalidUniqueName: it has another form, or means something else.
    """
    if not re.fullmatch(UNIQUE_NAME, name):
        raise InvalidUniqueName
    if name.lower() in RESERVED:
        raise InvalidUniqueName(f"“{name}” is kept for something else. Take another unique name.")
    return name


def new_unique_name(name: str) -> str:
    """One that nobody has guessed: what can be read of the name, and some letters by chance."""
    plain = unicodedata.normalize("NFKD", name.rpartition(".")[0] or name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return f"{readable or 'document'}-{secrets.token_hex(5)}"


def checked_why(why: str) -> str:
    """Why there is a version, in somebody's words: without blanks around it, and no longer than is kept.

    Raises:
        InvalidWhy: the database cannot keep it.
    """
    if _NOT_KEPT.search(why):
        raise InvalidWhy
    return why.strip()[:WHY_AT_MOST]


def checked_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata, if it is an object that PostgreSQL keeps as it is.

    Raises:
        InvalidMetadata: it is none, or too large.
    """
    if not isinstance(metadata, Mapping):
        raise InvalidMetadata
    _check_value(metadata, depth=0)
    try:
        length = len(json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError) as error:
        raise InvalidMetadata("The metadata holds something that JSON cannot say.") from error
    if length > METADATA_AT_MOST_BYTES:
        raise InvalidMetadata(f"The metadata has {length:,} bytes; {METADATA_AT_MOST_BYTES:,} are the most.")
    return dict(metadata)


def read_metadata(said: str) -> dict[str, Any]:
    """The object that a text says; nothing said: an empty one.

    Raises:
        InvalidMetadata: it is none.
    """
    try:
        found = json.loads(said or "{}")
    except (ValueError, RecursionError):
        raise InvalidMetadata from None
    if not isinstance(found, dict):
        raise InvalidMetadata
    return found


def read_lease(said: str) -> int | None:
    """The number of a lease that a text says; None: nothing is said.

    Raises:
        LeaseUnknown: it is none.
    """
    if not said:
        return None
    if not (said.isascii() and said.isdecimal() and len(said) < len(str(2**63))):
        raise LeaseUnknown
    return int(said)


def _check_value(value: Any, *, depth: int) -> None:
    if depth > METADATA_DEPTH:
        raise InvalidMetadata(f"The metadata has more than {METADATA_DEPTH} levels.")
    if isinstance(value, str) and _NOT_KEPT.search(value):
        raise InvalidMetadata("The metadata holds a character that the database cannot keep.")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _check_key(key)
            _check_value(each, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for each in value:
            _check_value(each, depth=depth + 1)


def _check_key(key: Any) -> None:
    if not isinstance(key, str) or not 0 < len(key) <= KEY_AT_MOST or _CONTROL.search(key):
        raise InvalidMetadata(
            f"A key of the metadata has 1 to {KEY_AT_MOST} characters, none of them a control character."
        )

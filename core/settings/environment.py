"""The only reader of the environment; an absent or unreadable value is one sentence, not a traceback."""

import math
import os
import re
from base64 import b64decode
from collections.abc import Collection
from email.utils import parseaddr
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import available_timezones

from cryptography.fernet import Fernet, MultiFernet
from django.core.exceptions import ImproperlyConfigured

from core.base import secret_files
from core.base.folding import fold_case
from core.base.patterns import LONGEST_PATTERN, PatternRefused, compiled_as_it_looks

# Encrypted from the first byte, after STARTTLS, and not at all (a relay on the same machine).
SMTP_PORTS = {"smtps": 465, "smtp+tls": 587, "smtp": 25}
SMTP_TIMEOUT_S = 10
# What people call the documents that they write, whatever else a name is like.
PLAIN_NAMES = [
    f"master documents{end}"
    for end in (
        "",
        ".pdf",
        ".doc",
        ".docx",
        ".xls",
        ".xlsx",
        ".rtf",
        ".txt",
        ".tif",
        ".zip",
        ".part1.pdf",
        ".part1.rar",
    )
]

# What else this server answers at.
TAKEN = (
    "api",
    "archives",
    "dropbox",
    "favicon.ico",
    "files",
    "health",
    "metrics",
    "public",
    "share",
    "start",
    "static",
    "tokens",
)


def text(name: str, default: str | None = None) -> str:
    """The value of a variable.

    Raises:
        ImproperlyConfigured: it is unset or empty and there is no default.
    """
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment or in .env; see docs/operations.md.")
    return value


def confidential(name: str, default: str | None = None) -> str:
    """The value of a variable that nobody else is to read, or what stands in the file that `…_FILE` names.

    An empty file says as little as an empty variable.

    Raises:
        ImproperlyConfigured: neither says anything and there is no default; both are set; or the file cannot be read.
    """
    value = secret_files.secret(name) or default
    if value is None and (path := os.environ.get(f"{name}_FILE")):
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which is empty.")
    return text(name) if value is None else value


def base64(name: str) -> str:
    """The value of a variable that nobody else is to read, in base64, or what stands in the file that `…_FILE` names.

    Raises:
        ImproperlyConfigured: as `confidential` does, or it is no base64. The message does not repeat it.
    """
    value = confidential(name)
    try:
        b64decode(value, validate=True)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be in base64; see docs/operations.md.") from None
    return value


def secret(name: str, *, shortest: int) -> str:
    """The value of a variable that signs or encrypts, or what stands in the file that `…_FILE` names.

    Raises:
        ImproperlyConfigured: as `confidential` does, or it is so short that it can be guessed.
    """
    value = confidential(name)
    if len(value) < shortest:
        raise ImproperlyConfigured(f"{name} must have {shortest} characters or more; see docs/operations.md.")
    return value


def encryption_keys(name: str) -> list[str]:
    """The values of a variable that holds keys for Fernet, or of the file that `…_FILE` names.

    Raises:
        ImproperlyConfigured: as `confidential` does, or it holds something else. The message does not repeat it.
    """
    keys = separated(confidential(name))
    try:
        _ = MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must hold keys of 32 bytes each in URL-safe base64, separated by commas; see docs/operations.md."
        ) from None
    return keys


def names(name: str) -> bool:
    """Whether the variable is there, be it empty."""
    return name in os.environ


def number(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """The value of a variable as a number.

    Raises:
        ImproperlyConfigured: it is not a number, or beyond the bounds.
    """
    value = os.environ.get(name) or str(default)
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not minimum <= found <= maximum:  # of what is no number neither is true
        raise ImproperlyConfigured(f"{name} must be a number from {minimum:g} to {maximum:g}, not {value!r}.")
    return found


def whole_number(name: str, default: int, *, minimum: int = 0, maximum: int) -> int:
    """The value of a variable as a whole number.

    Raises:
        ImproperlyConfigured: it is not one, or beyond the bounds.
    """
    value = number(name, default, minimum=minimum, maximum=maximum)
    if not value.is_integer():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value}.")
    return int(value)


def time_zone(name: str, default: str) -> str:
    """The value of a variable as the name of a time zone.

    Raises:
        ImproperlyConfigured: there is none of that name.
    """
    value = text(name, default)
    if value not in available_timezones():
        raise ImproperlyConfigured(f"{name} must be the name of a time zone, such as {default}, not {value!r}.")
    return value


def sentry_dsn(name: str) -> str:
    """The value of a variable, or of the file that `…_FILE` names, as the address of an error tracker's project; it may be empty.

    Raises:
        ImproperlyConfigured: it is no such address. It holds a key, so that the message does not repeat it.
    """
    value = confidential(name, "")
    if not value:
        return ""
    from sentry_sdk.utils import BadDsn, Dsn  # noqa: PLC0415 - it takes memory, and time to load, in each process

    try:
        return str(Dsn(value))
    except (BadDsn, ValueError):
        raise ImproperlyConfigured(
            f"{name} must be a DSN as the error tracker shows it; see docs/observability.md."
        ) from None


def choice(name: str, default: str, among: Collection[str]) -> str:
    """The value of a variable that may have few; upper and lower case are the same.

    Raises:
        ImproperlyConfigured: it has another.
    """
    value = text(name, default)
    found = {each.casefold(): each for each in among}.get(value.casefold())
    if found is None:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(among)}, not {value!r}.")
    return found


def pattern(name: str, default: str) -> str:
    """The value of a variable as a regular expression that `core.base.patterns` can match.

    Raises:
        ImproperlyConfigured: it is not one, or too long.
    """
    value = text(name, default)
    if len(value) > LONGEST_PATTERN:
        raise ImproperlyConfigured(f"{name} may have at most {LONGEST_PATTERN} characters, not {len(value)}.")
    try:
        compiled_as_it_looks(value)
    except PatternRefused as error:
        raise ImproperlyConfigured(
            f"{name} must be a regular expression of RE2's syntax; {value!r} is none: {error}"
        ) from None
    return value


def name_forms(name: str, default: str) -> list[str]:
    """The value of a variable as forms of file names, such as `~$*`, separated by commas; `-` for none at all.

    Raises:
        ImproperlyConfigured: one is so wide that it would hide what somebody has written.
    """
    forms = words(name, text(name, default))
    for form in forms:
        if any(fnmatchcase(plain, fold_case(form)) for plain in PLAIN_NAMES):
            raise ImproperlyConfigured(
                f"{name} must name forms of what programs leave behind, such as ~$*; {form!r} would hide reports too."
            )
    return [form for form in forms if form != "-"]


def address(name: str, value: str, *, schemes: tuple[str, ...]) -> str:
    """A server's address, checked for its kind; it may hold a password, so that the message does not repeat it.

    Raises:
        ImproperlyConfigured: it is the address of something else.
    """
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not a valid address; see docs/operations.md for its form.") from None
    if parts.scheme not in schemes:
        kinds = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} must begin with {kinds}.")
    return value


def whole_address(name: str, value: str, *, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a server's address that has nothing behind its host and its path.

    Raises:
        ImproperlyConfigured: it has, which would be dropped without a word; most likely it is a part of the password.
    """
    parts = urlsplit(address(name, value, schemes=schemes))
    if parts.fragment or value.endswith("#"):
        raise ImproperlyConfigured(f"{name} must not hold “#”; in a password it is written %23.")
    return parts


def mailers(name: str, value: str) -> dict[str, Any]:
    """Django's MAILERS from an address such as smtps://user:password@mail.example.com:465.

    Raises:
        ImproperlyConfigured: it is no address of a mail server.
    """
    parts = whole_address(name, value, schemes=tuple(SMTP_PORTS))
    if not parts.hostname:
        raise ImproperlyConfigured(f"{name} must name a host, such as smtps://user:password@mail.example.com.")
    if parts.query or parts.path not in ("", "/"):
        raise ImproperlyConfigured(f"{name} must end with its host or port; it takes no options and no path.")
    options = {
        "host": parts.hostname,
        "port": parts.port or SMTP_PORTS[parts.scheme],
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": parts.scheme == "smtps",
        "use_tls": parts.scheme == "smtp+tls",
        "timeout": SMTP_TIMEOUT_S,
    }
    return {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}


def console_url(name: str, *, hosts: list[str]) -> str:
    """Where the console is reached, without a slash at the end: the value of a variable, else the first of the hosts.

    Raises:
        ImproperlyConfigured: it is no web address, plain http beyond loopback, or unset while the first host is a pattern.
    """
    first = next(iter(hosts), "*")
    is_pattern = "*" in first or first.startswith(".")
    value = web_address(name, None if is_pattern else f"https://{first}")
    parts = urlsplit(value)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ImproperlyConfigured(f"{name} may use plain http on loopback only; use https.")
    return value


def web_address(name: str, default: str | None) -> str:
    """The value of a variable as an address that a browser opens, without a slash at the end.

    Raises:
        ImproperlyConfigured: it is unset without a default, no such address, or names no host.
    """
    value = address(name, text(name, default), schemes=("https", "http"))
    parts = urlsplit(value)
    if not parts.hostname or "*" in parts.hostname:
        raise ImproperlyConfigured(f"{name} must name a host, such as https://runsheet.example.com.")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name} must end with its host or port, such as https://runsheet.example.com.")
    return value.rstrip("/")


def endpoint(name: str) -> str:
    """The value of a variable as the address of a server that documents are sent to, without a slash at the end; may be empty.

    Raises:
        ImproperlyConfigured: it is no such address, or would send them unencrypted beyond this machine.
    """
    value = text(name, " ").strip()
    if not value:
        return ""
    parts = whole_address(name, value, schemes=("https", "http"))
    if not parts.hostname or parts.query or "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name} must name a host and at most a path, such as https://objects.example.com.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ImproperlyConfigured(f"{name} may use plain http on loopback only; use https.")
    return value.rstrip("/")


def directory(name: str, default: str | None) -> str:
    """The value of a variable as a folder of this machine.

    Raises:
        ImproperlyConfigured: it is unset without a default, or depends on where a program was started.
    """
    value = text(name, default)
    if not Path(value).is_absolute():
        raise ImproperlyConfigured(f"{name} must be a path from the top, such as /srv/documents, not {value!r}.")
    return value


def folder(name: str, default: str) -> str:
    """The value of a variable as a part of this server's addresses, without slashes around it.

    Raises:
        ImproperlyConfigured: it has other characters than letters, digits, “-” and “_”, or is taken.
    """
    value = text(name, default).strip("/")
    if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value) or value.partition("/")[0].casefold() in TAKEN:
        raise ImproperlyConfigured(
            f"{name} must be letters, digits, “-”, “_” and “/”, and not begin with {' or '.join(TAKEN)}; not {value!r}."
        )
    return value


def sender(name: str, default: str) -> str:
    """The value of a variable as who a mail comes from.

    Raises:
        ImproperlyConfigured: it is no such address, or would be read as another header.
    """
    value = text(name, default)
    if not value.isprintable() or not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", parseaddr(value)[1]):
        raise ImproperlyConfigured(f"{name} must be an address, such as {default}, not {value!r}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """The comma-separated values of a variable."""
    return separated(text(name, default or " "))


def separated(value: str) -> list[str]:
    """What stands between commas, without what is empty."""
    return [word.strip() for word in value.split(",") if word.strip()]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

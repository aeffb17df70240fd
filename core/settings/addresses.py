"""Addresses of servers and hosts: what stands in one must not undo what the settings say beside it."""

import re
import ssl
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.settings import environment

# Where the server is and how one proves who one is; None: any value. Whatever else libpq or Django take there is a setting
# (time-outs among them), and would win over ours.
OF_POSTGRESQL: Mapping[str, Collection[str] | None] = {
    "application_name": None,
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "host": None,
    "port": None,
    "sslcert": None,
    "sslcrl": None,
    "sslkey": None,
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "sslpassword": None,
    "sslrootcert": None,
    "target_session_attrs": ("any", "read-write", "primary"),
}
OF_REPLICA: Mapping[str, Collection[str] | None] = {
    **OF_POSTGRESQL,
    "target_session_attrs": ("any", "read-only", "standby", "prefer-standby"),
}
OF_REDIS: Mapping[str, Collection[str] | None] = {"db": None}
# Without a check of the certificate, TLS proves nothing.
OF_REDIS_WITH_TLS: Mapping[str, Collection[str] | None] = {
    **OF_REDIS,
    "ssl_ca_certs": None,
    "ssl_ca_path": None,
    "ssl_cert_reqs": ("required",),
    "ssl_certfile": None,
    "ssl_check_hostname": ("true", "True", "yes", "1"),
    "ssl_keyfile": None,
}
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
HOST = re.compile(r"\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
# “*.example.com”, but not “*.com”.
ORIGIN = re.compile(rf"(\*\.[^.*]+\.[^*]+|{HOST.pattern})(:[0-9]+)?", re.IGNORECASE)


def database(name: str, value: str, options: Mapping[str, Collection[str] | None] = OF_POSTGRESQL) -> str:
    """The address of a PostgreSQL's database.

    Raises:
        ImproperlyConfigured: it is none, or has options that are settings. The message does not repeat it.
    """
    parts = environment.whole_address(name, value, schemes=("postgresql", "postgres"))
    _check_options(name, parts, options)
    if not re.fullmatch(r"/[^/]+", parts.path):
        raise ImproperlyConfigured(
            f"{name} must name a database, such as postgresql://user:password@host:5432/runsheet."
        )
    return value


def replica(name: str, value: str) -> str:
    """The address of a replica, whose people and passwords are those of the primary; empty: there is none.

    Raises:
        ImproperlyConfigured: as `database` and `with_password` do.
    """
    if not value:
        return ""
    url = with_password(name, database(name, value, OF_REPLICA), beside="DATABASE_REPLICA_PASSWORD")
    return url if urlsplit(url).password else with_password(name, url, beside="DATABASE_PASSWORD")


def redis(name: str, value: str) -> str:
    """The address of a Redis.

    Raises:
        ImproperlyConfigured: it is none, has options that are settings, or names files that hold no certificates. The message
            does not repeat it.
    """
    parts = environment.whole_address(name, value, schemes=("redis", "rediss", "unix"))
    options = _check_options(name, parts, OF_REDIS_WITH_TLS if parts.scheme == "rediss" else OF_REDIS)
    number = options.get("db", "" if parts.scheme == "unix" else parts.path.strip("/"))
    if not re.fullmatch(r"[0-9]{0,4}", number):
        raise ImproperlyConfigured(f"{name} must name the database by its number, such as redis://host:6379/0.")
    if parts.scheme == "unix" and len(unquote(parts.path)) < 2:  # noqa: PLR2004 - a slash, and a name
        raise ImproperlyConfigured(f"{name} must name a socket, such as unix:///run/redis/redis.sock.")
    if parts.scheme == "rediss":
        _check_certificates(name, options)
    return value


def with_password(name: str, url: str, *, beside: str) -> str:
    """The address of a server with the password that another variable holds, or the file that its `…_FILE` names.

    Args:
        beside: that variable, which may be unset.

    Raises:
        ImproperlyConfigured: the address has a password itself, or the file cannot be read.
    """
    password = environment.confidential(beside, "")
    if not password:
        return url
    parts = urlsplit(url)
    if parts.password:
        raise ImproperlyConfigured(f"{name} holds a password, and {beside} is set; only one of them can be meant.")
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.removesuffix(':')}:{quote(password, safe='')}@{host}").geturl()


def hosts(name: str) -> list[str]:
    """The value of a variable as the names that the console is reached by.

    Raises:
        ImproperlyConfigured: it is unset, or one of them is none, such as “*”: then whoever asks would say the name.
    """
    found = environment.words(name, environment.text(name))
    if wrong := [host for host in found if not HOST.fullmatch(host)]:
        raise ImproperlyConfigured(
            f"{name} must hold names of hosts without scheme, port or “*”, such as runsheet.example.com, not {wrong[0]!r}."
        )
    return found


def origins(name: str) -> list[str]:
    """The value of a variable as the places whose forms are taken.

    Raises:
        ImproperlyConfigured: one of them is none, is not encrypted, or stands for half the web.
    """
    found = environment.words(name)
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme != "https" or not ORIGIN.fullmatch(origin.removeprefix("https://")):
            raise ImproperlyConfigured(
                f"{name} must hold origins, such as https://runsheet.example.com, not {origin!r}."
            )
    return found


def _check_certificates(name: str, options: Mapping[str, str]) -> None:
    """Now, in words; else every connection would fail with words about the network."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authorities, certificate, key = (options.get(each) for each in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"))
    if key and not certificate:
        raise ImproperlyConfigured(f"The option ssl_keyfile of {name} needs ssl_certfile, whose key it is.")
    for option, path in options.items():
        if option in FILES:
            _check_readable(f"The option {option} of {name}", path)
    try:
        if authorities:
            context.load_verify_locations(authorities)
    except ssl.SSLError:
        raise ImproperlyConfigured(f"The option ssl_ca_certs of {name} must name certificates in PEM.") from None
    try:
        if certificate:
            context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError:
        raise ImproperlyConfigured(
            f"The options ssl_certfile and ssl_keyfile of {name} must name a certificate and its key without a password, in PEM."
        ) from None


def _check_readable(what: str, path: str) -> None:
    try:
        with Path(path).open("rb"):
            return
    except OSError as error:
        raise ImproperlyConfigured(f"{what} names {path}, which cannot be read: {error.strerror}.") from None


def _check_options(name: str, parts: SplitResult, allowed: Mapping[str, Collection[str] | None]) -> dict[str, str]:
    given = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(given)
    for option, value in options.items():
        if option not in allowed:
            raise ImproperlyConfigured(f"{name} may have no option but {', '.join(allowed)}; it has {option!r}.")
        values = allowed[option]
        if not value or (values is not None and value not in values):
            right = f"be {' or '.join(values)}" if values else "have a value"
            raise ImproperlyConfigured(f"The option {option} of {name} must {right}.")
    if len(options) < len(given):
        raise ImproperlyConfigured(f"{name} has an option twice.")
    return options

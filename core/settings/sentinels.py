"""Whom to ask which Redis is the primary, out of the environment."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.base.redis_servers import Sentinels
from core.settings import environment
from core.settings.addresses import HOST

PORT = 26379


def sentinels(redis_url: str) -> Sentinels | None:
    """Those that REDIS_SENTINELS names; None if it names none.

    Raises:
        ImproperlyConfigured: something cannot be right, or contradicts the address of Redis. The message repeats no password.
    """
    hosts = tuple(_host(each) for each in environment.words("REDIS_SENTINELS"))
    service = environment.text("REDIS_SENTINEL_SERVICE", " ").strip()
    user = environment.text("REDIS_SENTINEL_USER", " ").strip()
    password = environment.confidential("REDIS_SENTINEL_PASSWORD", "")
    told = environment.choice("REDIS_SENTINEL_TLS", "as Redis", among=("as Redis", "yes", "no"))
    if not hosts:
        if service or user or password or told != "as Redis":
            raise ImproperlyConfigured(
                "REDIS_SENTINEL_… says how sentinels are asked, but REDIS_SENTINELS names none. Set both, or neither."
            )
        return None
    if not service:
        raise ImproperlyConfigured(
            "REDIS_SENTINEL_SERVICE must say what the sentinels call the servers, as in their “sentinel monitor NAME …”."
        )
    parts = urlsplit(redis_url)
    if parts.scheme == "unix" or parts.hostname or parts.port:
        raise ImproperlyConfigured(
            "REDIS_URL must name no host beside REDIS_SENTINELS, which say where Redis is, such as redis://user:password@/0."
        )
    has_tls = parts.scheme == "rediss"
    if told == "yes" and not has_tls:
        raise ImproperlyConfigured(
            "REDIS_SENTINEL_TLS may be yes only if REDIS_URL begins with rediss://, which names the certificates."
        )
    if user and not password:
        raise ImproperlyConfigured("REDIS_SENTINEL_USER needs a REDIS_SENTINEL_PASSWORD.")
    return Sentinels(hosts=hosts, service=service, user=user, password=password, has_tls=has_tls and told != "no")


def _host(value: str) -> tuple[str, int]:
    found = re.fullmatch(rf"({HOST.pattern}):([0-9]{{1,5}})", value, re.IGNORECASE)
    name, port = (found[1], int(found[found.re.groups])) if found else (value, PORT)
    if value.startswith(".") or not HOST.fullmatch(name) or not 0 < port < 2**16:
        raise ImproperlyConfigured(
            f"REDIS_SENTINELS must name hosts, such as sentinel-1.example.com:{PORT}, not {value!r}."
        )
    return name.strip("[]"), port

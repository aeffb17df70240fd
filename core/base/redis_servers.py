"""How a connection to Redis is made, whoever makes it: to which server, as whom, and for how long it is waited for.

Without sentinels Redis is where its address says. With sentinels they are asked for the primary each time that a connection
is made: after a fail-over the next connection leads to the new one, and nobody has to be told
(docs/decisions/0026-whom-redis-lets-do-what.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import SSLConnection, parse_url
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection

from core.base import redis_tls

NO_SENTINEL = "None of the sentinels answers ({reason}). See that they run and that REDIS_SENTINELS is right."
NOT_WATCHED = "The sentinels watch no Redis of that name ({reason}). See REDIS_SENTINEL_SERVICE."
NO_ENTRY = "The sentinels do not let us in ({reason}). See REDIS_SENTINEL_USER, REDIS_SENTINEL_PASSWORD, and the user's rights (ACL)."
NO_PRIMARY = (
    "The sentinels know of no primary that is well ({reason}): they are choosing another one, or have none to choose. "
    "See them and their log."
)

TOO_FEW = "Too few sentinels reach one another to choose another primary ({reason}). See them and the way between them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """Whom to ask which server is the primary.

    Attributes:
        hosts: name and port of each; the first that answers is believed.
        service: what they call the servers among which they choose.
        has_tls: whether they are asked in TLS, with the certificates that the address of Redis names.
    """

    hosts: tuple[tuple[str, int], ...]
    service: str
    user: str = ""
    password: str = field(default="", repr=False)
    has_tls: bool = False


class NoPrimary(RedisConnectionError):
    """The sentinels name no primary; `words` say why, with a place for the message."""

    def __init__(self, words: str, reason: str) -> None:
        super().__init__(reason)
        self.words = words


def client(url: str, *, timeout_s: float) -> Redis:
    """A client with connections of its own, which end with it.

    Args:
        timeout_s: for each answer, of which there is one attempt. RQ's workers give themselves more, since they wait for jobs.
    """
    options = options_of(url, timeout_s=timeout_s)
    if settings.REDIS_SENTINELS is not None:
        has_tls = options.get("connection_class") is SSLConnection
        options["connection_class"] = SentinelManagedSSLConnection if has_tls else SentinelManagedConnection
        options["connection_pool"] = Primary(settings.REDIS_SENTINELS, options)
    return Redis.from_pool(ConnectionPool(**options))


def options_of(url: str, *, timeout_s: float) -> dict[str, Any]:
    """Of a connection to there: as whom, with which certificates, and `patience`."""
    return parse_url(url) | patience(timeout_s)  # type: ignore[no-any-return, no-untyped-call]  # redis types it in part


def patience(timeout_s: float) -> dict[str, Any]:
    """Of a connection: how long it waits for each answer, and nothing asked that is not needed: each question would be a trip to a server that may be slow."""
    return {
        "socket_connect_timeout": timeout_s,
        "socket_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


class Primary:
    """The server that is the primary at present. redis-py's connections ask it where they lead, and call it their pool."""

    is_master = True
    check_connection = False

    def __init__(self, sentinels: Sentinels, options: dict[str, Any]) -> None:
        """`options` are those of the connections to Redis itself: time-outs and certificates are the sentinels', too."""
        self.service_name = sentinels.service
        certificates = {name: value for name, value in options.items() if name.startswith("ssl_")}
        self._sentinels = [
            Redis(
                host=host,
                port=port,
                username=sentinels.user or None,
                password=sentinels.password or None,
                ssl=sentinels.has_tls,
                **(certificates if sentinels.has_tls else {}),
                **patience(options["socket_timeout"]),
            )
            for host, port in sentinels.hosts
        ]
        self._first = 0  # who has answered last

    def get_master_address(self) -> tuple[str, int]:
        """Host and port of it.

        Raises:
            NoPrimary: nobody knows one.
        """
        troubles: list[NoPrimary] = []
        for number in self._in_turn():
            try:
                address = _address(self.state_at(number))
            except NoPrimary as trouble:
                troubles.append(trouble)
            else:
                self._first = number
                return address
        # Who answers knows more than who does not.
        raise next((each for each in troubles if each.words != NO_SENTINEL), troubles[0])

    def _in_turn(self) -> Iterator[int]:
        first = self._first
        yield first
        yield from (number for number in range(len(self._sentinels)) if number != first)

    def state_at(self, number: int) -> dict[str, Any]:
        """What one of them says of the primary; see “SENTINEL MASTER” in Redis' documentation.

        Raises:
            NoPrimary: it does not answer, or will not say.
        """
        state: dict[str, Any] = self._ask("SENTINEL MASTER", number)
        return state

    def replicas_at(self, number: int) -> int:
        """How many servers one of them knows of that could take over.

        Raises:
            NoPrimary: it does not answer, or will not say.
        """
        return sum(not (each["is_sdown"] or each["is_odown"]) for each in self._ask("SENTINEL SLAVES", number))

    def check_quorum(self, number: int) -> None:
        """Whether enough of them reach one another to choose another primary, as one of them sees it.

        Raises:
            NoPrimary: too few; `words` say how many.
        """
        self._ask("SENTINEL CKQUORUM", number)

    def _ask(self, command: str, number: int) -> Any:
        try:
            return self._sentinels[number].execute_command(command, self.service_name)  # type: ignore[no-untyped-call]  # as above
        except (AuthenticationError, NoPermissionError) as error:
            raise NoPrimary(NO_ENTRY, str(error)) from error
        except ResponseError as error:
            words = TOO_FEW if str(error).startswith("NOQUORUM") else NOT_WATCHED
            raise NoPrimary(words, str(error)) from error
        except RedisError as error:
            raise NoPrimary(redis_tls.words_of(error, redis_tls.SENTINEL) or NO_SENTINEL, str(error)) from error


def _address(state: dict[str, Any]) -> tuple[str, int]:
    if not state["is_master"] or state["is_sdown"] or state["is_odown"]:
        raise NoPrimary(NO_PRIMARY, f"{state['ip']}:{state['port']} is {state['flags']}")
    return state["ip"], state["port"]

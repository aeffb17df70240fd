"""Servers for something that is to leave no trace: its own embedded ones, or a part of those that the environment names.

Never touches data that is there: a database made for it and dropped again, and a Redis number that is empty.
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from core.base.errors import Refused
from core.base.redis_keys import redis_key
from core.base.secret_files import secret
from core.local import servers
from core.local.servers import ServerUrls

# What an ordinary Redis offers; 0 is where people keep their data.
REDIS_NUMBERS = range(15, 0, -1)
# Says that the number is taken.
MARK = redis_key("spare")


class NoSpareServer(Refused):
    """There is no room on the server that the environment names."""

    code = "no_spare_server"


@contextmanager
def spare_servers(directory: Path) -> Iterator[ServerUrls]:
    """Empty servers for the length of the body.

    Args:
        directory: for the embedded ones; emptied first.

    Raises:
        AlreadyRunning: another process uses the directory.
        NoSpareServer: a server that the environment names does not answer, or offers nothing to spare.
    """
    if directory.exists():
        servers.remove(directory)
    with ExitStack() as stack:
        urls = stack.enter_context(servers.running(directory, durable=False))
        yield ServerUrls(
            database_url=stack.enter_context(spare_database(urls.database_url, purpose=directory.name))
            if secret("DATABASE_URL")
            else urls.database_url,
            redis_url=stack.enter_context(_redis_number(urls.redis_url)) if secret("REDIS_URL") else urls.redis_url,
        )


@contextmanager
def spare_database(url: str, *, purpose: str) -> Iterator[str]:
    name = f"runsheet_{purpose}_{secrets.token_hex(4)}"
    try:
        _execute(url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield _with_database(url, name)
    finally:  # also of whoever is interrupted while it is made
        _execute(url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(url: str, statement: sql.Composed) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)
    except psycopg.Error as error:
        raise NoSpareServer(
            f"PostgreSQL at DATABASE_URL gives no database of its own ({str(error).strip()}). Unset DATABASE_URL to "
            "use the embedded server, or give a user who may create databases."
        ) from error


@contextmanager
def _redis_number(url: str) -> Iterator[str]:
    owner = secrets.token_hex(8)
    taken = ""
    try:
        taken = _take_number(url, owner)
        yield taken
    finally:
        for number in [taken] if taken else _marked(url, owner):
            with Redis.from_url(number) as redis:
                redis.flushdb()


def _numbers(url: str) -> list[str]:
    return [_with_number(url, number) for number in REDIS_NUMBERS]


def _marked(url: str, owner: str) -> Iterator[str]:
    """What somebody has taken who was interrupted just then."""
    with suppress(RedisError):  # one that does not answer has given nothing
        for number in _numbers(url):
            with Redis.from_url(number) as redis:
                if redis.get(MARK) == owner.encode():
                    yield number


def _take_number(url: str, owner: str) -> str:
    try:
        for spare in _numbers(url):
            with Redis.from_url(spare) as redis:
                if _is_taken(redis, owner):
                    return spare
    except RedisError as error:
        raise NoSpareServer(
            f"Redis at REDIS_URL gives no number of its own ({error}). Start it, or unset REDIS_URL to use the embedded "
            "server, or give a user who may empty one."
        ) from error
    raise NoSpareServer(
        "Redis at REDIS_URL has no empty number from 1 to 15. Empty one, or unset REDIS_URL to use the embedded server."
    )


def _is_taken(redis: Redis, owner: str) -> bool:
    """Take the number if it is empty; one of several who try at the same time gets it."""
    try:
        return redis.dbsize() == 0 and bool(redis.set(MARK, owner, nx=True))
    except NoPermissionError:
        raise
    except ResponseError:  # a server with fewer numbers
        return False


def _with_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{name}{parts.query and '?'}{parts.query}"


def _with_number(url: str, number: int) -> str:
    base, _, query = url.partition("?")
    return f"{base}?{urlencode(dict(parse_qsl(query)) | {'db': str(number)})}"

"""What the places are asked with, and an address by anybody who has one."""

import os
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from django.test import Client

# More than one piece.
LARGE = os.urandom(1_000_003) * 10


def chunks(content: bytes, size: int = 1_000_003) -> Iterator[bytes]:
    """A stream of a length that nobody is told."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def breaking(content: bytes, error: BaseException) -> Iterator[bytes]:
    yield from chunks(content)
    raise error


def fetched(address: str) -> tuple[int, dict[str, str], bytes]:
    """What anybody gets there who has nothing but the address."""
    if "/files/" in address:
        answer = Client().get(address[address.index("/files/") :])
        return answer.status_code, dict(answer.headers), answer.getvalue()
    try:
        with build_opener(ProxyHandler({})).open(address) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, {}, b""

"""Addresses of our own that open one file for a while, for places that sign none themselves."""

from dataclasses import dataclass

from django.core.signing import BadSignature, dumps, loads

from core.base import clock
from core.base.errors import Refused

SALT = "storage.signed"


class NotSigned(Refused):
    """This address opens nothing, or nothing any more."""

    code = "storage_not_signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an address opens: the file, and the name under which it is kept by who fetches it."""

    key: str
    name: str


def signed(*, key: str, name: str, seconds: int) -> str:
    """A part of an address that opens the file for so long."""
    return dumps([key, name, int(clock.now().timestamp()) + seconds], salt=SALT)


def opened(*, token: str) -> Opening:
    """What that part of an address opens.

    Raises:
        NotSigned: it was not made by us, or its time is over.
    """
    try:
        key, name, until = loads(token, salt=SALT)
    except BadSignature:
        raise NotSigned from None
    if clock.now().timestamp() >= until:
        raise NotSigned
    return Opening(key=key, name=name)

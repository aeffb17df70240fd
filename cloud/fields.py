"""A text column that holds ciphertext."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from cloud.errors import TokensUnreadable

# Stands before what `dumpdata` writes, so that `loaddata` tells it from a plain text; no token of Dropbox has a colon.
DUMPED = "encrypted:"

_sealed: ContextVar[bool] = ContextVar("sealed", default=False)


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Text, encrypted with the first of `TOKEN_ENCRYPTION_KEYS` and readable with any of them; never searched.

    Raises:
        TokensUnreadable: on reading what none of the keys opens.
    """

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        text = super().get_db_prep_save(value, connection)
        return encrypt(text) if text else text

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return value if _sealed.get() else opened(value)

    def value_to_string(self, obj: models.Model) -> str:
        """For `dumpdata`: a dump is as safe as the database, and needs the same keys."""
        text = self.value_from_object(obj)
        return DUMPED + encrypt(text) if text else ""

    def to_python(self, value: Any) -> Any:
        """For `loaddata`: the text again, which saving encrypts.

        Raises:
            TokensUnreadable: none of the keys opens it.
        """
        text = super().to_python(value)
        return decrypt(text.removeprefix(DUMPED)) if isinstance(text, str) and text.startswith(DUMPED) else text

    def get_lookup(self, lookup_name: str) -> Any:
        """Nothing but `isnull`: the same text has another ciphertext each time."""
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be searched.")
        return super().get_lookup(lookup_name)


def opened(value: str | None) -> str | None:
    """A stored value in clear; where there is none, nothing.

    Raises:
        TokensUnreadable: none of the keys opens it.
    """
    return decrypt(value) if value else value


@contextmanager
def sealed() -> Iterator[None]:
    """Read rows without decrypting them: for who needs no token. Rows that are read so must not be saved."""
    before = _sealed.set(True)
    try:
        yield
    finally:
        _sealed.reset(before)


def encrypt(text: str) -> str:
    """With the first of `TOKEN_ENCRYPTION_KEYS`."""
    return _box(tuple(settings.TOKEN_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """With any of `TOKEN_ENCRYPTION_KEYS`.

    Raises:
        TokensUnreadable: none of them opens it.
    """
    try:
        return _box(tuple(settings.TOKEN_ENCRYPTION_KEYS)).decrypt(ciphertext).decode()
    except InvalidToken:
        raise TokensUnreadable from None


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "TOKEN_ENCRYPTION_KEYS must hold at least one key of 32 bytes in URL-safe base64, separated by commas."
        ) from error

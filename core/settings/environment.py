"""The only reader of the environment; an absent or unreadable value is one sentence, not a traceback."""

import os

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The value of a variable.

    Raises:
        ImproperlyConfigured: it is unset or empty and there is no default.
    """
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment or in .env; see docs/operations.md.")
    return value


def number(name: str, default: float) -> float:
    """The value of a variable as a number.

    Raises:
        ImproperlyConfigured: it is not a number.
    """
    value = os.environ.get(name) or str(default)
    try:
        return float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None


def whole_number(name: str, default: int) -> int:
    return int(number(name, default))


def words(name: str, default: str = "") -> list[str]:
    """The comma-separated values of a variable."""
    return [word.strip() for word in text(name, default or " ").split(",") if word.strip()]

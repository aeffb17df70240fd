"""How the control API reads its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotUnderstood(ValueError):
    """A request to the control API that cannot be served; the text says why."""


def fields_of(body: Mapping[str, Any], *known: str) -> None:
    """Raises: NotUnderstood: the body has a field that is not known here."""
    if unknown := body.keys() - set(known):
        raise NotUnderstood(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known) or 'nothing'}")


def text(value: Any, name: str) -> str:
    """Raises: NotUnderstood: it is no text."""
    if not isinstance(value, str) or not value:
        raise NotUnderstood(f"{name} must be a text")
    return value


def number(value: Any, name: str, *, least: float) -> float:
    """Raises: NotUnderstood: it is no number, or too small."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise NotUnderstood(f"{name} must be a number") from None
    if not least <= result < float("inf"):
        raise NotUnderstood(f"{name} must be at least {least}")
    return result

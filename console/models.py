"""The tables of the console."""

from console.notices.models import FailureNotice, Noticed

__all__ = ["FailureNotice", "Noticed"]

"""How an instant looks on every page of the console."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core.base.clock import now

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
OLD_S = 30 * DAY_S


def ago(at: datetime | None) -> SafeString:
    """An instant as “3 min ago”, with the exact time and its zone on hover; the browser keeps it up to date.

    Args:
        at: aware; None is “never”.
    """
    if at is None:
        return mark_safe("never")
    return _time(at, "ago", distance_text(at - now()))


def countdown(at: datetime) -> SafeString:
    """The time that is left until an instant as “0:42”; the browser counts on."""
    left_s = max(0, round((at - now()).total_seconds()))
    return _time(at, "left", f"{left_s // MINUTE_S}:{left_s % MINUTE_S:02}")


def exact(at: datetime) -> str:
    """An instant to the second, with its zone."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def time_column(field: str, label: str) -> Callable[[Any, Any], SafeString]:
    """A method of a class of the admin: a column, or a line of a record's page, that shows the field as `ago` does."""

    @admin.display(description=label, ordering=field)
    def column(_: Any, record: Any) -> SafeString:
        return ago(getattr(record, field))

    return column


def distance_text(distance: timedelta) -> str:
    """How far off something is, in its largest unit: “3 min ago”, “in 2 h”. `console.js` says the same."""
    seconds = abs(distance.total_seconds())
    if seconds < 10:  # noqa: PLR2004 - nobody counts these
        return "just now"
    if seconds >= OLD_S:
        months = round(seconds / OLD_S)
        amount = f"{months} month{'' if months == 1 else 's'}"
    elif seconds >= 2 * DAY_S:
        amount = f"{round(seconds / DAY_S)} days"
    elif seconds >= HOUR_S:
        amount = f"{round(seconds / HOUR_S)} h"
    elif seconds >= MINUTE_S:
        amount = f"{round(seconds / MINUTE_S)} min"
    else:
        amount = f"{round(seconds)} s"
    return f"{amount} ago" if distance < timedelta(0) else f"in {amount}"


def _time(at: datetime, kind: str, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}" data-time="{}">{}</time>', at.isoformat(), exact(at), kind, text)

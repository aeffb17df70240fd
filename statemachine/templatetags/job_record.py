"""From a job's page to its record."""

import re
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from statemachine import dashboard
from statemachine.dashboard import RecordOfJob

register = template.Library()


@register.simple_tag(takes_context=True)
def record_of(context: dict[str, Any], job_id: str) -> RecordOfJob | None:
    """What the job is about, as far as the person may see it."""
    return dashboard.record_of(job_id, context["request"])


@register.filter
def without_handlers(html: SafeString) -> SafeString:
    """A page's own HTML without `onclick`, which the content security policy forbids; what it does, a link does too.

    In what is shown of the data, quotes are escaped, so that nothing of it is taken for one.
    """
    return mark_safe(re.sub(r' onclick="[^"]*"', "", html))  # noqa: S308 - safe before, and only taken from

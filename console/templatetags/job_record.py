"""From a job's page to its record."""

from typing import Any

from django import template

from console.machine import dashboard
from console.machine.dashboard import RecordOfJob

register = template.Library()


@register.simple_tag(takes_context=True)
def record_of(context: dict[str, Any], job_id: str) -> RecordOfJob | None:
    """What the job is about, as far as the person may see it."""
    return dashboard.record_of(job_id, context["request"])

"""From a job's page to its record."""

import re
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from console.machine import dashboard
from console.machine.dashboard import RecordOfJob

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


@register.filter
def with_names(html: SafeString) -> SafeString:
    """A page's own HTML, in which whatever can be ticked says what it is, and a column with links has a heading.

    The script of Django's lists counts what is ticked, and breaks where it may not say so.
    """
    count = html.count('class="action-select"')
    named = html.replace('id="action-toggle"', 'id="action-toggle" aria-label="Select all jobs of this page"')
    named = re.sub(r'(<input class="action-select"[^>]* value="([^"]*)")', r'\1 aria-label="Select job \2"', named)
    named = named.replace("<th></th>", '<th scope="col"><span class="visually-hidden">Page</span></th>')
    counter = f'<span class="action-counter" data-actions-icnt="{count}"></span>'
    return mark_safe(named.replace(">Go</button>", f">Go</button> {counter}"))  # noqa: S308 - safe before; what is added is ours

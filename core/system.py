"""The system page: what `manage.py doctor` sees, for who looks after the system."""

import platform
from dataclasses import dataclass
from importlib.metadata import version

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.machine.dashboard import may_use_queues
from core.ops.doctor import examine
from core.ops.doctor.finding import Finding, Mark

PACKAGES = ("django", "django-fsm-2", "django-rq", "rq", "redis", "psycopg", "dropbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was seen of one part of the system."""

    name: str
    findings: list[Finding]

    @property
    def mark(self) -> Mark:
        """As bad as its worst finding."""
        marks = {finding.mark for finding in self.findings}
        return next((mark for mark in (Mark.WRONG, Mark.NOTE) if mark in marks), Mark.OK)


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Every part, what is wrong with it in words, and what to do.

    Raises:
        PermissionDenied: the person does not look after the system.
    """
    if not may_use_queues(request.user):
        raise PermissionDenied
    parts = _parts()
    context = {
        **admin.site.each_context(request),
        "title": "System",
        "parts": parts,
        "wrong_count": sum(part.mark == Mark.WRONG for part in parts),
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }
    return render(request, "core/system.html", context)


def _parts() -> list[Part]:
    found: dict[str, list[Finding]] = {}
    for name, finding in examine():
        found.setdefault(name, []).append(finding)
    return [Part(name=name, findings=findings) for name, findings in found.items()]

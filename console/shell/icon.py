"""/favicon.ico, for which browsers ask on pages that name no icon."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static


def icon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Lead to the icon that the pages name."""
    return redirect(static("console/favicon.svg"))

"""The description of the interface as it is read: by programs, and by people, who can try it there.

Both are for who has logged in: what the server offers is nobody else's business, and a page to try it would be of no use to them.
"""

import hashlib
import json
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe
from ninja import Router

from api.frame import interface

router = Router()


@router.get("/openapi.json", include_in_schema=False, url_name="description")
def description(request: HttpRequest) -> HttpResponse:
    """All operations, as OpenAPI 3.1."""
    written, etag = _written()
    whole = HttpResponse(written, content_type="application/json")
    found = get_conditional_response(request, etag, None, whole) or whole
    found["ETag"] = etag
    patch_cache_control(found, private=True, no_cache=True)
    return found


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Where people read it and try it, as who they are."""
    return render(request, "api/reading.html", {"description": reverse(f"{interface.urls_namespace}:description")})


@cache
def _written() -> tuple[bytes, str]:
    """What is sent, and what tells whether it has changed; it stays as it is for as long as the process runs."""
    written = json.dumps(interface.get_openapi_schema(), ensure_ascii=False).encode()
    return written, f'"{hashlib.sha256(written).hexdigest()[:32]}"'

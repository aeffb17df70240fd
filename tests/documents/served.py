"""What gunicorn serves in test_over_gunicorn.py: the two halves alone, without a database, so that what is measured is they."""

import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import django
import psutil
from django.conf import settings

django.setup()
settings.STORAGES = settings.STORAGES | {
    "documents": {
        "BACKEND": "storage.backends.local.LocalStorage",
        "OPTIONS": {"directory": os.environ["PLACE"], "is_made": True},
    }
}

from django.core.handlers.wsgi import WSGIRequest  # noqa: E402 - Django has to be set up first
from django.http import HttpResponse  # noqa: E402 - the same
from django.http.response import HttpResponseBase  # noqa: E402 - the same

from core.base.errors import RunsheetError  # noqa: E402 - the same
from core.http import transfers  # noqa: E402 - the same
from documents.receiving import received  # noqa: E402 - the same
from documents.serving import Content, answer  # noqa: E402 - the same
from storage.backends import documents  # noqa: E402 - the same

KEY = "1/documents/1/1/large.bin"


def _answered(request: WSGIRequest) -> HttpResponseBase:
    request.read(0)  # as core.http.uploads does for such an address
    if request.path == "/memory":
        return HttpResponse(str(psutil.Process().memory_full_info().uss))
    if request.method == "GET":
        size, at = int(request.GET["size"]), datetime(2026, 1, 1, tzinfo=UTC)
        return answer(request, Content(key=KEY, name="l", size=size, sha256="0" * 64, mime_type="", modified_at=at))
    try:
        with received(request) as body:
            written = documents().put(KEY, body.chunks)
    except RunsheetError as error:
        return HttpResponse(json.dumps({"code": error.code}), status=error.status or 500)
    return HttpResponse(json.dumps({"size": written.size, "sha256": written.sha256}))


@transfers.in_time
def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Stores what is put, hands it out, and tells how much memory is taken."""
    found: Any = _answered(WSGIRequest(environ))
    start_response(f"{found.status_code} {found.reason_phrase}", list(found.items()))
    return found  # type: ignore[no-any-return]  # its pieces, with a close()

"""Files for whoever has an address that was signed for one, where the place itself signs none."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.base.dispositions import disposition
from core.base.errors import RunsheetError
from storage.backends import documents
from storage.backends.errors import NotFound
from storage.backends.signed import NotSigned, opened


@require_safe
@never_cache
def stored_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file that the token opens, to be kept and never shown: nobody vouches for what is in it."""
    try:
        opening = opened(token=token)
        found = documents().stat(opening.key)
        content = documents().stream(opening.key, end=found.size) if request.method == "GET" else iter(())
    except (NotSigned, NotFound):
        raise Http404 from None
    except RunsheetError as error:
        return HttpResponse(str(error), status=HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")
    headers = {
        "Content-Disposition": disposition(opening.name),
        "Content-Length": str(found.size),
        "Content-Security-Policy": "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    }
    return StreamingHttpResponse(content, headers=headers, content_type="application/octet-stream")

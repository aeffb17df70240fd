"""Answers to programs are sent compressed, in the coding that the program likes best."""

from collections.abc import Iterator
from typing import Any, override

from dj_compression_middleware.middleware import CompressionMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from api.etags import encoded
from core.http import problems

CODINGS = ("zstd", "br", "gzip")  # the best first
NOT_CODED, ALL_OTHERS = "identity", "*"
TYPES = ("application/json", problems.CONTENT_TYPE)
# What a browser says of the page that asks: one of ours, or none but the person.
OUR_OWN = frozenset({"same-origin", "none"})
SAID_AT_MOST = 200  # characters


class Compress(CompressionMiddleware):  # type: ignore[misc]  # ships no types
    """Django middleware. JSON alone, and never what is streamed: a download is as its digest says.

    The length of a compressed answer tells something of what is in it to whoever chooses a part of it and sees it pass by. So
    nothing is compressed where another site can make a browser ask in somebody's name.
    """

    @override
    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """The answer, or the same one compressed, with an ETag of its own."""
        if not _is_ours(request, response) or _may_be_anothers_wish(request):
            return response
        etag = response.headers.get("ETag", "")
        sent: HttpResponse = super().process_response(request, response)
        if etag and (coding := sent.headers.get("Content-Encoding")):
            sent["ETag"] = encoded(etag, coding)
        return sent

    @override
    def get_supported_compressor(self, accept_encoding_header: str) -> Any:
        """The compressor by the coding that is liked best, of those that are liked as much the best one."""
        liked = dict(_liked(accept_encoding_header[:SAID_AT_MOST]))
        others = liked.get(ALL_OTHERS, 0)
        best = max(CODINGS, key=lambda coding: liked.get(coding, others))
        if liked.get(best, others) <= liked.get(NOT_CODED, 0):
            return (None, None, None)
        return next(each for each in self.COMPRESSORS if each[0] == best)


def _is_ours(request: HttpRequest, response: Any) -> bool:
    if response.streaming or not problems.is_for_a_program(request):
        return False
    return response.headers.get("Content-Type", "").partition(";")[0] in TYPES


def _may_be_anothers_wish(request: HttpRequest) -> bool:
    """Whoever sends a token has added it; a cookie goes along by itself."""
    if "Authorization" in request.headers or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    return request.headers.get("Sec-Fetch-Site") not in OUR_OWN


def _liked(said: str) -> Iterator[tuple[str, float]]:
    """What is said of each coding: from 0, never, to 1."""
    for each in said.lower().split(","):
        coding, _, weight = each.partition(";")
        name, _, value = weight.partition("=")
        try:
            liked = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            liked = 0.0
        yield coding.strip(), liked

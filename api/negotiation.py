"""What a program says of what it sends and takes, below `/api/`: codings, types, and who may keep an answer."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.request import MediaType
from django.utils.cache import patch_vary_headers

from core.http import problems

JSON = "application/json"
TYPES = (JSON, problems.CONTENT_TYPE)
READING = frozenset({"GET", "HEAD", "OPTIONS"})
NOT_CODED = "identity"
# Kept by nobody between, and asked for anew each time: who asks may have another right by then.
OURS_ALONE = "private, no-cache"


class Negotiate:
    """Django middleware: what cannot be read or understood is refused before anything is done."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or say what the other side would have to take or to send."""
        if not problems.is_for_a_program(request):
            return self._get_response(request)
        if request.headers.get("Content-Encoding", NOT_CODED).strip().lower() not in {NOT_CODED, ""}:
            return problems.of_kind("body_coded", headers={"Accept-Encoding": NOT_CODED})
        takes_json = any(_takes(request, each) for each in TYPES)
        if request.method not in READING and not takes_json:
            return problems.of_kind("not_acceptable")
        response = self._get_response(request)
        if not takes_json and _is_json(response):
            return problems.of_kind("not_acceptable")
        response.headers.setdefault("Cache-Control", OURS_ALONE)
        patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
        return response


def _is_json(response: HttpResponse) -> bool:
    """So a download is none, and what is refused is told to everybody."""
    is_told = response.status_code < HTTPStatus.BAD_REQUEST
    return is_told and response.headers.get("Content-Type", "").partition(";")[0] == JSON


def _takes(request: HttpRequest, content_type: str) -> bool:
    """Whether the most exact of what is said about a type lets it pass; nothing said: all do."""
    main, _, sub = content_type.partition("/")
    said = request.headers.get("Accept", "").strip() or "*/*"
    fitting = [each for each in _types(said) if each.main_type in {"*", main} and each.sub_type in {"*", sub}]
    return any(fitting) and max(fitting, key=_exactness).quality > 0


def _types(said: str) -> Iterator[MediaType]:
    for each in said.split(","):
        try:
            yield MediaType(each)
        except ValueError:
            continue  # it means nothing


def _exactness(said: MediaType) -> tuple[int, float]:
    return ((said.main_type != "*") + (said.sub_type != "*"), said.quality)

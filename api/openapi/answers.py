"""What an operation may answer beside what it is for: problems, each with the codes that decide what a client does."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from api import errors
from api.openapi.docstrings import describe
from core.base.errors import RunsheetError
from core.http import problems

# Anything may be refused so, whatever is asked.
ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
WITH_BODY = (HTTPStatus.CONTENT_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
SAFE = frozenset({"get", "head"})
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "Location": {"description": "The address of what was made or started.", "schema": {"type": "string"}},
    "ETag": {"description": "Which version this is.", "schema": {"type": "string"}},
    "Link": {"description": "The address of the page that follows, as `next`.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "After so many seconds it is worth asking again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit": {
        "description": "How many more requests may come (`r`), and after how many seconds all may again (`t`).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "Of what the requests are counted, and how many (`q`) may come in how many seconds (`w`).",
        "schema": {"type": "string"},
    },
    "X-Request-ID": {
        "description": "What the log of the server calls this request; whoever asks may say it.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"description": "How to say who asks.", "schema": {"type": "string"}},
}
# What comes with an answer of that status, whoever gives it.
HEADERS_OF: Mapping[int, tuple[str, ...]] = {
    HTTPStatus.CREATED: ("ETag", "Location"),
    HTTPStatus.ACCEPTED: ("Location", "Retry-After"),
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
WITH_ALL = ("RateLimit", "RateLimit-Policy", "X-Request-ID")


class FieldProblem(BaseModel):
    """What is wrong with one field.

    Attributes:
        field: its name, as it was sent.
        detail: what is wrong, for people.
    """

    field: str
    detail: str


class Problem(BaseModel):
    """Why something was not done (RFC 9457).

    Attributes:
        type: the code, as an address that is only a name.
        title: the code, as words.
        status: that of the answer.
        detail: what is wrong and what to do about it, for people.
        code: what a program decides by; it stays the same from version to version.
        errors: the fields that are at fault, where fields are.
    """

    type: str = Field(examples=["urn:runsheet:problem:forbidden"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["forbidden"])
    errors: list[FieldProblem] = Field(default_factory=list)


def problems_of(operation: Mapping[str, Any], *, method: str, raised: Collection[str]) -> list[int]:
    """The statuses of what can go wrong with an operation, by what it takes and by the names of what it raises."""
    parameters = operation["parameters"]
    body = "requestBody" in operation
    found: set[int] = set(ALWAYS)
    if any(each["in"] == "path" for each in parameters):
        found.add(HTTPStatus.NOT_FOUND)
    if parameters or body:
        found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if body:
        found.update(WITH_BODY)
    if method not in SAFE:
        found.add(HTTPStatus.CONFLICT)
    if "PreconditionFailed" in raised:
        found.add(HTTPStatus.PRECONDITION_REQUIRED)  # an empty If-Match says nothing
    failures = {each.__name__: each.status for each in _below(RunsheetError)}
    return sorted(found | {status for name in raised if (status := failures.get(name))})


def name_of(status: int) -> str:
    """What an answer is called in the description, such as “NotFound”."""
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def answers(statuses: Iterable[int]) -> dict[str, Any]:
    """Each problem of these statuses, as it is told."""
    return {name_of(status): _answer(HTTPStatus(status)) for status in sorted(set(statuses))}


def schemas() -> dict[str, Any]:
    """What a problem holds."""
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    found = {**made.pop("$defs"), "Problem": made}
    for each in found.values():
        describe(each)
    return found


def content() -> dict[str, Any]:
    """What a problem is sent as."""
    return {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def headers_of(status: int) -> dict[str, Any]:
    """What comes with an answer of that status."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*HEADERS_OF.get(status, ()), *WITH_ALL)}


def _below(kind: type[RunsheetError]) -> Iterator[type[RunsheetError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _answer(status: HTTPStatus) -> dict[str, Any]:
    told = {code: sentence for code, (of, sentence) in problems.KINDS.items() if of is status}
    told |= {each.code: each.sentence() for each in _below(RunsheetError) if each.status == status and _is_ours(each)}
    answer: dict[str, Any] = {
        "description": f"{status.phrase}. {_codes(told)}".strip(),
        "content": content(),
    }
    if found := headers_of(status):
        answer["headers"] = found
    return answer


def _is_ours(failure: type[RunsheetError]) -> bool:
    """Whether any operation may answer so; what is of one app is told where it is raised."""
    return failure.__module__ == errors.__name__


def _codes(told: Mapping[str, str]) -> str:
    listed = "; ".join(f"`{code}`: {sentence.rstrip('.')}" for code, sentence in told.items())
    return f"{listed}." if listed else ""

"""What an operation takes and tells of versions and of repetitions, by its method and by the names of what it raises."""

from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any

PARAMETERS: Mapping[str, str] = {
    "If-Match": "The ETag of the version that is meant; another one by now is not touched.",
    "If-None-Match": "The ETag of the version that is known; it is not sent again.",
    "Idempotency-Key": "A key of this wish's own: sent again, it is not granted twice, and answered in the same way for a day.",
}

SHAPES: Mapping[str, dict[str, str]] = {"Idempotency-Key": {"pattern": "^[!-~]{1,255}$"}}


def tell(operation: dict[str, Any], *, method: str, raised: Collection[str]) -> None:
    """Put it into the description of an operation."""
    declared = {each["name"] for each in operation["parameters"]}
    operation["parameters"] += [each for each in _parameters(method, raised) if each["name"] not in declared]
    if "NotModified" in raised:
        tag = {"ETag": {"$ref": "#/components/headers/ETag"}}
        operation["responses"][HTTPStatus.OK].setdefault("headers", {}).update(tag)
        operation["responses"][HTTPStatus.NOT_MODIFIED] = {
            "description": "It is the version that is known.",
            "headers": tag,
        }


def if_match(*, is_required: bool) -> dict[str, Any]:
    """The version that is meant, where an operation asks for it of some wishes only."""
    return _parameter("If-Match", is_required=is_required)


def _parameters(method: str, raised: Collection[str]) -> Iterator[dict[str, Any]]:
    if "NotModified" in raised:
        yield _parameter("If-None-Match")
    if "PreconditionFailed" in raised:
        yield _parameter("If-Match", is_required="PreconditionMissing" in raised)
    if method == "post":
        yield _parameter("Idempotency-Key")


def _parameter(name: str, *, is_required: bool = False) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "description": PARAMETERS[name],
        "schema": {"type": "string"} | SHAPES.get(name, {}),
        "required": is_required,
    }

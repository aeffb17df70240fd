"""Which operation leads to which, by the names of what is answered and of what is taken.

A path that takes `run_id` is led to by whoever answers a `run_id`; one that takes any other number directly below an address, as
`/leases/{lease_id}/`, by whoever answers an `id` at that address: of one that was made, or of the first of a list. Who has read a version
of something can say by its ETag that it is the one to be changed.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

LISTS = ("items",)
SUCCESSES = re.compile(r"2\d\d")


def link(document: dict[str, Any]) -> None:
    """Put into each answer where it leads to."""
    targets = [
        (path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "head" and len(_taken(path)) == 1
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if method == "delete" or not SUCCESSES.fullmatch(str(status)):
                    continue
                found = dict(_links(document, path, answer, targets))
                found.pop(operation["operationId"], None)
                if found:
                    answer["links"] = found


def _links(
    document: Mapping[str, Any], path: str, answer: Mapping[str, Any], targets: list[tuple[str, Any]]
) -> Iterator[tuple[str, Any]]:
    """By the name of each operation that is led to, how."""
    held = _properties(document, answer)
    for target, operation in targets:
        (name,) = _taken(target)
        collection = target.partition("{")[0]
        pointer = _pointer(held, name=name, is_here=path == collection or path.startswith(f"{collection}{{{name}}}"))
        if not pointer:
            continue
        taken = {name: f"$response.body#/{pointer}"}
        if (
            path == target.partition("}")[0] + "}/"
            and "ETag" in answer.get("headers", {})
            and _has(operation, "If-Match")
        ):
            taken["header.If-Match"] = "$response.header.ETag"
        yield operation["operationId"], {"operationId": operation["operationId"], "parameters": taken}


def _pointer(held: Mapping[str, Any], *, name: str, is_here: bool) -> str | None:
    if name in held:
        return name
    if is_here and "id" in held:
        return "id"
    listed = [(each, key) for each in LISTS if is_here for key in (name, "id") if key in held.get(each, {})]
    return "{}/0/{}".format(*listed[0]) if listed else None


def _properties(document: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer holds, and what the lists in it hold."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    found = _resolved(document, schema).get("properties", {})
    return {
        name: _resolved(document, each.get("items", {})).get("properties", {}) if name in LISTS else each
        for name, each in found.items()
    }


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _has(operation: Mapping[str, Any], name: str) -> bool:
    return any(each["name"] == name for each in operation["parameters"])


def _taken(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)

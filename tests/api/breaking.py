"""What a change of the description breaks for whoever has a client of the one before.

A client breaks where it may not send any more what it could, or gets what it did not expect: an operation, a field or a parameter
that is gone, one that has to be sent now, a type that takes less where it is sent, or holds more where it is answered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Schema = Mapping[str, Any]

ANYTHING = "anything"
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
# Bounds of what is sent, by whether more of it lets in less.
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """Something that a client cannot go on with.

    Attributes:
        operation: such as “GET /api/v1/files/”.
        what: what is broken, by its name.
        words: how.
    """

    operation: str
    what: str
    words: str

    def __str__(self) -> str:
        return f"`{self.operation}`: `{self.what}` {self.words}"


def breaks(before: Schema, after: Schema) -> list[Break]:
    """All of them, each once."""
    was, now = _operations(before), _operations(after)
    found = {Break(name, name, "is gone") for name in was.keys() - now.keys()}
    for name in was.keys() & now.keys():
        change = _Change(before, after)
        found |= {Break(name, *each) for each in change.of(was[name], now[name])}
    return sorted(found)


def unnamed(found: list[Break], changelog: str) -> list[Break]:
    """Those of which the changelog's part about what is not released yet has no line with the operation and the name."""
    _, _, rest = changelog.partition("## [Unreleased]")
    lines = _entries(rest.partition("\n## [")[0])
    return [
        each for each in found if not any(f"`{each.operation}`" in line and f"`{each.what}`" in line for line in lines)
    ]


def _entries(text: str) -> list[str]:
    """Each entry of a list as one line."""
    return [" ".join(each.split()) for each in text.split("\n- ")]


def _operations(document: Schema) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


class _Change:
    """Two descriptions, to look up in each what it calls by a name."""

    def __init__(self, before: Schema, after: Schema) -> None:
        self._before, self._after = before, after
        self._seen: set[tuple[str, str, bool]] = set()

    def of(self, was: Schema, now: Schema) -> Iterator[tuple[str, str]]:
        """What is broken of one operation."""
        yield from self._parameters(was, now)
        yield from self._bodies(was.get("requestBody", {}), now.get("requestBody", {}))
        yield from self._answers(was["responses"], now["responses"])

    def _parameters(self, was: Schema, now: Schema) -> Iterator[tuple[str, str]]:
        old, new = _parameters(was), _parameters(now)
        for key in old.keys() - new.keys():
            yield key[1], "is gone"
        for key, parameter in new.items():
            if parameter.get("required") and not old.get(key, {}).get("required"):
                yield key[1], "has to be sent"
            if key in old:
                yield from self._schemas(old[key]["schema"], parameter["schema"], key[1], is_sent=True)

    def _bodies(self, was: Schema, now: Schema) -> Iterator[tuple[str, str]]:
        if now.get("required") and not was.get("required"):
            yield "body", "has to be sent"
        yield from self._contents(was, now, "body", is_sent=True)

    def _answers(self, was: Schema, now: Schema) -> Iterator[tuple[str, str]]:
        for status, answer in was.items():
            if status not in now:
                if status < "400":
                    yield status, "is not answered any more"
                continue
            old, new = self._resolved(answer, self._before), self._resolved(now[status], self._after)
            for name in old.get("headers", {}).keys() - new.get("headers", {}).keys():
                yield name, "is gone"
            yield from self._contents(old, new, status, is_sent=False)

    def _contents(self, was: Schema, now: Schema, name: str, *, is_sent: bool) -> Iterator[tuple[str, str]]:
        old, new = was.get("content", {}), now.get("content", {})
        for kind in old.keys() - new.keys():
            yield kind, "is not taken any more" if is_sent else "is not answered any more"
        for kind in old.keys() & new.keys():
            yield from self._schemas(old[kind].get("schema", {}), new[kind].get("schema", {}), name, is_sent=is_sent)

    def _schemas(self, was: Schema, now: Schema, name: str, *, is_sent: bool) -> Iterator[tuple[str, str]]:
        seen = (str(was), str(now), is_sent)
        if seen in self._seen:
            return
        self._seen.add(seen)
        old, new = self._resolved(was, self._before), self._resolved(now, self._after)
        yield from self._kinds(old, new, name, is_sent=is_sent)
        yield from _bounds(old, new, name, is_sent=is_sent)
        yield from self._fields(old, new, is_sent=is_sent)
        for each in ("items", "additionalProperties"):
            if isinstance(old.get(each), dict) and isinstance(new.get(each), dict):
                yield from self._schemas(old[each], new[each], name, is_sent=is_sent)

    def _kinds(self, old: Schema, new: Schema, name: str, *, is_sent: bool) -> Iterator[tuple[str, str]]:
        """Types, values and alternatives: no less may be taken, and no more be answered."""
        was, now = self._alternatives(old, self._before), self._alternatives(new, self._after)
        if is_sent and not all(_covers(now, kind) for kind in was):
            yield name, "takes less"
        if not is_sent and not all(_covers(was, kind) for kind in now):
            yield name, "holds more"
        for kind in was.keys() & now.keys():
            if was[kind] is not old or now[kind] is not new:
                yield from self._schemas(was[kind], now[kind], name, is_sent=is_sent)

    def _alternatives(self, schema: Schema, document: Schema) -> dict[Any, Schema]:
        """What may stand there, by its type, or by its value and that one's type."""
        for each in ("anyOf", "oneOf"):
            if each in schema:
                parts = [self._alternatives(self._resolved(part, document), document) for part in schema[each]]
                return {kind: found for part in parts for kind, found in part.items()}
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        if values:
            return {(TYPES[type(value)], value): schema for value in values}
        kinds = schema.get("type", ANYTHING)
        return dict.fromkeys([kinds] if isinstance(kinds, str) else kinds, schema)

    def _fields(self, old: Schema, new: Schema, *, is_sent: bool) -> Iterator[tuple[str, str]]:
        if new.get("type", "object") != "object":
            return
        was, now = old.get("properties", {}), new.get("properties", {})
        for name in was.keys() - now.keys():
            if not is_sent or new.get("additionalProperties") is False:
                yield name, "is gone"
        owed, owed_before = set(new.get("required", ())), set(old.get("required", ()))
        for name in owed - owed_before if is_sent else (owed_before - owed) & now.keys():
            yield name, "has to be sent" if is_sent else "may be missing"
        for name in was.keys() & now.keys():
            yield from self._schemas(was[name], now[name], name, is_sent=is_sent)

    @staticmethod
    def _resolved(part: Schema, document: Schema) -> Schema:
        while "$ref" in part or len(part.get("allOf", ())) == 1:
            if "$ref" not in part:
                part = part["allOf"][0]
                continue
            _, _, kind, name = part["$ref"].split("/")
            part = document["components"][kind][name]
        return part


def _covers(kinds: Mapping[Any, Schema], kind: Any) -> bool:
    """Whether what is of that type, or has that value, is among these."""
    of = kind[0] if isinstance(kind, tuple) else kind
    return not {ANYTHING, kind, of, "number" if of == "integer" else of}.isdisjoint(kinds)


def _parameters(operation: Schema) -> dict[tuple[str, str], Any]:
    return {(each["in"], each["name"]): each for each in operation.get("parameters", ())}


def _bounds(old: Schema, new: Schema, name: str, *, is_sent: bool) -> Iterator[tuple[str, str]]:
    """Only of what is sent: what is answered holds what it holds."""
    if not is_sent:
        return
    narrower = [each for each in LOWER if each in new and new[each] > old.get(each, float("-inf"))]
    narrower += [each for each in UPPER if each in new and new[each] < old.get(each, float("inf"))]
    narrower += ["pattern"] if "pattern" in new and new["pattern"] != old.get("pattern") else []
    narrower += (
        ["additionalProperties"]
        if new.get("additionalProperties") is False and old.get("additionalProperties", True) is not False
        else []
    )
    if narrower:
        yield name, "takes less"

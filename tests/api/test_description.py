"""docs/openapi.json is what the interface is, and no change of it breaks clients unawares."""

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.api.breaking import Break, breaks, unnamed
from tests.api.description import CHANGELOG, CHECKED_IN, made, written

OPERATION = "POST /things/"
THING = "#/components/schemas/Thing"
BEFORE: Any = {
    "paths": {
        "/things/": {
            "post": {
                "parameters": [
                    {"in": "query", "name": "wait", "schema": {"type": "number", "maximum": 20}, "required": False}
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}},
                "responses": {
                    "201": {
                        "headers": {"Location": {}},
                        "content": {"application/json": {"schema": {"$ref": THING}}},
                    },
                    "404": {},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Wish": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 9},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": THING}},
                },
            },
        }
    },
}


def changed(place: str, value: Any) -> Any:
    """The description before, but for one thing; None: that is left out."""
    after = deepcopy(BEFORE)
    short = {"op": "paths/~things~/post", "Wish": "components/schemas/Wish", "Thing": "components/schemas/Thing"}
    first, _, rest = place.partition("/")
    *way, last = f"{short[first]}/{rest}".split("/")
    found = after
    for each in way:
        found = found[int(each) if each.isdigit() and isinstance(found, list) else each.replace("~", "/")]
    if value is None:
        del found[int(last) if isinstance(found, list) else last]
    else:
        found[last] = value
    return after


class TestBreaks:
    @pytest.mark.parametrize(
        ("place", "value", "what", "words"),
        [
            ("op/parameters/0", None, "wait", "is gone"),
            ("op/parameters/0/required", True, "wait", "has to be sent"),
            ("op/parameters/0/schema", {"type": "integer", "maximum": 20}, "wait", "takes less"),
            ("op/parameters/0/schema", {"type": "number", "maximum": 10}, "wait", "takes less"),
            ("op/parameters/0/schema", {"type": "number", "maximum": 20, "minimum": 0}, "wait", "takes less"),
            ("op/requestBody/required", True, "body", "has to be sent"),
            ("op/requestBody/content", {}, "application/json", "is not taken any more"),
            ("op/responses/201", None, "201", "is not answered any more"),
            ("op/responses/201/content", {}, "application/json", "is not answered any more"),
            ("op/responses/201/headers", {}, "Location", "is gone"),
            ("Wish/additionalProperties", False, "body", "takes less"),
            ("Wish/required", ["name"], "name", "has to be sent"),
            ("Wish/properties/name", {"type": "string", "maxLength": 9, "pattern": "^a"}, "name", "takes less"),
            ("Wish/properties/name", {"type": "string", "maxLength": 8}, "name", "takes less"),
            ("Wish/properties/kind", {"type": "string", "enum": ["a"]}, "kind", "takes less"),
            ("Wish/properties/size", {"type": "integer"}, "size", "takes less"),
            ("Wish/properties/size", {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}, "size", "takes less"),
            ("Thing/required", [], "name", "may be missing"),
            ("Thing/properties/name", None, "name", "is gone"),
            ("Thing/properties/name", {"type": "integer"}, "name", "holds more"),
            ("Thing/properties/name", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "name", "holds more"),
            ("Thing/properties/name", {}, "name", "holds more"),
            ("Thing/properties/kind", {"type": "string", "enum": ["a", "b", "c"]}, "kind", "holds more"),
            ("Thing/properties/kind", {"type": "string"}, "kind", "holds more"),
            ("Thing/properties/parts", {"type": "array", "items": {"type": "string"}}, "parts", "holds more"),
        ],
    )  # fmt: skip
    def test_are_found(self, place: str, value: Any, what: str, words: str) -> None:
        assert breaks(BEFORE, changed(place, value)) == [Break(OPERATION, what, words)]

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("op/parameters/0/schema", {"type": "number"}),
            ("op/responses/404", None),
            ("op/responses/200", {"content": {}}),
            ("Wish/properties/more", {"type": "string"}),
            ("Wish/properties/name", {"type": "string"}),
            ("Wish/properties/kind", {"type": "string"}),
            ("Wish/properties/kind", {"type": "string", "const": "a", "enum": ["a", "b", "c"]}),
            ("Wish/properties/size", {"anyOf": [{"type": "number"}, {"type": "null"}]}),
            ("Wish/properties/size", {}),
            ("Thing/required", ["name", "kind"]),
            ("Thing/properties/more", {"type": "string"}),
            ("Thing/properties/name", {"type": "string", "maxLength": 9}),
            ("Thing/properties/kind", {"const": "a"}),
            ("Thing/properties/size", {"type": "integer"}),
        ],
    )
    def test_are_none_where_a_client_goes_on(self, place: str, value: Any) -> None:
        assert breaks(BEFORE, changed(place, value)) == []

    def test_are_operations_that_are_gone(self) -> None:
        assert breaks(BEFORE, {"paths": {}}) == [Break(OPERATION, OPERATION, "is gone")]

    @pytest.mark.parametrize(
        ("changelog", "is_named"),
        [
            ("## [Unreleased]\n\n- `POST /things/` takes no\n  `wait` any more.\n\n## [1]\n", True),
            ("## [Unreleased]\n\n- `POST /things/` is better.\n- `wait` is not.\n\n## [1]\n", False),
            ("## [Unreleased]\n\n## [1]\n\n- `POST /things/` takes no `wait` any more.\n", False),
        ],
    )
    def test_are_known_where_the_changelog_names_them(self, changelog: str, is_named: bool) -> None:
        found = [Break(OPERATION, "wait", "is gone")]

        assert unnamed(found, changelog) == ([] if is_named else found)


class TestDescription:
    def test_breaks_no_clients_unawares(self) -> None:
        found = breaks(json.loads(CHECKED_IN.read_text()), made())

        assert unnamed(found, CHANGELOG.read_text()) == []

    def test_is_the_one_that_is_checked_in(self) -> None:
        assert CHECKED_IN.read_text() == written(made()), "Run `make openapi`."

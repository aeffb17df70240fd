"""The description as a whole."""

import json
import re
from copy import deepcopy
from http import HTTPStatus
from typing import Any, override

from ninja import NinjaAPI
from ninja.errors import ConfigError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from api import scopes
from api.openapi import answers, links, versions
from api.openapi.docstrings import describe, raised_by, text_of

REFERENCE = re.compile(r'"#/components/(\w+)/([^"]+)"')
CSRF = {
    "type": "apiKey",
    "in": "header",
    "name": "X-CSRFToken",
    "description": "What the cookie of the session's token holds. Whatever changes anything needs it beside the session.",
}


class Document(OpenAPISchema):
    """What the library makes of the types, with what can go wrong, what leads to what, and words for people."""

    _is_of_parameters = False

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        super().__init__(api, path_prefix)
        statuses = {int(status) for each in self.operations() for status in each["responses"]}
        components = self["components"]
        components["schemas"] |= answers.schemas()
        components["responses"] = answers.answers(status for status in statuses if status >= HTTPStatus.BAD_REQUEST)
        components["headers"] = deepcopy(dict(answers.HEADERS))
        components["securitySchemes"]["CsrfToken"] = dict(CSRF)
        for path, methods in self["paths"].items():
            for method, operation in methods.items():
                _secure(operation, path, method)
        links.link(self)
        self._leave_out_what_nobody_names()

    def operations(self) -> list[dict[str, Any]]:
        """All of them."""
        return [operation for methods in self["paths"].values() for operation in methods.values()]

    @override
    def methods(self, operations: list[Operation]) -> dict[str, Any]:
        """Each method of an address; the library would give two of one function the same name."""
        found: dict[str, Any] = {}
        for operation in operations:
            if not operation.include_in_schema:
                continue
            details = self.operation_details(operation)
            for method in (each.lower() for each in operation.methods):
                found[method] = self._operation(operation, deepcopy(details), method)
        return found

    @staticmethod
    def _operation(operation: Operation, made: dict[str, Any], method: str) -> dict[str, Any]:
        if len(operation.methods) > 1 and method == "head":
            made["operationId"] += "_head"
        if text := text_of(operation.description or ""):
            made |= {"summary": text.partition(". ")[0].rstrip("."), "description": text}
        _put_right(made)
        raised = raised_by(operation.description or "")
        versions.tell(made, method=method, raised=raised)
        for status, answer in made["responses"].items():
            if found := answers.headers_of(status):
                answer["headers"] = found | answer.get("headers", {})
            if status >= HTTPStatus.BAD_REQUEST:
                answer.setdefault("content", answers.content())
        for status in answers.problems_of(made, method=method, raised=raised):
            made["responses"].setdefault(status, {"$ref": f"#/components/responses/{answers.name_of(status)}"})
        made["responses"] = {str(status): made["responses"][status] for status in sorted(made["responses"])}
        return made

    @override
    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """What the library knows of one; it warns of names that are there twice, which is a fault here."""
        name = operation.operation_id or self.api.get_openapi_operation_id(operation)
        if name in self.all_operation_ids:
            raise ConfigError(f"Two operations are called “{name}”. Give one of the functions another name.")
        return super().operation_details(operation)

    @override
    def _extract_parameters(self, model: Any) -> list[dict[str, Any]]:
        self._is_of_parameters = True
        try:
            return super()._extract_parameters(model)
        finally:
            self._is_of_parameters = False

    @override
    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Keep what types hold, with the words of their docstrings.

        Raises:
            ConfigError: two types have one name, so that one of them would be told as the other.
        """
        for name, schema in definitions.items():
            describe(schema)
            _without_defaults(schema)
            if self._is_of_parameters and schema.get("type") == "object":
                continue  # it is taken apart, and nothing names it
            if self.schemas.setdefault(name, deepcopy(schema)) != schema:
                raise ConfigError(
                    f"“{name}” is two different types, or is both sent and answered. Give one another name."
                )

    def _leave_out_what_nobody_names(self) -> None:
        """Types that are only taken apart into parameters, and what is ready for no operation."""
        kinds = {kind: self["components"][kind] for kind in ("schemas", "responses", "headers")}
        while unnamed := {(kind, name) for kind, held in kinds.items() for name in held} - self._named():
            for kind, name in unnamed:
                del kinds[kind][name]

    def _named(self) -> set[tuple[str, str]]:
        return set(REFERENCE.findall(json.dumps(self)))


def _secure(operation: dict[str, Any], path: str, method: str) -> None:
    """What each way to say who asks needs: the session another token beside, the program's token a scope."""
    is_looking, area = method in answers.SAFE, scopes.area_of(path.lstrip("/"))
    for way in operation.get("security", ()):
        if "Session" in way and not is_looking:
            way["CsrfToken"] = []
        if "Bearer" in way and area:
            way["Bearer"] = [str(scopes.needed_in(area, is_looking=is_looking))]


def _without_defaults(schema: dict[str, Any]) -> None:
    """Defaults of whole objects, which many makers of clients do not know; each of their fields has its own."""
    for name, held in schema.get("properties", {}).items():
        if isinstance(held.get("default"), dict):
            del held["default"]
            if len(held.get("allOf", ())) == 1 and not held.keys() - {"allOf", "description"}:
                schema["properties"][name] = held | held.pop("allOf")[0]


def _put_right(operation: dict[str, Any]) -> None:
    """What the library writes otherwise than OpenAPI has it, or than makers of clients can read."""
    for parameter in operation["parameters"]:
        if examples := parameter.get("examples"):
            # A list is what a type may have; that of a parameter is by name.
            parameter["examples"] = {str(each): {"value": each} for each in examples}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        # Each field has its own default; many makers of clients know none of a whole body.
        if content["schema"].pop("default", None) is not None:
            content["schema"] = {"$ref": content["schema"]["allOf"][0]["$ref"]}

"""The description of an interface, of a small one of the tests' own."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

import pytest
from django.http import HttpRequest
from ninja import Body, Query, Router
from ninja.errors import ConfigError
from pydantic import BaseModel

from api.openapi import Interface
from api.sessions import Session
from tests.api.breaking import breaks

THINGS = "/things/"
ONE = "/things/{thing_id}/"


class Thing(BaseModel):
    """Something.

    Attributes:
        name: what it is called.
    """

    id: int
    name: str


class Things(BaseModel):
    """Some of them."""

    items: list[Thing]


class Wish(BaseModel):
    """What is wished for."""

    name: str = ""


class Wanted(BaseModel):
    """Which.

    Attributes:
        search: words of its name.
    """

    search: str = ""


def things(request: HttpRequest, wanted: Annotated[Wanted, Query()]) -> Any:
    """Some of them. The newest first."""


def add(request: HttpRequest, wish: Annotated[Wish, Body()] = Wish()) -> Any:  # noqa: B008 - it never changes
    """Make one.

    Raises:
        RootBusy: not now.
    """


def one(request: HttpRequest, thing_id: int) -> Any:
    """One of them.

    Raises:
        NotModified: it is known.
    """


def change(request: HttpRequest, thing_id: int, wish: Annotated[Wish, Body()]) -> Any:
    """Change one.

    Raises:
        PreconditionMissing, PreconditionFailed: nothing was changed.
    """


def stop(request: HttpRequest, thing_id: int, at: Annotated[str, Query(examples=["noon"])]) -> Any:
    """Stop one.

    Raises:
        PreconditionFailed: nothing was stopped.
    """


@pytest.fixture(scope="module")
def document() -> Any:
    return described(
        ("GET", "/", things, {HTTPStatus.OK: Things}),
        ("POST", "/", add, {HTTPStatus.CREATED: Thing}),
        ("GET HEAD", "/{int:thing_id}/", one, {HTTPStatus.OK: Thing}),
        ("PATCH", "/{int:thing_id}/", change, {HTTPStatus.OK: Thing}),
        ("POST", "/{int:thing_id}/stop/", stop, {HTTPStatus.NO_CONTENT: None}),
    )


def described(*operations: tuple[str, str, Callable[..., Any], Any]) -> Any:
    interface, router = Interface(auth=[Session()], urls_namespace="of_tests"), Router()
    for methods, path, function, answered in operations:
        router.api_operation(methods.split(), path, response=answered)(function)
    interface.add_router("/things", router, tags=["things"])
    return interface.get_openapi_schema(path_prefix="")


def parameters(document: Any, path: str, method: str) -> dict[str, bool]:
    """Whether each has to be sent."""
    return {each["name"]: each["required"] for each in document["paths"][path][method]["parameters"]}


def links(document: Any, path: str, method: str, status: str) -> dict[str, dict[str, str]]:
    found = document["paths"][path][method]["responses"][status].get("links", {})
    return {name: each["parameters"] for name, each in found.items()}


class TestOperations:
    def test_are_told_in_the_words_of_their_docstrings(self, document: Any) -> None:
        told = document["paths"][THINGS]["get"]

        assert (told["summary"], told["description"]) == ("Some of them", "Some of them. The newest first.")
        assert told["parameters"][0]["description"] == "words of its name."

    def test_have_a_name_each(self, document: Any) -> None:
        names = [each["operationId"] for each in document.operations()]

        assert sorted(names) == [
            "things",
            "things_add",
            "things_change",
            "things_one",
            "things_one_head",
            "things_stop",
        ]

    def test_may_be_refused(self, document: Any) -> None:
        always = {"400", "401", "403", "406", "429", "500", "503"}
        refused = {
            (path, method): {status for status in operation["responses"] if status >= "400"} - always
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

        assert refused[THINGS, "get"] == {"422"}
        assert refused[THINGS, "post"] == {"409", "413", "415", "422"}
        assert refused[ONE, "get"] == {"404", "422"}
        assert refused[ONE, "patch"] == {"404", "409", "412", "413", "415", "422", "428"}
        assert set(document["paths"][THINGS]["get"]["responses"]) - {"422"} == always | {"200"}

    def test_take_versions_and_keys(self, document: Any) -> None:
        assert parameters(document, THINGS, "post") == {"Idempotency-Key": False}
        assert parameters(document, ONE, "get") == {"thing_id": True, "If-None-Match": False}
        assert parameters(document, ONE, "patch") == {"thing_id": True, "If-Match": True}
        assert parameters(document, f"{ONE}stop/", "post") == {
            "thing_id": True,
            "at": True,
            "If-Match": False,
            "Idempotency-Key": False,
        }
        assert "304" in document["paths"][ONE]["get"]["responses"]

    def test_need_the_token_of_a_session_where_they_change_anything(self, document: Any) -> None:
        assert document["paths"][THINGS]["get"]["security"] == [{"Session": []}]
        assert document["paths"][THINGS]["post"]["security"] == [{"Session": [], "CsrfToken": []}]

    def test_lead_to_one_another(self, document: Any) -> None:
        first, made = "$response.body#/items/0/id", "$response.body#/id"

        assert links(document, THINGS, "get", "200")["things_one"] == {"thing_id": first}
        assert links(document, THINGS, "post", "201") == {
            "things_one": {"thing_id": made},
            "things_change": {"thing_id": made},
            "things_stop": {"thing_id": made},
        }
        assert links(document, ONE, "get", "200")["things_change"] == {
            "thing_id": made,
            "header.If-Match": "$response.header.ETag",
        }

    def test_are_written_as_openapi_has_them(self, document: Any) -> None:
        """A body has no default, and the examples of a parameter have names."""
        at = document["paths"][f"{ONE}stop/"]["post"]["parameters"][1]

        assert at["examples"] == {"noon": {"value": "noon"}}
        assert document["paths"][THINGS]["post"]["requestBody"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Wish"
        }

    def test_are_refused_where_two_have_one_name(self) -> None:
        with pytest.raises(ConfigError, match="Two operations are called “things_one”"):
            described(("GET", "/{int:thing_id}/", one, Thing), ("GET", "/the/{int:thing_id}/", one, Thing))


class TestComponents:
    def test_are_those_that_are_named(self, document: Any) -> None:
        assert set(document["components"]["schemas"]) == {"Thing", "Things", "Wish", "Problem", "FieldProblem"}
        assert "PreconditionFailed" in document["components"]["responses"]
        assert "RangeNotSatisfiable" not in document["components"]["responses"]

    def test_have_the_words_of_their_docstrings(self, document: Any) -> None:
        told = document["components"]["schemas"]["Thing"]

        assert (told["description"], told["properties"]["name"]["description"]) == ("Something.", "what it is called.")

    def test_are_refused_where_two_have_one_name(self) -> None:
        class Thing(BaseModel):
            """Something else."""

        with pytest.raises(ConfigError, match="“Thing” is two different types"):
            described(("GET", "/", things, {HTTPStatus.OK: Things}), ("POST", "/", add, {HTTPStatus.OK: Thing}))

    def test_tell_the_codes_that_a_program_decides_by(self, document: Any) -> None:
        told = document["components"]["responses"]["PreconditionFailed"]["description"]

        assert told.startswith("Precondition Failed. `precondition_failed`: Nothing was done")


class TestDocument:
    def test_is_the_same_each_time(self, document: Any) -> None:
        assert breaks(document, document) == []

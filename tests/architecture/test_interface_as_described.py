"""The interface for programs answers as it is described: schemathesis asks every operation what is right and what is wrong, and
follows the links between them.

Nothing is left to chance: each run asks the same, and says of what it has found how to ask it again.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from tests.api import description
from tests.api.conftest import made
from tests.api.conftest import program as program_of
from tests.documents.making import Files
from tests.inside import Inside

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # It would print what it has made, and asks first how long that is.
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
    # Schemathesis draws from `random` where Hypothesis wants to be asked; it says so or not as threads run.
    pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies"),
]

type App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

ONE_DOCUMENT = "/api/v1/documents/{document_id}/"
EXAMPLES = 3
# What is said to whoever sends what cannot be, and not to whoever wishes for what is not to be had.
OF_FORM = frozenset({"invalid", "bad_request", "not_json", "no_such_content_type"})
# What is reached by a link only, or by luck.
READ = frozenset(
    f"GET /api/v1/{each}/" for each in ("leases/{lease_id}", "documents/{document_id}", "index/runs/{run_id}")
)
OF_A_NETWORK = ("max_redirects", "verify", "cert", "proxies")


@pytest.fixture
def here(inside: Inside, files: Files, monkeypatch: pytest.MonkeyPatch) -> App:
    """The project; who asks it here cannot read what is compressed, and tells what is for a network where it asks again."""
    send = WSGITransport.send
    monkeypatch.setattr(
        WSGITransport,
        "send",
        lambda *asked, **said: send(*asked, **{name: said[name] for name in said if name not in OF_A_NETWORK}),
    )
    return lambda environ, start_response: inside(environ | {"HTTP_ACCEPT_ENCODING": "identity"}, start_response)


@schemathesis.check
def what_is_described_is_understood(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """It may be refused for what it means, such as a root that there is not; not for its form.

    A null character is refused wherever it stands, which no type says.
    """
    is_right = case.meta is not None and case.meta.generation.mode.is_positive
    if is_right and response.status_code in {400, 415, 422} and not has_null(case):
        assert response.json()["code"] not in OF_FORM, response.text


def has_null(case: Case[Any]) -> bool:
    return "\\x00" in repr([case.path_parameters, case.query, case.headers, case.cookies, case.body])


def configured(secret: str) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "auth": {"openapi": {"Bearer": {"bearer": secret}}},
            "checks": {
                "positive_data_acceptance": {"enabled": False},  # see the one above
                "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
            },
            # To delete a document takes it out of sight, and leaves it where it is: it can be restored.
            "operations": [{"include-path": ONE_DOCUMENT, "checks": {"use_after_free": {"enabled": False}}}],
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        }
    )


class TestInterface:
    def test_answers_as_it_is_described(self, here: App) -> None:
        secret = made(User.objects.create_superuser("olivia")).secret
        prepared(secret)
        document = description.made()
        schema = schemathesis.openapi.from_dict(document, config=configured(secret))
        schema.app = here

        asked, found = outcome(from_schema(schema).execute())

        assert "\n\n".join(dict.fromkeys(found)) == ""
        names = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
        assert {operation for operation, _status in asked} == names
        assert {operation for operation, status in asked if status == HTTPStatus.OK} >= READ


def prepared(secret: str) -> None:
    """One record of each kind, which lists lead to."""
    program = program_of(secret)
    bulk = {"items": [{"agency": "BLM", "number": "NMNM 2"}]}
    made = [
        program.post("/api/v1/leases/", {"agency": "BLM", "number": "NMNM 1"}, content_type="application/json"),
        program.post("/api/v1/leases/bulk/", bulk, content_type="application/json"),
        program.put("/api/v1/documents/upload/?name=deed.txt", b"This deed", content_type="text/plain"),
    ]
    assert all(each.status_code < HTTPStatus.BAD_REQUEST for each in made), [each.content for each in made]


def outcome(happened: Iterable[events.EngineEvent]) -> tuple[Counter[tuple[str, int]], list[str]]:
    """How often each operation was answered with which status, and what was found."""
    asked: Counter[tuple[str, int]] = Counter()
    found = []
    for event in happened:
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
        if not isinstance(event, events.ScenarioFinished):
            continue
        for name, asking in event.recorder.interactions.items():
            operation = event.recorder.cases[name].value.operation.label
            asked[operation, asking.response.status_code if asking.response else 0] += 1
        for checks in event.recorder.checks.values():
            found += [
                f"{each.failure_info.failure}\n{each.failure_info.code_sample}" for each in checks if each.failure_info
            ]
    return asked, found

"""The interface for programs answers as it is described: schemathesis asks every operation, with what is right and with what is wrong,
and follows the links between them.

Nothing is left to chance: the same is asked at each run, and what is found can be asked again with the command that is printed.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections
from django.test import Client
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from core.interface import interface
from tests.entering import enter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "unframed")]

EXAMPLES = 10
CSRF = "c" * 32


class Here:
    """The project as a server, in the transaction of the test, whichever thread asks."""

    def __init__(self) -> None:
        self._answer = WSGIHandler()
        self._connection = connection._connections[connection._alias] if False else connections["default"]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        connections["default"] = self._connection
        return self._answer(environ, start_response)


@pytest.fixture
def here() -> Iterator[Here]:
    mine = connections["default"]
    mine.inc_thread_sharing()
    yield Here()
    mine.dec_thread_sharing()


def configured(session: str) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "auth": {"openapi": {"Session": {"api_key": session}, "CsrfToken": {"api_key": CSRF}}},
            "headers": {"Cookie": f"csrftoken={CSRF}"},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        }
    )


def test_interface_answers_as_it_is_described(here: Here) -> None:
    person = User.objects.create_superuser("olivia")
    client = Client()
    enter(client, person)
    schema = schemathesis.openapi.from_dict(
        dict(interface.get_openapi_schema()), config=configured(client.cookies["sessionid"].value)
    )
    schema.app = here
    found, asked = [], {}

    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for case_id, checks in event.recorder.checks.items():
                answer = event.recorder.interactions[case_id].response
                asked[event.label, answer.status_code if answer else None] = asked.get((event.label, answer.status_code if answer else None), 0) + 1
                found += [str(each.failure_info.failure) + each.failure_info.code_sample for each in checks if each.failure_info]
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            found.append(repr(event))
    for each, n in sorted(asked.items(), key=str): print(each, n)
    print(*dict.fromkeys(found), sep="\n=====\n")
    print(len(set(found)))
    assert not found

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
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.test import Client
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from core.interface import interface

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "unframed")]

EXAMPLES = 10
CSRF = "c" * 32


class Here:
    """The project as a server, in the transaction of the test, whichever thread asks."""

    def __init__(self) -> None:
        self._answer = WSGIHandler()
        self._connection = connections["default"]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        connections["default"] = self._connection
        environ["HTTP_COOKIE"] = f"{environ.get('HTTP_COOKIE', '')}; csrftoken={CSRF}"
        return self._answer(environ, start_response)


@pytest.fixture
def here() -> Iterator[Here]:
    mine, ends = connections["default"], (request_started, request_finished)
    mine.inc_thread_sharing()
    for each in ends:
        each.disconnect(close_old_connections)
    yield Here()
    for each in ends:
        each.connect(close_old_connections)
    mine.dec_thread_sharing()


@schemathesis.hook
def before_call(_context: Any, _case: Any, kwargs: dict[str, Any]) -> None:
    """What it says to a network; it says so, too, where it asks again as somebody else, and there is none."""
    for name in ("max_redirects", "verify", "cert", "proxies"):
        kwargs.pop(name, None)


# What is said to whoever sends what cannot be, not to whoever wishes for what is not to be had.
OF_FORM = {"invalid", "bad_request", "not_json", "no_such_content_type"}


@schemathesis.check
def what_is_right_is_taken(ctx: CheckContext, response: Response, case: Case) -> None:
    """What is described is refused for what it means only: that there is no such root, say."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in {400, 415, 422}:
        return
    assert response.json()["code"] not in OF_FORM, response.text


def configured(session: str) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "auth": {"openapi": {"Session": {"api_key": session}, "CsrfToken": {"api_key": CSRF}}},
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        }
    )


def test_interface_answers_as_it_is_described(here: Here) -> None:
    person = User.objects.create_superuser("olivia")
    client = Client()
    client.force_login(person)
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

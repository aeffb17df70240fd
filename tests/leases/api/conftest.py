"""Programs that ask for leases, each as somebody in one of the roles."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from leases.models import Lease
from tests.factories import location, settled
from tests.roles import in_role
from tests.storage.test_api import problem_of

HUGE = 10**30

type As = Callable[[str], "Program"]


class Program:
    """Asks as somebody who has logged in."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)

    def get(self, path: str, **asked: Any) -> Any:
        headers = asked.pop("headers", {})
        return self.client.get(f"/api/v1/{path}", asked, headers=headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """With a body where there is one; headers by their names in Python."""
        content = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            content,
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def version_of(self, path: str) -> str:
        """The ETag of what is there now."""
        return str(self.get(path)["ETag"])


@pytest.fixture
def asked_by(db: None) -> As:
    """A program for a role, always the same person."""
    made: dict[str, Program] = {}

    def program(role: str) -> Program:
        if role not in made:
            made[role] = Program(in_role(role))
        return made[role]

    return program


@pytest.fixture
def operator(asked_by: As) -> Program:
    return asked_by("Operator")


@pytest.fixture
def lease(operator: Program) -> Lease:
    """Found, with its report."""
    return settled(
        operator.user,
        state="done",
        runsheet_directory=location(),
        runsheet_report_found=True,
        matching_files=["Master Documents.pdf"],
        matching_count=1,
    )


def at(lease: Lease, what: str = "") -> str:
    return f"leases/{lease.pk}/{what}"


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, problem_of(answer)["code"]

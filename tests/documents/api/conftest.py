"""Programs of people in each role, with a session and its token, as they ask over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from documents.models import Document
from documents.services import partial
from tests.documents.api.sending import PIECE, Sender
from tests.documents.making import DEED, PDF, verified

DOCUMENTS = "/api/v1/documents/"


class Program:
    """Asks as one person."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client(raise_request_exception=False)
        self.client.force_login(user)

    def __call__(self, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
        """An answer; the body is JSON, unless it is bytes. `If_Match="now"`: as the document is."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if said.get("If-Match") == "now":
            said["If-Match"] = self.client.get(f"{DOCUMENTS}{path.partition('/')[0]}/")["ETag"]
        kind = said.pop("Content-Type", "application/pdf" if isinstance(body, bytes) else "application/json")
        send = getattr(self.client, method.lower())
        data = {} if method in {"GET", "HEAD"} else {"data": "" if body is None else body, "content_type": kind}
        return send(f"{DOCUMENTS}{path}", **data, headers=said)


@pytest.fixture
def program(files: Any, role: Callable[[str], User]) -> Callable[[str], Program]:
    """The program of somebody in that role."""
    return lambda name: Program(role(name))


@pytest.fixture
def oscar(program: Callable[[str], Program]) -> Program:
    """That of an operator."""
    return program("Operator")


@pytest.fixture
def deed(oscar: Program) -> Document:
    """The operator's, verified."""
    return verified(oscar.user, PDF, name=DEED)


@pytest.fixture
def sender(oscar: Program, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """That of an operator, by tus; small pieces are kept at once."""
    monkeypatch.setattr(partial, "PIECE_BYTES", PIECE)
    return Sender(oscar.client)

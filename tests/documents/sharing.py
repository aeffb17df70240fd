"""Links to documents, and people outside who have one."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from core.base.clock import now
from documents.models import Document
from documents.services import shares
from documents.services.shares import NewLink
from tests.documents.making import PDF, verified

PASSWORD = "a good one"


def linked(by: User, document: Document | None = None, **said: Any) -> NewLink:
    """A link to the document, or to a new one of theirs."""
    return shares.make(document_id=(document or verified(by, PDF)).pk, by=by, at=now(), **said)


class Outsider:
    """A browser of somebody whom nobody knows."""

    def __init__(self, address: str = "192.0.2.7") -> None:
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        self.address = address

    def get(self, path: str, method: str = "get", **headers: str) -> Any:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(path, headers=said, REMOTE_ADDR=self.address)

    def page(self, token: str) -> Any:
        return self.get(f"/share/{token}/")

    def fetch(self, token: str, method: str = "get", **headers: str) -> Any:
        return self.get(f"/share/{token}/download/", method, **headers)

    def type(self, token: str, password: str) -> Any:
        """Fill in the form for the password."""
        self.page(token)
        sent = {"password": password, "csrfmiddlewaretoken": self.client.cookies["csrftoken"].value}
        return self.client.post(f"/share/{token}/", sent, REMOTE_ADDR=self.address)

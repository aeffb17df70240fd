"""A client that a generator makes of docs/openapi.json, as others make theirs, does what the interface is for."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType
from pytest_django.fixtures import Settings

from documents.models import Document
from leases.models import Lease
from tests.api.conftest import made
from tests.api.description import CHECKED_IN
from tests.documents.making import PDF, worked
from tests.inside import Inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NAME = "runsheet_client"
# Files, which the generator sends as such only if it is told that they are bytes.
FILES = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/zip")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What can be imported by that name, made without a warning: nothing of the interface is left out."""
    folder = tmp_path_factory.mktemp("client")
    config = Config.from_sources(
        ConfigFile(post_hooks=[], content_type_overrides=dict.fromkeys(FILES, "application/octet-stream")),
        MetaType.NONE,
        CHECKED_IN,
        "utf-8",
        overwrite=False,
        output_path=folder / NAME,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        assert [each.detail for each in generate(config=config)] == []
        yield NAME
    for name in [each for each in sys.modules if each.startswith(NAME)]:
        del sys.modules[name]


@dataclass(frozen=True, slots=True)
class Program:
    """Somebody's program, by the client that was generated."""

    of: Callable[[str], Any]
    knows: Any

    def add(self, number: str, **said: str) -> Any:
        """The lease, or why there is none."""
        wish = self.of("models.new_lease").NewLease(agency=self.of("models.agency").Agency.BLM, number=number)
        return self.of("api.leases.leases_add_lease").sync(client=self.knows, body=wish, **said)

    def read(self, lease_id: int) -> Any:
        """The answer whole, with its headers."""
        return self.of("api.leases.leases_lease").sync_detailed(lease_id, client=self.knows)

    def renumber(self, lease_id: int, number: str, *, version: str) -> Any:
        wish = self.of("models.changed_lease").ChangedLease(number=number)
        change = self.of("api.leases.leases_change_lease")
        return change.sync(lease_id, client=self.knows, body=wish, if_match=version)

    def send(self, content: bytes, *, name: str) -> Any:
        """The document that is made of the body."""
        file = self.of("types").File(payload=BytesIO(content))
        return self.of("api.documents.documents_upload").sync(client=self.knows, body=file, name=name)

    def fetch(self, document_id: int, **said: str) -> Any:
        """Its bytes, with all that is said of them."""
        return self.of("api.documents.documents_content").sync_detailed(document_id, client=self.knows, **said)


@pytest.fixture
def program(client: str, inside: Inside, olivia: User) -> Program:
    def of(place: str) -> Any:
        return import_module(f"{client}.{place}")

    knows = of("client").AuthenticatedClient(
        base_url="http://testserver",
        token=made(olivia).secret,
        httpx_args={"transport": httpx.WSGITransport(app=inside)},
        raise_on_unexpected_status=True,
    )
    return Program(of, knows)


class TestClient:
    def test_makes_a_lease_and_reads_it(self, program: Program) -> None:
        added = program.add("NMNM 501759", idempotency_key="the-first")
        again = program.add("NMNM 501759", idempotency_key="the-first")
        refused = program.add("NMNM 501759")
        read = program.read(added.id).parsed

        assert (read.id, read.number, read.created_by.name) == (Lease.objects.get().pk, "NMNM 501759", "olivia")
        assert (again.id, refused.status, refused.code) == (added.id, 409, "duplicate_lease")

    def test_changes_what_it_has_read(self, program: Program) -> None:
        lease = program.add("NMNM 1")
        version = program.read(lease.id).headers["ETag"]

        changed = program.renumber(lease.id, "NMNM 2", version=version)
        refused = program.renumber(lease.id, "NMNM 3", version=version)

        assert (changed.number, refused.code) == ("NMNM 2", "precondition_failed")
        assert program.read(lease.id).parsed.number == "NMNM 2"

    def test_makes_a_document_and_fetches_a_part_of_it(
        self, program: Program, tmp_path: Path, settings: Settings
    ) -> None:
        options = {"directory": str(tmp_path / "documents"), "is_made": True}
        local = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"documents": local}
        sent = program.send(PDF, name="Deed of 1907.pdf")
        worked(Document.objects.get())

        whole = program.fetch(sent.id)
        part = program.fetch(sent.id, range_="bytes=0-4", if_range=whole.headers["ETag"])

        assert (sent.name, sent.status, sent.size_bytes) == ("Deed of 1907.pdf", "pending", len(PDF))
        assert whole.content == PDF
        assert (part.status_code, part.content) == (206, PDF[:5])

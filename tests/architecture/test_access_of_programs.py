"""Who may do what through the interface for programs: every address of it, for everybody, by real requests.

What is posted is right, so that only who asks is judged. An address that has no row here fails.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from redis import Redis

from api.scopes import area_of
from core.base.clock import now
from core.http.problems import CONTENT_TYPE
from documents import tus
from documents.models import Document, PartialUpload
from documents.states import State
from leases.models import Lease
from storage.models import IndexRun
from tests.architecture.conftest import PROGRAMS, Browsers, Things, concrete
from tests.architecture.matrix import ADMINISTRATOR, EVERYBODY, OPERATOR, VIEWER
from tests.architecture.test_access import everything
from tests.documents.bodies import BOUNDARY, form, part

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis", "unframed"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class Row(NamedTuple):
    """Who may ask for an address, who may post to it, what is posted, and what is asked for; None: nobody can.

    Attributes:
        body: bytes are a form.
        state: in which the document is.
        patch, put: who may change what is there; what is sent is the `body`.
        delete: who may delete it.
        lease: what the lease has to be so that it can be done.
        headers: what has to be said beside; then the body is a part of a file.
    """

    get: frozenset[str] | None
    post: frozenset[str] | None
    body: Any = None
    query: str = ""
    state: State = State.ACTIVE
    patch: frozenset[str] | None = None
    put: frozenset[str] | None = None
    delete: frozenset[str] | None = None
    lease: Mapping[str, Any] = MappingProxyType({})
    headers: Mapping[str, str] = MappingProxyType({})


ANONYMOUS = frozenset({"anonymous"})
A_FILE = form(part("file", b"%PDF-1.7", file="deed.pdf"))
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "name YS5wZGY="}
GOES_ON = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
AN_UPLOAD = "api/v1/documents/tus/<partial_id>/"
A_DOCUMENT = "api/v1/documents/<document_id>/"

ADDRESSES = {
    "api/v1/": Row(None, None),  # only the addresses below it are something
    "api/v1/files/": Row(VIEWER, None),
    "api/v1/index/rebuild/": Row(None, OPERATOR, {"mode": "audit"}),
    "api/v1/leases/": Row(VIEWER, OPERATOR, {"agency": "BLM", "number": "NMNM 2"}),
    "api/v1/leases/bulk/": Row(None, OPERATOR, {"items": [{"agency": "BLM", "number": "NMNM 2"}]}),
    "api/v1/leases/delete/": Row(None, ADMINISTRATOR, {"filter": {}, "dry_run": True}),
    "api/v1/leases/import/": Row(None, OPERATOR, b"Agency,Lease number\nBLM,NMNM 2\n"),
    "api/v1/leases/near/": Row(VIEWER, None, query="?agency=BLM&number=NMNM+1"),
    "api/v1/leases/run/": Row(None, OPERATOR, {"filter": {}}, lease={"due_at": None}),
    "api/v1/leases/<lease_id>/": Row(VIEWER, None, {"number": "NMNM 2"}, patch=OPERATOR, delete=ADMINISTRATOR),
    "api/v1/leases/<lease_id>/contents/": Row(VIEWER, None),
    "api/v1/leases/<lease_id>/history/": Row(VIEWER, None),
    "api/v1/leases/<lease_id>/run/": Row(None, OPERATOR),
    "api/v1/leases/<lease_id>/stop/": Row(None, OPERATOR, lease={"state": "searching"}),
    "api/v1/batches/": Row(VIEWER, None),
    "api/v1/batches/<batch_id>/": Row(VIEWER, None),
    "api/v1/batches/<batch_id>/again/": Row(
        None, OPERATOR, lease={"state": "failed", "failure_code": "bug", "due_at": None}
    ),
    "api/v1/batches/<batch_id>/stop/": Row(None, OPERATOR),
    "api/v1/agencies/": Row(VIEWER, None),
    "api/v1/agencies/<code>/": Row(VIEWER, None),
    "api/v1/index/runs/<run_id>/": Row(VIEWER, None),
    "api/v1/openapi.json": Row(EVERYBODY - ANONYMOUS, None),
    "api/v1/documents/": Row(VIEWER, OPERATOR, A_FILE),
    "api/v1/documents/bulk/": Row(None, VIEWER, {"action": "archive", "ids": [1]}),  # what becomes of each is told
    "api/v1/documents/download/": Row(VIEWER, None, query="?ids=<document_id>"),
    "api/v1/documents/shares/": Row(OPERATOR, OPERATOR, {"ids": [1]}),  # what becomes of each is told
    "api/v1/documents/shares/<share_id>/": Row(OPERATOR, None, delete=OPERATOR),
    "api/v1/documents/upload/": Row(None, None, A_FILE, query="?name=deed.pdf", put=OPERATOR),
    "api/v1/documents/usage/": Row(VIEWER, None),
    "api/v1/documents/tus/": Row(None, OPERATOR, headers=TUS),
    # Each asks of one of their own, see `status_of`.
    AN_UPLOAD: Row(None, OPERATOR, b"%PDF", patch=OPERATOR, delete=VIEWER, headers=GOES_ON),
    f"{A_DOCUMENT}versions/tus/": Row(None, OPERATOR, headers=TUS),
    A_DOCUMENT: Row(VIEWER, None, {"name": "deed of 1907.pdf"}, patch=OPERATOR, delete=OPERATOR),
    f"{A_DOCUMENT}archive/": Row(None, OPERATOR),
    f"{A_DOCUMENT}bring-back/": Row(None, OPERATOR, state=State.ERROR),
    f"{A_DOCUMENT}check-in/": Row(None, OPERATOR),
    f"{A_DOCUMENT}check-out/": Row(None, OPERATOR),
    f"{A_DOCUMENT}content/": Row(VIEWER, None),
    f"{A_DOCUMENT}purge/": Row(None, ADMINISTRATOR, state=State.ARCHIVED),
    f"{A_DOCUMENT}restore/": Row(None, OPERATOR, state=State.ARCHIVED),
    f"{A_DOCUMENT}shares/": Row(OPERATOR, OPERATOR, {"label": "the buyer"}),
    f"{A_DOCUMENT}take-changed/": Row(None, OPERATOR, state=State.ERROR),
    f"{A_DOCUMENT}verify/": Row(None, OPERATOR),
    f"{A_DOCUMENT}versions/": Row(VIEWER, None, A_FILE, put=OPERATOR),
    f"{A_DOCUMENT}versions/<number>/": Row(VIEWER, None),
    f"{A_DOCUMENT}versions/<number>/content/": Row(VIEWER, None),
    f"{A_DOCUMENT}versions/<number>/restore/": Row(None, OPERATOR),
}


def status_of(client: Client, method: str, url: str, body: Any, headers: Mapping[str, str]) -> int:
    """What is answered. What it changes is undone, as far as it is in the database."""
    with transaction.atomic():
        is_json = not isinstance(body, bytes)
        sent = (json.dumps(body or {}) if is_json else body) if method in {"post", "put", "patch"} else ""
        kind = "application/json" if is_json else f"multipart/form-data; boundary={BOUNDARY}"
        if headers:
            sent, kind = ("", "") if is_json else (body, tus.BYTES)
            if whose := client.session.get("_auth_user_id"):
                PartialUpload.objects.update(owner=whose)
        answer = client.generic(method.upper(), url, sent, kind, headers={"If-Match": "*", **headers})
        transaction.set_rollback(True)
    assert answer.status_code < 400 or answer["Content-Type"] == CONTENT_TYPE
    return answer.status_code


def test_the_matrix_has_every_address() -> None:
    assert set(ADDRESSES) == set(PROGRAMS)


def test_each_says_what_a_token_has_to_be_for() -> None:
    """Else no token may ask for it, or each token, for what the interface is."""
    assert {each for each in PROGRAMS if area_of(each) is None} == {"api/v1/", "api/v1/openapi.json"}


@pytest.mark.parametrize("address", PROGRAMS)
def test_addresses_are_for_whom_the_matrix_says(browsers: Browsers, there: Things, redis: Redis, address: str) -> None:
    row = ADDRESSES[address]
    url = concrete(address + row.query, there)
    IndexRun.objects.update(state="planned")  # so that another one of its root may begin
    archived_at = now() if row.state == State.ARCHIVED else None
    failure_code = "file_changed" if row.state == State.ERROR else ""
    Document.objects.update(state=row.state, archived_at=archived_at, failure_code=failure_code)
    Lease.objects.update(**{"state": "pending", **row.lease})
    before = everything(redis)

    asked = {"get": row.get, "post": row.post, "patch": row.patch, "put": row.put, "delete": row.delete}
    for method, allowed in asked.items():
        came = {
            # What is undone in the database lies in storage still, so that each has a name of their own.
            name: status_of(client, method, url.replace("EACH", name), row.body, row.headers)
            for name, client in browsers.items()
        }
        if allowed is None:
            assert set(came.values()) <= {404, 405}, method
            continue
        assert {name for name, status in came.items() if status == 401} == ANONYMOUS
        assert {name for name, status in came.items() if status == 403} == EVERYBODY - ANONYMOUS - allowed
        assert {name for name, status in came.items() if status < 300} == allowed

    assert everything(redis) == before

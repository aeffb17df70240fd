"""Every address that the project answers, somebody of each kind to ask for it, and something that is there."""

import re
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.test import Client, override_settings
from django.urls import URLResolver, get_resolver
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from api.models import ApiToken
from cloud.models import CloudLocation, DropboxAccount
from console.models import FailureNotice
from core.base.clock import now
from core.http.problems import API
from documents.models import Batch as DocumentBatch
from documents.models import BatchPart, Document, DocumentVersion, Quota, ShareLink
from documents.services import partial, uploads
from documents.states import State
from leases.models import AgencyStorageConfig, Batch, BatchLease, Lease, Upload
from statemachine.models import TransitionLog
from storage.models import IndexRun, RunState, StorageRoot, StoredFile
from tests.console.machine.dashboard.conftest import THERE, queued  # noqa: F401 - a fixture
from tests.documents.conftest import files  # noqa: F401 - a fixture
from tests.frames import unframed  # noqa: F401 - a fixture
from tests.inside import inside  # noqa: F401 - a fixture
from tests.roles import ROLES, in_role

type People = dict[str, User | AnonymousUser]
type Browsers = dict[str, Client]
type Things = dict[str, models.Model]

# "user" may log in, but not to the console; "staff" has no role.
PEOPLE = ("anonymous", "user", "staff", *ROLES, "superuser")


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Every address that the project answers, as the matrix writes it."""
    for each in (resolver or get_resolver()).url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each, route)
        else:
            named = re.sub(r"<\w+:(\w+)>|\(\?P<(\w+)>[^)]*\)\??", lambda found: f"<{found[1] or found[2]}>", route)
            yield re.sub(r"/\?|[$^]", lambda found: "/" if found[0] == "/?" else "", named)


@pytest.fixture(autouse=True)
def _archives_may_be_made(settings: Settings) -> None:
    """Else nobody could do it, whatever their rights."""
    settings.DROPBOX_MAKES_ARCHIVES = True


# Whose records they are about, where the address does not say it.
ABOUT = {"archives/<pk>/": "cloud/cloudlocation", "tokens/<pk>/revoke/": "api/apitoken"}
# One that the role which may start such records may press.
BUTTONS = {"leases/lease": "discover", "storage/indexrun": "stop", "documents/document": "archive"}
WALKED = sorted(set(addresses()))
# Those for programs have a matrix of their own, see `test_access_of_programs`; where people read of them is a page.
PROGRAMS = [each for each in WALKED if f"/{each}".startswith(API) and each != "api/v1/docs/"]
PAGES = [each for each in WALKED if each not in PROGRAMS]


@pytest.fixture(scope="module")
def _built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What is made once for all cases of a file, in a transaction around theirs."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def people(_built: None) -> People:
    """One of each kind."""
    return {
        "anonymous": AnonymousUser(),
        "user": User.objects.create_user("user"),
        "staff": User.objects.create_user("staff", is_staff=True),
        **{name: in_role(name) for name in ROLES},
        "superuser": User.objects.create_superuser("superuser"),
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Documents lie in a folder that nobody has used, for numbers begin anew with each database."""
    options = {"directory": str(tmp_path_factory.mktemp("documents")), "is_made": True}
    local = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
    with override_settings(STORAGES=settings.STORAGES | {"documents": local}):
        yield


@pytest.fixture(scope="module")
def there(people: People, place: None) -> Things:
    """One record of each model that has pages."""
    nina, connected = User.objects.create_user("nina"), User.objects.create_user("connected")
    lease = Lease.objects.create(agency="BLM", lease_number="NMNM 1")
    root = StorageRoot.objects.create(name="documents")
    batch = Batch.objects.create(kind=Batch.Kind.IMPORT, title="leases.csv", size=1)
    BatchLease.objects.create(batch=batch, record=lease)
    document = _document(people["Operator"])
    verified = DocumentBatch.objects.create(kind=Batch.Kind.RUN, title="Verified again", size=1)
    BatchPart.objects.create(batch=verified, record=document)
    made: list[models.Model] = [
        lease,
        document,
        _link(document),
        partial.begin(by=document.owner, length=99, told=partial.Told(name="deed.pdf")),
        verified,
        Quota.objects.create(user=nina),
        AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path="/a", documents_base_path="/d", misc_index_base_path="/m"
        ),
        CloudLocation.objects.create(path="/a/b", name="b"),
        batch,
        Upload.objects.create(name="leases.csv", read_as="CSV, UTF-8", rows=[[1, ["BLM", "NMNM 2"]], [2, ["XYZ", ""]]]),
        FailureNotice.objects.create(initiated_by=nina, record_type="leases.lease", reason="bug"),
        TransitionLog.objects.create(
            record_type="leases.lease",
            record_id=lease.pk,
            transition="start_search",
            from_state="pending",
            to_state="searching",
            generation=99,
            actor_kind="user",
            at=now(),
            lasted=now() - now(),
        ),
        DropboxAccount.objects.create(
            user=connected,
            account_id="dbid:nina",
            refresh_token="refresh",
            root_namespace_id="1",
            home_namespace_id="1",
            connected_at=now(),
        ),
        root,
        StoredFile.objects.create(root=root, key="1/deed.pdf", name="deed.pdf"),
        IndexRun.objects.create(root=root, state=RunState.PLANNED, due_at=None, plan_is_whole=True, applied_up_to=1),
        nina,
        Group.objects.create(name="Nobody's"),
        _token(nina),
    ]
    return {record._meta.label_lower.replace(".", "/"): record for record in made}


def _token(user: User) -> ApiToken:
    return ApiToken.objects.create(
        user=user,
        name="nightly",
        digest="0" * 64,
        hint="0000",
        scopes=["leases:read"],
        created_at=now(),
        expires_at=now() + timedelta(days=1),
    )


def _document(owner: User | AnonymousUser) -> Document:
    """One that has been verified, and whose file is there."""
    assert isinstance(owner, User)
    content = b"%PDF-1.7"
    made = uploads.store(by=owner, name="deed.pdf", chunks=[content], length=len(content))
    DocumentVersion.objects.update(verified_at=now())
    Document.objects.update(state=State.ACTIVE, verified_at=now(), archived_at=now(), due_at=None)
    return Document.objects.get(pk=made.pk)


def _link(document: Document) -> ShareLink:
    """To it, made by whose it is."""
    return ShareLink.objects.create(
        document=document,
        token_sha256="0" * 64,
        hint="0000",
        created_by=document.owner,
        created_at=now(),
        expires_at=now() + timedelta(days=1),
    )


def concrete(address: str, there: Things) -> str:
    """The address of something that is there."""
    place = next((place for place in there if address.startswith(f"admin/{place}/")), "leases/lease")
    pk = there[ABOUT.get(address, place)].pk
    values = {
        **THERE,
        "object_id": pk,
        "id": pk,
        "pk": pk,
        "upload_id": there["leases/upload"].pk,
        "run_id": there["storage/indexrun"].pk,
        "partial_id": there["documents/partialupload"].pk,
        "document_id": there["documents/document"].pk,
        "share_id": there["documents/sharelink"].pk,
        "unique_name": "Not-Public",
        "number": 1,
        "lease_id": there["leases/lease"].pk,
        "batch_id": there["leases/batch"].pk,
        "code": "BLM",
        "name": BUTTONS.get(place, "discover"),
        "kind": "csv",
        "app_label": "leases",
        "url": "nothing/here/",
        "content_type_id": ContentType.objects.get_for_model(Lease).pk,
    }
    url = "/" + re.sub(r"<(\w+)>", lambda found: str(values[found[1]]), address)
    return f"{url}?challenge=c" if address == "dropbox/webhook/" else url


@pytest.fixture(scope="module")
def logged_in(people: People) -> dict[str, tuple[Client, dict[str, str]]]:
    """The browser of each, and what it remembers of who has logged in."""
    return {name: _logged_in(person) for name, person in people.items()}


@pytest.fixture
def browsers(db: None, logged_in: dict[str, tuple[Client, dict[str, str]]]) -> Browsers:
    """Everybody at a browser of their own, logged in and otherwise as new."""
    for client, cookies in logged_in.values():
        client.cookies = SimpleCookie(cookies)
        client.raise_request_exception = True
    return {name: client for name, (client, _cookies) in logged_in.items()}


def _logged_in(person: User | AnonymousUser) -> tuple[Client, dict[str, str]]:
    client = Client()
    if isinstance(person, User):
        client.force_login(person)
    return client, {name: cookie.value for name, cookie in client.cookies.items()}


def chosen_by(client: Client) -> None:
    """The file to import is the one that this person has chosen; nobody else may see it."""
    Upload.objects.update(created_by=client.session.get("_auth_user_id"))

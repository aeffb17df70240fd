"""True answers of Dropbox's, each mangled at one place by chance: no mangling is a bug, and none becomes a false answer."""

import json
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from redis import Redis

from cloud.dropbox import gateway_for
from cloud.dropbox.connection import is_link
from cloud.models import CloudLocation, DropboxAccount
from cloud.services.accounts import connect_account
from core.base.errors import RunsheetError, codes_where
from leases.models import Lease
from tests.cloud.dropbox.conftest import LINK, LIST, METADATA, MORE, TOKEN
from tests.discovery.services.odd import Come, run
from tests.dropbox_standin.clients import raw_call
from tests.factories import ARCHIVE

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

ACCOUNT = "users/get_current_account"
LINK_METADATA = "sharing/get_shared_link_metadata"
REPORT = "Master Documents.pdf"
TIMES = 10
SEEDS = range(1)  # of each; more for who has the time
NAMED = codes_where(lambda failure: failure.words)
# No run needs more, whatever comes.
MOST_CALLS = 60

VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    "",
    "x",
    "x" * 6_000,
    "\x00",
    "\ud800",
    "../..",
    "other",
    [],
    {},
    [[]],
    {".tag": "other"},
    {".tag": "brand_new"},
    {".tag": "deleted", "name": "gone"},
    {".tag": "path", "path": {".tag": "not_found"}},
)

type Place = tuple[str | int, ...]


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Wherever something stands in an answer, the whole of it left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*above, name)
        yield from places(inner, (*above, name))


def mangled(value: Any, chance: random.Random) -> tuple[Any, Place]:
    """The answer with one thing left out, replaced, or added beside another; and where."""
    answer = json.loads(json.dumps(value))
    place = chance.choice(list(places(answer)))
    holder = answer
    for name in place[:-1]:
        holder = holder[name]
    if chance.random() < 0.3:
        del holder[place[-1]]
    elif chance.random() < 0.1 and isinstance(holder, dict):
        holder["brand_new"] = chance.choice(VALUES)
    else:
        holder[place[-1]] = chance.choice(VALUES)
    return answer, place


def told(dropbox: "Standin", route: str, **argument: Any) -> Any:
    """What Dropbox truly answers."""
    root = json.dumps({".tag": "root", "root": dropbox.account("olivia").root_namespace_id})
    headers = {"Content-Type": "application/json", "Dropbox-API-Path-Root": root}
    return raw_call(dropbox, route, data=json.dumps(argument or None), headers=headers).json()


@pytest.fixture
def archive(dropbox: "Standin", lease: Lease) -> Lease:
    """Over two pages, the report on the second."""
    dropbox.put(f"{ARCHIVE}/a.pdf", f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/{REPORT}")
    return lease


def come_of(dropbox: "Standin", lease: Lease, route: str, body: Any, *, status: int = 200) -> Come:
    dropbox.clear_faults()
    dropbox.clear_journal()
    # As a database behind it would: what cannot be stored raises here and not later.
    dropbox.fault(route, status=status, body=json.dumps(body), content_type="application/json")
    assert lease.created_by is not None
    come = run(lease, lease.created_by)
    assert come.code in {*NAMED, "found", "not_found"} - {"bug"}
    assert sum(dropbox.calls().values()) <= MOST_CALLS
    for location in CloudLocation.objects.exclude(share_url=""):
        assert is_link(location.share_url)
    return come


def forget() -> None:
    Lease.objects.update(runsheet_directory=None)
    CloudLocation.objects.all().delete()
    DropboxAccount.objects.update(needs_reconnect_reason="", paused_until=None)


def says_public(permissions: dict[str, Any]) -> bool:
    told = permissions.get("effective_audience") or permissions.get("resolved_visibility")
    return isinstance(told, dict) and told[".tag"] == "public"


def connected(user: User) -> str:
    try:
        connect_account(user=user, refresh_token="standin-refresh-olivia")
    except RunsheetError as error:
        return error.code
    return "connected"


@pytest.mark.matrix
class TestMangled:
    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("route", [LIST, MORE])
    def test_listing_hides_no_report(self, dropbox: "Standin", archive: Lease, route: str, seed: int) -> None:
        dropbox.page_size(2)
        answer = told(dropbox, LIST, path=ARCHIVE)
        if route == MORE:
            answer = told(dropbox, MORE, cursor=answer["cursor"])
        chance = random.Random(f"{route} {seed}")

        for _ in range(TIMES):
            body, place = mangled(answer, chance)
            come = come_of(dropbox, archive, route, body)

            assert come.code != "not_found", (place, body)
            # A page that is another page, or an entry of another name, is none that is damaged.
            if come.code == "found" and not (len(place) <= 2 or place[-1] in ("name", ".tag")):
                assert come.report, (place, body)
            forget()

    @pytest.mark.parametrize("seed", SEEDS)
    def test_metadata_of_the_base_folder_confirms_nothing(self, dropbox: "Standin", lease: Lease, seed: int) -> None:
        answer = told(dropbox, METADATA, path=ARCHIVE.rpartition("/")[0])
        chance = random.Random(f"{METADATA} {seed}")

        for _ in range(TIMES):
            body, place = mangled(answer, chance)
            come = come_of(dropbox, lease, METADATA, body)

            # It is not there, and the folder above it is, as long as what says so is whole.
            assert come.code in ("not_found", "dropbox_unavailable", "base_path_missing"), (place, body)
            if come.code == "not_found":
                assert body[".tag"] == "folder", (place, body)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_link_hides_no_archive(self, dropbox: "Standin", archive: Lease, seed: int) -> None:
        answer = told(dropbox, LINK, path=ARCHIVE)
        chance = random.Random(f"{LINK} {seed}")

        for _ in range(TIMES):
            body, place = mangled(answer, chance)
            come = come_of(dropbox, archive, LINK, body)

            assert come.code in ("found", "dropbox_unavailable"), (place, body)
            if come.code == "found":
                assert come.report
                assert bool(come.url) is not bool(come.refusal)
                assert CloudLocation.objects.get().is_public is says_public(body["link_permissions"]), (place, body)
            forget()

    @pytest.mark.parametrize("seed", SEEDS)
    def test_link_that_is_stored_costs_no_archive(self, dropbox: "Standin", archive: Lease, seed: int) -> None:
        assert archive.created_by is not None
        url = gateway_for(archive.created_by).create_share_link(path=ARCHIVE).url
        answer = told(dropbox, LINK_METADATA, url=url)
        chance = random.Random(f"{LINK_METADATA} {seed}")

        for _ in range(TIMES):
            run(archive, archive.created_by)
            body, place = mangled(answer, chance)
            come = come_of(dropbox, archive, LINK_METADATA, body)

            assert come.code in ("found", "dropbox_unavailable"), (place, body)
            forget()

    @pytest.mark.parametrize("route", [LIST, MORE, METADATA, LINK])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_refusal_is_not_found_only_as_it_stands(
        self, dropbox: "Standin", redis: Redis, archive: Lease, route: str, seed: int
    ) -> None:
        dropbox.page_size(2)
        if route == METADATA:
            dropbox.delete(ARCHIVE)
        answer = {"error_summary": "path/not_found/..", "error": {".tag": "path", "path": {".tag": "not_found"}}}
        chance = random.Random(f"refused {route} {seed}")

        for status in (409, 400, 401, 403, 404, 422, 429, 500):
            for _ in range(2):
                body, place = mangled(answer, chance)
                come = come_of(dropbox, archive, route, body, status=status)

                if come.code == "not_found":
                    assert (status, route) == (409, LIST), (place, body)
                    assert (body["error"][".tag"], body["error"]["path"][".tag"]) == ("path", "not_found"), (
                        place,
                        body,
                    )
                forget()
                redis.flushdb()  # where a pause is kept, too

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("route", [TOKEN, ACCOUNT])
    def test_answer_connects_nobody_wrongly(self, dropbox: "Standin", olivia: User, route: str, seed: int) -> None:
        pair = dropbox.issue_tokens("olivia")
        answer = (
            told(dropbox, ACCOUNT)
            if route == ACCOUNT
            else {
                "access_token": pair.access_token,
                "token_type": "bearer",
                "expires_in": 14_400,
                "scope": " ".join(dropbox.account("olivia").scopes),
            }
        )
        chance = random.Random(f"{route} {seed}")

        for _ in range(TIMES):
            body, place = mangled(answer, chance)
            dropbox.clear_faults()
            dropbox.fault(route, status=200, body=json.dumps(body), content_type="application/json")
            code = connected(olivia)

            assert code in {*NAMED, "connected"} - {"bug"}, (place, body)
            for account in DropboxAccount.objects.all():
                assert account.account_id == dropbox.account("olivia").account_id, (place, body)
                assert account.access_token == pair.access_token or route == ACCOUNT or place[0] == "access_token"
                assert account.root_namespace_id, (place, body)
            DropboxAccount.objects.all().delete()

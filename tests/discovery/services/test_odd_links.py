"""A share link has an outcome whatever Dropbox tells of it: kept, not kept with a reason, or asked for again."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud.dropbox import gateway_for
from cloud.dropbox.connection import is_link
from cloud.models import CloudLocation
from discovery.services.share_links import link_that_leads_there
from leases.models import Lease
from tests.cloud.dropbox.conftest import LINK, LINKS, METADATA, union
from tests.discovery.services.odd import MISSING, REPORT, UNAVAILABLE, come_of, link, permissions
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

LINK_METADATA = "sharing/get_shared_link_metadata"


@pytest.fixture
def archive(dropbox: "Standin", lease: Lease) -> Lease:
    """There, with a report in it."""
    dropbox.put(REPORT)
    return lease


class TestNewLink:
    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/scl/fo/x",
            "https://dropbox.com.evil.example/x",
            "https://evildropbox.com/x",
            "https://www.dropbox.com@evil.example/x",
            "https://evil.example\\@www.dropbox.com/x",
            "https://www.dropbox.com:8443/x",
            "https://[::1/x",
            "http://www.dropbox.com/scl/fo/x",
            "javascript:alert(1)//www.dropbox.com",
            "//www.dropbox.com/x",
            "https://www.dropbox.com/" + "x" * 3_000,
            "https://www.dropbox.com/a b",
            "https://www.dropbox.com/\n",
            "https://www.dropbox.com/\x00",
            "https://www.dropbox.com/\ud800",
            "",
        ],
        ids=lambda url: ascii(url)[:60],
    )
    def test_that_is_none_of_dropboxs_is_not_kept_and_the_archive_is_found(
        self, dropbox: "Standin", archive: Lease, url: str
    ) -> None:
        come = come_of(dropbox, archive, LINK, body=link(url))

        assert (come.code, come.report, come.url) == ("found", True, "")
        assert come.refusal.startswith("Dropbox gave an address for the share link that is none of Dropbox's")

    @pytest.mark.parametrize(
        ("body", "is_public"),
        [
            (link(id="id:" + "x" * 4_000), True),
            (link(id=MISSING), True),
            (link(name="n" * 4_000), True),
            (link(name="a\x00\ud800"), True),
            (link(path_lower=MISSING), True),
            (link(path_lower="/" + "x" * 9_000), True),
            (link(expires="9999-12-31T23:59:59Z"), True),
            (link(expires="0001-01-01T00:00:00Z"), True),
            (link(**{".tag": "hologram"}), True),
            # Whoever does not say that anybody may open it says nothing.
            (link(link_permissions=permissions(effective_audience=MISSING)), False),
            (link(link_permissions=permissions(effective_audience={".tag": "other"})), False),
            (link(link_permissions=permissions(effective_audience={".tag": "everybody_new"})), False),
            (link(link_permissions=permissions(effective_audience={".tag": "team"})), False),
        ],
        ids=lambda given: json.dumps(given)[:60],
    )
    def test_is_kept_as_far_as_it_is_told(self, dropbox: "Standin", archive: Lease, body: Any, is_public: bool) -> None:
        come = come_of(dropbox, archive, LINK, body=body)

        assert (come.code, come.url) == ("found", "https://www.dropbox.com/scl/fo/x?rlkey=y")
        assert CloudLocation.objects.get().is_public is is_public

    @pytest.mark.parametrize(
        "body",
        [
            link(url=MISSING),
            link(url=None),
            link(url=7),
            link(name=MISSING),
            link(link_permissions=MISSING),
            link(link_permissions={}),
            link(link_permissions=None),
            link(link_permissions=permissions(can_revoke="yes")),
            link(expires="never"),
            {},
            [link()],
        ],
        ids=lambda given: json.dumps(given)[:60],
    )
    def test_that_is_damaged_is_asked_for_again(self, dropbox: "Standin", archive: Lease, body: Any) -> None:
        come = come_of(dropbox, archive, LINK, body=body)

        assert come.code == UNAVAILABLE

    @pytest.mark.parametrize(
        "existing",
        [None, {".tag": "other"}, {".tag": "metadata"}, {".tag": "metadata", "metadata": link(url=MISSING)}, "x"],
        ids=str,
    )
    def test_that_exists_and_is_not_shown_is_looked_for(
        self, dropbox: "Standin", archive: Lease, existing: Any
    ) -> None:
        dropbox.embed_existing(on=True)
        made = gateway_for(archive.created_by).create_share_link(path=ARCHIVE)
        body = union("shared_link_already_exists")
        body["error"]["shared_link_already_exists"] = existing

        come = come_of(dropbox, archive, LINK, status=409, body=body)

        assert (come.code, come.url) == ("found", made.url)

    @pytest.mark.parametrize(
        "links",
        [
            [],
            [link(path_lower=BLM.lower(), id="id:parent")],
            [link(path_lower=MISSING, id=MISSING)],
            [link(path_lower=MISSING, id="id:another")],
        ],
        ids=["none", "the parent's", "of nothing that is told", "another's"],
    )
    def test_that_leads_elsewhere_is_none(self, dropbox: "Standin", archive: Lease, links: Any) -> None:
        """Whoever has the link of the folder above has all archives."""
        dropbox.fault(LINKS, status=200, body={"links": links, "has_more": False})

        come = come_of(dropbox, archive, LINK, status=409, body=union("shared_link_already_exists"))

        assert (come.code, come.url) == (UNAVAILABLE, "")

    def test_is_the_one_of_several_that_leads_there(self, dropbox: "Standin", archive: Lease) -> None:
        links = [link("https://www.dropbox.com/parent", path_lower=BLM.lower(), id="id:parent"), link()]
        dropbox.fault(LINKS, status=200, body={"links": links, "has_more": False})

        come = come_of(dropbox, archive, LINK, status=409, body=union("shared_link_already_exists"))

        assert come.url == link()["url"]


class TestStoredLink:
    @pytest.fixture
    def url(self, archive: Lease) -> str:
        return gateway_for(archive.created_by).create_share_link(path=ARCHIVE).url

    @pytest.mark.parametrize(
        ("changed", "agrees"),
        [
            ({}, True),
            ({"path_lower": ARCHIVE.upper()}, True),
            ({"path_lower": MISSING}, False),
            ({"path_lower": MISSING, "id": MISSING}, False),
            ({"path_lower": "/elsewhere"}, False),
        ],
        ids=str,
    )
    def test_is_believed_only_for_what_is_told(
        self, dropbox: "Standin", archive: Lease, url: str, changed: dict[str, Any], agrees: bool
    ) -> None:
        dropbox.fault(LINK_METADATA, status=200, body=link(**changed))

        assert bool(link_that_leads_there(url=url, path=ARCHIVE, gateway=gateway_for(archive.created_by))) is agrees

    def test_of_which_no_path_is_told_is_known_by_its_id(self, dropbox: "Standin", archive: Lease, url: str) -> None:
        gateway = gateway_for(archive.created_by)
        folder = gateway.metadata(path=ARCHIVE)
        dropbox.fault(LINK_METADATA, status=200, body=link(path_lower=MISSING, id=folder.file_id))

        assert link_that_leads_there(url=url, path=ARCHIVE, gateway=gateway)

    def test_nothing_without_an_id_is_the_same_as_nothing(self, dropbox: "Standin", archive: Lease, url: str) -> None:
        nameless = {".tag": "folder", "name": "n", "id": "x" * 400, "path_display": ARCHIVE}
        dropbox.fault(LINK_METADATA, status=200, body=link(path_lower=MISSING, id="x" * 400))
        dropbox.fault(METADATA, status=200, body=nameless)

        assert not link_that_leads_there(url=url, path=ARCHIVE, gateway=gateway_for(archive.created_by))


class TestForms:
    def test_of_links_are_those_of_dropbox_and_of_what_takes_its_place(self, dropbox: "Standin") -> None:
        assert is_link("https://www.dropbox.com/scl/fo/x?rlkey=y&dl=0")
        assert is_link("https://db.tt/x")
        assert is_link(f"{dropbox.base_url}/scl/fo/x")
        assert not is_link(None)

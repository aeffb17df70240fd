"""Links to documents: who makes and ends one, and when it opens something."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from core.base.clock import now
from documents.link_errors import InvalidDownloads, LinkSuspended
from documents.models import ShareLink
from documents.services import opening, shares
from documents.services.shares import NewLink
from documents.states import LinkState
from storage.models import FileState, StorageRoot, StoredFile
from tests.documents.making import verified

pytestmark = pytest.mark.django_db


def made(by: User, **said: object) -> NewLink:
    """A link to a document of theirs."""
    return shares.make(document_id=verified(by).pk, by=by, at=now(), **said)  # type: ignore[arg-type]  # as each test says


class TestMake:
    def test_keeps_a_digest_only(self, opal: User) -> None:
        new = made(opal, label="the buyer", password="a good one")

        link = ShareLink.objects.get()
        assert new.token not in str(vars(link))
        assert (link.hint, link.label) == (new.token[-4:], "the buyer")
        assert "a good one" not in link.password
        assert opening.find(token=new.token) == link
        assert link.state_at(now()) == LinkState.ACTIVE
        assert link.state_at(now() + timedelta(days=31)) == LinkState.EXPIRED


class TestTerms:
    def test_are_checked_whoever_calls(self, opal: User) -> None:
        with pytest.raises(InvalidDownloads):
            made(opal, downloads_at_most=0)


class TestMakeMany:
    def test_takes_so_many_at_once(self, opal: User) -> None:
        with pytest.raises(ValueError, match="1,000 documents at once"):
            shares.make_many(document_ids=range(1_001), by=opal, at=now())


class TestSettle:
    def test_suspends_while_a_file_is_missing(self, opal: User) -> None:
        link = made(opal).link
        root = StorageRoot.objects.create(name="documents")
        key = link.document.versions.get().key
        file = StoredFile.objects.create(root=root, key=key, name="deed.pdf", state=FileState.MISSING)

        assert shares.settle(at=now()) == shares.Settled(suspended=1, revived=0)
        assert shares.settle(at=now()) == shares.Settled(suspended=0, revived=0)
        link = ShareLink.objects.select_related("document", "created_by").get()
        assert (link.state_at(now()), link.suspended_why) == (LinkState.SUSPENDED, "file_missing")
        with pytest.raises(LinkSuspended):
            opening.opened(link=link, at=now())

        file.state = FileState.PRESENT
        file.save()
        assert shares.settle(at=now()) == shares.Settled(suspended=0, revived=1)
        link.refresh_from_db()
        assert link.state_at(now()) == LinkState.ACTIVE

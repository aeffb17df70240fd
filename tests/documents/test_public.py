"""What people outside get, and what those get who want more."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.base.clock import now
from core.ops import tally
from documents import places, public
from documents.models import Document, DocumentVersion, ShareLink
from documents.services import documents, opening, shares
from documents.states import State
from storage.models import FileState, StorageRoot, StoredFile
from tests.documents.making import PDF, Files, stored, verified
from tests.documents.sharing import PASSWORD, Outsider, as_sent, downloads, linked

pytestmark = pytest.mark.django_db

ENDED, AWAY, UNKNOWN = 410, 409, 404


@pytest.fixture
def ivan() -> Outsider:
    return Outsider()


def published(by: User, **said: Any) -> Document:
    document = verified(by, PDF, **said)
    return documents.change(document_id=document.pk, by=by, is_public=True, unique_name="Deed-1907")


class TestShareLink:
    def test_gives_the_file(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal, label="for the buyer").token

        page, answer = ivan.page(token), ivan.fetch(token)

        assert (page.status_code, answer.status_code, as_sent(answer)) == (200, 200, PDF)
        assert f'href="/share/{token}/download/"' in page.text
        assert "Deed of 1907.pdf" in page.text
        # Neither whose it is, nor for whom, nor the way into the console.
        assert not re.search("operator|for the buyer|admin", page.text)
        link = ShareLink.objects.get()
        assert link.downloads == 1
        assert link.last_used_at is not None
        assert tally.read().counters["share_downloads"][()] == 1

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            (("Opal", "Operator"), "<p><bdi>Opal Operator</bdi> shares this file with you.</p>"),
            (("<b>Opal", ""), "<bdi>&lt;b&gt;Opal</bdi> shares"),
            (("", ""), None),
            (("opal@example.com", ""), None),
        ],
    )
    def test_says_who_shares_it_and_never_their_address(
        self, opal: User, ivan: Outsider, name: tuple[str, str], told: str | None
    ) -> None:
        opal.first_name, opal.last_name = name
        opal.email = "opal@example.com"
        opal.save()

        text = ivan.page(linked(opal).token).text

        assert (told in text) if told else ("shares this file" not in text)
        assert not re.search(f"{opal.username}|opal@example.com", text)

    def test_says_who_shares_it_to_who_knows_the_password_only(self, opal: User, ivan: Outsider) -> None:
        opal.first_name = "Opal"
        opal.save()
        token = linked(opal, password=PASSWORD).token

        assert "Opal" not in ivan.page(token).text
        ivan.type(token, PASSWORD)
        assert "Opal" in ivan.page(token).text

    def test_gives_the_current_version_and_none_that_was_not_verified(self, opal: User, ivan: Outsider) -> None:
        document = stored(opal)
        token = linked(opal, document).token

        assert ivan.page(token).status_code == AWAY
        DocumentVersion.objects.update(verified_at=now())
        Document.objects.update(state=State.ACTIVE, verified_at=now(), due_at=None)
        assert ivan.page(token).status_code == 200
        DocumentVersion.objects.update(finding="infected")
        assert ivan.fetch(token).status_code == AWAY

    @pytest.mark.parametrize("what", ["page", "fetch"])
    def test_is_kept_and_found_by_nobody(self, opal: User, ivan: Outsider, what: str) -> None:
        answer = getattr(ivan, what)(linked(opal).token)

        assert answer["Cache-Control"] == "private, no-store, no-transform"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert "sessionid" not in answer.cookies

    def test_is_answered_alike_without_asking_for_a_session(self, opal: User) -> None:
        """So that nobody's rights change what is shown, and no login is told of."""
        token = linked(opal).token
        browser = Client()
        browser.force_login(opal)

        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get(f"/share/{token}/")

        assert not [each for each in asked.captured_queries if "django_session" in each["sql"]]

    @pytest.mark.parametrize(
        ("what", "code"),
        [
            ({"revoked_at": now()}, "taken back"),
            ({"created_at": now() - timedelta(days=9), "expires_at": now() - timedelta(days=1)}, "is over"),
            ({"downloads_at_most": 1, "downloads": 1}, "as often as it may be"),
        ],
        ids=["revoked", "expired", "used up"],
    )
    @pytest.mark.parametrize("password", ["", PASSWORD])
    def test_that_has_ended_gives_nothing(
        self, opal: User, ivan: Outsider, what: dict[str, Any], code: str, password: str
    ) -> None:
        token = linked(opal, password=password).token
        ShareLink.objects.update(**what)

        for method in ("get", "head"):
            assert ivan.fetch(token, method).status_code == ENDED
        page = ivan.page(token)
        assert (page.status_code, code in page.text, "Deed" in page.text) == (ENDED, True, False)

    @pytest.mark.parametrize("state", [State.ARCHIVED, State.ERROR, State.PENDING, State.RECEIVED])
    def test_of_a_document_that_is_not_active_gives_nothing(self, opal: User, ivan: Outsider, state: State) -> None:
        token = linked(opal).token
        archived = now() if state == State.ARCHIVED else None
        code = "infected" if state == State.ERROR else ""
        Document.objects.update(state=state, archived_at=archived, failure_code=code)

        assert [ivan.page(token).status_code, ivan.fetch(token).status_code] == [AWAY, AWAY]
        assert "Deed" not in ivan.page(token).text

    def test_of_a_document_that_was_deleted_for_good_is_unknown(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal).token
        Document.objects.all().delete()

        assert ivan.fetch(token).status_code == UNKNOWN

    def test_rests_while_the_file_is_missing(self, opal: User, ivan: Outsider) -> None:
        new = linked(opal)
        file = StoredFile.objects.create(
            root=StorageRoot.objects.create(name="documents"),
            key=new.link.document.versions.get().key,
            name="deed.pdf",
            state=FileState.MISSING,
        )

        assert ivan.page(new.token).status_code == AWAY
        assert ShareLink.objects.get().suspended_why == "file_missing"
        file.state = FileState.PRESENT
        file.save()
        assert ivan.fetch(new.token).status_code == 200
        assert (ShareLink.objects.get().suspended_at, downloads()) == (None, 1)

    def test_rests_where_the_index_does_not_know_yet(self, opal: User, ivan: Outsider, files: Files) -> None:
        token = linked(opal).token
        files[DocumentVersion.objects.get().key].unlink()

        assert (ivan.fetch(token).status_code, downloads()) == (AWAY, 0)

    def test_does_no_more_than_who_made_it(self, opal: User, ada: User, ivan: Outsider) -> None:
        """Whoever has left knows the addresses still; when they are back, so are their links."""
        token, other = linked(opal).token, linked(ada, Document.objects.get()).token
        opal.is_active = False
        opal.save()

        assert [ivan.page(token).status_code, ivan.page(other).status_code] == [AWAY, 200]
        assert shares.settle(at=now()).suspended == 0  # noted by who looked
        assert ShareLink.objects.get(created_by=opal).suspended_why == "maker"
        opal.is_active = True
        opal.save()
        assert shares.settle(at=now()).revived == 1
        opal.groups.clear()
        assert shares.settle(at=now()).suspended == 1
        assert ivan.fetch(token).status_code == AWAY

    def test_of_who_is_gone_gives_nothing(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal).token
        ShareLink.objects.update(created_by=None)

        assert ivan.fetch(token).status_code == AWAY
        assert ShareLink.objects.get().suspended_why == "maker"


class TestDownloads:
    def test_are_counted_and_no_more_than_may_be(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal, downloads_at_most=2).token
        assert "Downloads left" in ivan.page(token).text

        told = [Outsider().fetch(token).status_code for _ in range(3)]

        assert told == [200, 200, ENDED]
        assert downloads() == 2

    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("head", {}),
            ("get", {"Range": "bytes=999-"}),
            ("get", {"If_None_Match": '"{sha256}"'}),
            ("get", {"If_Match": '"another"'}),
        ],
    )
    def test_that_give_nothing_are_not_counted(
        self, opal: User, ivan: Outsider, method: str, headers: dict[str, str]
    ) -> None:
        token = linked(opal).token
        sha256 = DocumentVersion.objects.get().sha256
        said = {name: value.format(sha256=sha256) for name, value in headers.items()}

        answer = ivan.fetch(token, method, **said)

        assert as_sent(answer) != PDF
        assert downloads() == 0

    @pytest.mark.parametrize("part", ["bytes=1-", "bytes=0-3", "bytes=2-3,6-7", "bytes=-4"])
    def test_in_parts_are_counted_as_well(self, opal: User, part: str) -> None:
        """Else whoever asks for all but the first byte would have the file as often as they like."""
        token = linked(opal, downloads_at_most=1).token

        assert [Outsider().fetch(token, Range=part).status_code for _ in range(2)] == [206, ENDED]

    def test_that_were_cut_off_go_on_in_the_same_browser(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal, downloads_at_most=1, password=PASSWORD).token
        ivan.type(token, PASSWORD)
        assert ivan.fetch(token).status_code == 200

        assert as_sent(ivan.fetch(token, Range="bytes=5-")) == PDF[5:]
        assert ivan.fetch(token, Range="bytes=0-").status_code == ENDED  # that is another one
        assert ivan.fetch(token).status_code == ENDED
        assert Outsider().fetch(token, Range="bytes=5-").status_code == ENDED
        shares.revoke(link_id=ShareLink.objects.get().pk, by=opal, at=now())
        assert ivan.fetch(token, Range="bytes=5-").status_code == ENDED

    def test_that_somebody_else_was_faster_with_are_not_given(
        self, opal: User, ivan: Outsider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = linked(opal, downloads_at_most=1).token
        whole = opening.use
        closed: list[str] = []
        release = places._free.release

        def released() -> None:
            closed.append("closed")
            release()

        def late(**given: Any) -> None:
            whole(**given)
            whole(**given)

        monkeypatch.setattr(opening, "use", late)
        monkeypatch.setattr(places._free, "release", released)
        monkeypatch.setattr(places, "LARGE_BYTES", 1)

        answer = ivan.fetch(token)

        assert (answer.status_code, downloads(), closed) == (ENDED, 1, ["closed"])

    def test_with_a_limit_are_never_sent_elsewhere(self, opal: User, ivan: Outsider, settings: Any) -> None:
        """Where the address could be used again and again."""
        settings.DOCUMENTS_DELIVERY = "signed"
        document = verified(opal)
        free, limited = linked(opal, document).token, linked(opal, document, downloads_at_most=1).token

        assert (ivan.fetch(free).status_code, ivan.fetch(limited).status_code) == (302, 200)
        assert [each.downloads for each in ShareLink.objects.all()] == [1, 1]


class TestPublic:
    @pytest.mark.parametrize("name", ["Deed-1907", "deed-1907", "DEED-1907"])
    def test_is_found_by_its_name(self, opal: User, ivan: Outsider, name: str) -> None:
        published(opal)

        page, answer = ivan.get(f"/public/{name}/"), ivan.get(f"/public/{name}/download/")

        assert f'href="/public/{name}/download/"' in page.text
        assert (as_sent(answer), answer["Content-Disposition"]) == (PDF, 'attachment; filename="Deed of 1907.pdf"')
        for each in (page, answer):
            assert (each["Cache-Control"], each["Referrer-Policy"]) == (public.NOT_KEPT, "no-referrer")
            assert each["X-Robots-Tag"].startswith("noindex")

    @pytest.mark.parametrize(
        "become",
        [
            {"is_public": False},
            {"state": State.ARCHIVED, "archived_at": now()},
            {"state": State.PENDING},
            {"state": State.ERROR, "failure_code": "infected"},
        ],
        ids=["not public", "archived", "pending", "error"],
    )
    def test_is_only_what_is_active_and_for_everybody(self, opal: User, ivan: Outsider, become: dict[str, Any]) -> None:
        published(opal)
        Document.objects.update(**become)

        for path in ("/public/Deed-1907/", "/public/Deed-1907/download/"):
            assert ivan.get(path).status_code == UNKNOWN

    def test_is_never_what_was_held_back_or_is_missing(self, opal: User, ivan: Outsider, files: Files) -> None:
        published(opal)
        DocumentVersion.objects.update(finding="infected")
        assert ivan.get("/public/Deed-1907/download/").status_code == UNKNOWN
        DocumentVersion.objects.update(finding="")
        files[DocumentVersion.objects.get().key].unlink()

        assert ivan.get("/public/Deed-1907/download/").status_code == UNKNOWN


class TestWhatIsShown:
    @pytest.mark.parametrize(
        "name", ["<script>alert(1)</script>.pdf", '"><img src=x onerror=alert(1)>.pdf', "{{ settings.SECRET_KEY }}.pdf"]
    )
    def test_runs_nothing(self, opal: User, ivan: Outsider, name: str) -> None:
        name = name.replace("/", "_")
        token = linked(opal, verified(opal, name=name), label=name).token

        page, answer = ivan.page(token), ivan.fetch(token)

        assert not re.search(r"<script>alert|<img src=x|<_script>", page.text)
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert "unsafe-inline" not in page["Content-Security-Policy"]
        assert "\n" not in answer["Content-Disposition"]
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Security-Policy"].startswith("sandbox")

    def test_leads_nowhere_else(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal, password=PASSWORD).token
        ivan.page(token)

        sent = {
            "password": PASSWORD,
            "next": "https://elsewhere.example/",
            "csrfmiddlewaretoken": ivan.client.cookies["csrftoken"].value,
        }
        answer = ivan.client.post(f"/share/{token}/?next=//elsewhere.example", sent, REMOTE_ADDR=ivan.address)

        assert answer["Location"] == f"/share/{token}/"

"""Who guesses links, names and passwords, and what the log says of it."""

import logging
import re
from typing import Any

import pytest
from django.conf import settings as base_settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from api import spelling
from core.base.clock import now
from core.ops import logs, tally
from documents import public
from documents.models import ShareLink
from documents.services import documents
from tests.documents.making import PDF, verified
from tests.documents.sharing import PASSWORD, Outsider, as_sent, downloads, linked

pytestmark = pytest.mark.django_db

ENDED = 410


@pytest.fixture
def ivan() -> Outsider:
    return Outsider()


class TestPassword:
    def test_is_asked_for_before_anything_is_told(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal, password=PASSWORD).token

        page, download = ivan.page(token), ivan.fetch(token)

        assert "Deed" not in page.text
        assert page["Referrer-Policy"] == "strict-origin"  # else a browser does not say from where the form comes
        assert (download.status_code, download["Location"]) == (302, f"/share/{token}/")
        assert ivan.type(token, "another one").status_code == 403
        assert "This is not the password" in ivan.type(token, "").text
        assert ivan.fetch(token, "head").status_code == 302
        assert downloads() == 0

    def test_opens_it_in_this_browser_for_a_while(
        self, opal: User, ivan: Outsider, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SESSION_COOKIE_SECURE = True
        token = linked(opal, password=PASSWORD).token

        answer = ivan.type(token, PASSWORD)

        assert (answer.status_code, answer["Location"]) == (302, f"/share/{token}/")
        cookie = answer.cookies[f"share-{ShareLink.objects.get().pk}"]
        assert (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"]) == (
            "/share/",
            True,
            True,
            "Lax",
        )
        assert token not in cookie.output()
        assert as_sent(ivan.fetch(token)) == PDF
        assert Outsider().fetch(token).status_code == 302
        monkeypatch.setattr(public, "KNOWS_S", -1)
        assert ivan.fetch(token).status_code == 302

    def test_of_one_link_opens_no_other(self, opal: User, ivan: Outsider) -> None:
        document = verified(opal)
        mine, other = (linked(opal, document, password=PASSWORD) for _ in range(2))
        ivan.type(mine.token, PASSWORD)
        ivan.client.cookies[f"share-{other.link.pk}"] = ivan.client.cookies[f"share-{mine.link.pk}"].value

        assert ivan.fetch(other.token).status_code == 302

    def test_is_taken_from_this_page_only(self, opal: User) -> None:
        token = linked(opal, password=PASSWORD).token
        browser = Client(enforce_csrf_checks=True)

        assert browser.post(f"/share/{token}/", {"password": PASSWORD}).status_code == 403
        assert browser.get(f"/share/{token}/download/").status_code == 302

    def test_where_there_is_none_is_never_right(self, opal: User, ivan: Outsider) -> None:
        token = linked(opal, password=PASSWORD).token
        ivan.page(token)
        ShareLink.objects.update(password="")

        sent = {"password": "", "csrfmiddlewaretoken": ivan.client.cookies["csrftoken"].value}
        assert ivan.client.post(f"/share/{token}/", sent).status_code == 403

    def test_is_not_found_by_trying(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        token = linked(opal, password=PASSWORD).token
        monkeypatch.setattr(public, "PASSWORDS_PER_LINK", 9)
        guesser = Outsider()
        told = [guesser.type(token, f"guess number {n}").status_code for n in range(6)]
        assert told == [403] * 5 + [429]

        # Right or wrong, nobody looks any more; with a browser that has forgotten all, too.
        answer = Outsider().type(token, PASSWORD)
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        # From elsewhere its owner gets in, until it is too much from everywhere.
        assert Outsider("198.51.100.1").type(token, PASSWORD).status_code == 302
        told = [Outsider(f"198.51.100.{n}").type(token, "wrong again").status_code for n in range(2, 8)]
        assert told == [403] * 4 + [429] * 2

    def test_of_many_links_is_not_tried_from_one_address(
        self, opal: User, ivan: Outsider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(public, "PASSWORDS_PER_ADDRESS", 2)
        document = verified(opal)
        tokens = [linked(opal, document, password=PASSWORD).token for _ in range(4)]

        assert [ivan.type(each, "wrong again").status_code for each in tokens] == [403, 403, 429, 429]

    def test_that_was_right_forgets_what_was_mistyped_here_only(self, opal: User, ivan: Outsider) -> None:
        document = verified(opal)
        mine, other = (linked(opal, document, password=PASSWORD).token for _ in range(2))
        for _ in range(5):
            ivan.type(other, "wrong again")

        assert [ivan.type(mine, "mistyped it").status_code for _ in range(4)] == [403] * 4
        assert ivan.type(mine, PASSWORD).status_code == 302
        assert ivan.type(other, "wrong again").status_code == 429


class TestGuessing:
    @pytest.mark.parametrize(
        "text",
        [
            "rsl_" + "0" * 49,
            spelling.draw(),  # of the interface
            spelling.draw(spelling.LINK_PREFIX),
            "rsl_" + "é" * 49,
            "1",
            "%00",
            "..%2f..%2fadmin",
            "x%0d%0aSet-Cookie: a=b",
        ],
        ids=range(8),
    )
    def test_tells_nothing(self, opal: User, ivan: Outsider, text: str) -> None:
        linked(opal)

        answer = ivan.get(f"/share/{text}/")

        assert answer.status_code in {400, 404}
        assert "Set-Cookie: a" not in str(answer.headers)
        assert "a" not in answer.cookies

    def test_is_stopped_before_anything_is_looked_up(
        self, opal: User, ivan: Outsider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(public, "UNKNOWN_PER_ADDRESS", 3)
        token = linked(opal).token
        tried = ["/share/{}/", "/share/{}/download/", "/public/deed-{}/"]
        assert ivan.page(token).status_code == 200

        told = [ivan.get(each.format(spelling.draw(spelling.LINK_PREFIX)[:70])).status_code for each in tried]

        assert told == [404] * 3
        with CaptureQueriesContext(connection) as asked:
            assert [ivan.page(token).status_code, ivan.fetch(token).status_code] == [429, 429]
        assert not asked.captured_queries
        assert Outsider("198.51.100.1").page(token).status_code == 200
        assert tally.read().counters["share_refusals"][("code", "link_unknown"),] == 3

    def test_is_not_what_people_do_whose_link_has_ended(
        self, opal: User, ivan: Outsider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(public, "UNKNOWN_PER_ADDRESS", 3)
        token = linked(opal).token
        ShareLink.objects.update(revoked_at=now())

        assert {ivan.page(token).status_code for _ in range(6)} == {ENDED}

    def test_goes_on_without_redis(
        self, opal: User, ivan: Outsider, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = linked(opal, password=PASSWORD).token
        settings.RQ_QUEUES = {"discovery": {**base_settings.RQ_QUEUES["discovery"], "URL": "redis://127.0.0.1:1/0"}}

        assert ivan.page(token).status_code == 200

    def test_asks_the_same_of_what_there_is_not_and_of_what_is_not_for_everybody(
        self, opal: User, ivan: Outsider
    ) -> None:
        """What is told, and how much is done for it, is one and the same."""
        document = documents.change(document_id=verified(opal).pk, by=opal, unique_name="Secret-Deed")
        told, asked = [], []
        for path in (f"/public/{document.unique_name}/", "/public/Nothing-There/", "/public/Secret-Deed/download/"):
            with CaptureQueriesContext(connection) as queries:
                told.append(ivan.get(path).text)
            asked.append(len(queries.captured_queries))

        assert len({re.sub("nonce.*?>", "", each) for each in told}) == 1
        assert len(set(asked)) == 1


class TestLogs:
    def test_name_no_token(self, opal: User, ivan: Outsider, caplog: pytest.LogCaptureFixture) -> None:
        """Whatever is asked for and in whatever way; the number of the link says which one it was."""
        caplog.set_level(logging.DEBUG)
        token = linked(opal, password=PASSWORD).token
        ivan.type(token, "wrong again")
        ivan.type(token, PASSWORD)
        ivan.fetch(token)
        ivan.get(f"/share/{token}/nothing/")
        ivan.get(f"/share/{token[:-1]}/")
        ivan.get(f"/share/{token}", Referer=f"https://console.example/share/{token}/")
        logging.getLogger("gunicorn.access").info(
            '"GET /share/%s/ HTTP/1.1" 200 "https://a.example/share/%s/"', token, token
        )

        lines = [logs.Lines(form="json").format(each) for each in caplog.records]

        assert any("was fetched by link" in line for line in lines)
        assert token[:-1] not in "".join(lines)
        assert PASSWORD not in "".join(lines)

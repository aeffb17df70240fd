"""What every page tells the browser, that no page needs a script that stands in it, and where its trail begins."""

from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any, override

import pytest
from django.conf import settings
from django.test import Client

from core.http import metrics
from tests.architecture.conftest import PEOPLE, WALKED, Browsers, Things, chosen_by, concrete

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# django-rq writes style sheets and style attributes into its pages; its queues and jobs can be looked at all the same.
# No other page may, and no page at all may hold a script.
STYLED_INLINE = "admin/django_rq/"
# Their addresses open something to whoever learns of them.
FOR_PEOPLE_OUTSIDE = ("public/", "share/")


class Page(HTMLParser):
    """What in a page the policy would forbid, or would have to allow by name; and the words of its trail."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.trails: list[str] = []
        self._is_in_trail = False
        self._policy = policy_of(answer)
        self.feed(answer.text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("aria-label") == "Breadcrumbs":
            self.trails.append("")
            self._is_in_trail = True
        if tag == "script" and given.get("type") != "application/json" and not self._is_ours(given, "script-src"):
            self.scripts.append(self.get_starttag_text() or "")
        self.scripts += [f"{name}={value}" for name, value in given.items() if is_script(name, value)]
        if tag == "style" and not self._has_nonce(given, "style-src"):
            self.styles.append(self.get_starttag_text() or "")
        self.styles += [f"style={given['style']}"] if "style" in given else []

    @override
    def handle_data(self, data: str) -> None:
        if self._is_in_trail:
            self.trails[-1] = f"{self.trails[-1]} {data.strip()}".strip()

    @override
    def handle_endtag(self, tag: str) -> None:
        self._is_in_trail = self._is_in_trail and tag != "nav"

    def _is_ours(self, given: dict[str, str], directive: str) -> bool:
        return given.get("src", "").startswith("/") or ("src" not in given and self._has_nonce(given, directive))

    def _has_nonce(self, given: dict[str, str], directive: str) -> bool:
        return f"'nonce-{given.get('nonce')}'" in self._policy[directive]


def is_script(name: str, value: str) -> bool:
    return name.startswith("on") or value.strip().lower().startswith("javascript:")


def policy_of(answer: Any) -> dict[str, list[str]]:
    """Each directive's sources."""
    directives = (each.split() for each in answer["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in directives}


def check(answer: Any, *, address: str) -> None:
    policy = policy_of(answer)
    assert all(source == "'self'" or source.startswith("'nonce-") for source in policy.get("script-src", ()))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    # That there is no page is said on one of ours.
    is_styled = address.startswith(STYLED_INLINE) and answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED
    assert ("'unsafe-inline'" in policy.get("style-src", ())) == is_styled
    is_outside = address.startswith(FOR_PEOPLE_OUTSIDE) and answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED
    stricter = {"Referrer-Policy": "no-referrer"} if is_outside else {}
    assert {name: answer[name] for name in HEADERS} == HEADERS | stricter
    if answer["Content-Type"].startswith("text/html"):
        page = Page(answer)
        assert page.scripts == []
        assert page.styles == [] or is_styled
        assert page.trails == [] or page.trails[0].startswith("Start"), page.trails


class TestEveryPage:
    @pytest.mark.matrix
    @pytest.mark.usefixtures("queued")
    @pytest.mark.parametrize("address", WALKED)
    def test_holds_no_script(self, browsers: Browsers, there: Things, address: str) -> None:
        client = browsers["superuser"]
        chosen_by(client)

        for method in (client.get, client.post):
            check(method(concrete(address, there)), address=address)

    @pytest.mark.parametrize("url", ["/admin/login/", "/admin/login/?next=/admin/leases/lease/", "/nowhere"])
    def test_holds_none_for_who_is_not_logged_in(self, client: Client, url: str) -> None:
        check(client.get(url), address="")

    @pytest.mark.parametrize("who", PEOPLE)
    def test_holds_none_for_who_is_refused(self, browsers: Browsers, there: Things, who: str) -> None:
        client = browsers[who]
        change = concrete("admin/leases/lease/<object_id>/change/", there)

        answers = [client.get("/admin/nothing/"), client.get("/admin/autocomplete/"), client.get("/dropbox/connect/")]
        answers += [client.post("/metrics"), client.post("/start/"), client.post(change), client.post("/admin/r/x/")]

        assert sum(answer.status_code >= 400 for answer in answers) >= (1 if who in ("anonymous", "user") else 4)
        for answer in answers:
            check(answer, address="")

    def test_holds_none_when_it_is_about_a_mistake_of_ours(
        self, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(metrics, "generate_latest", lambda _: 1 / 0)
        client = browsers["superuser"]
        client.raise_request_exception = False

        answer = client.get("/metrics")

        assert answer.status_code == 500
        check(answer, address="")

    def test_holds_none_for_who_forgot_the_token_against_forgery(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/admin/login/")

        assert answer.status_code == 403
        check(answer, address="")


class TestPolicy:
    def test_lets_forms_lead_to_dropbox_and_nowhere_else(self, client: Client) -> None:
        found = policy_of(client.get("/admin/login/"))

        assert found["form-action"] == ["'self'", "https://www.dropbox.com"]
        assert settings.DROPBOX_BASE_URL == ""

    @pytest.mark.parametrize(
        "text",
        [
            "<script>1</script>",
            "<script nonce='x'>1</script>",
            "<script src='https://example.com/x.js'></script>",
            "<p onclick='1'>",
            "<a href=' JavaScript:1'>",
            "<p style='color: red'>",
            "<style>p {}</style>",
        ],
    )
    def test_would_be_broken_by(self, client: Client, text: str) -> None:
        """Else the tests above could not fail."""
        answer = client.get("/admin/login/")
        answer.content = text.encode()

        with pytest.raises(AssertionError):
            check(answer, address="")

"""Links for people outside, as programs make, see and revoke them, and as those try who may not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from api.models import KeptAnswer
from api.scopes import Scope
from api.services import tokens
from core.base.clock import now
from documents.models import Document, ShareLink
from documents.services import documents
from tests.documents.api.conftest import Program
from tests.documents.making import PDF, verified
from tests.documents.sharing import Outsider, linked
from tests.roles import in_role

pytestmark = pytest.mark.django_db

type Programs = Callable[[str], Program]


@pytest.fixture
def other(db: None, files: Any) -> Program:
    """That of another operator."""
    user = User.objects.create_user("other", is_staff=True)
    user.groups.add(Group.objects.get(name="Operator"))
    return Program(user)


class TestMaking:
    def test_tells_the_address_once(self, oscar: Program, deed: Document, settings: Any) -> None:
        ends = (now() + timedelta(days=3)).isoformat()
        said = {"label": "the buyer", "password": "a good one", "expires_at": ends, "downloads_at_most": 2}

        made = oscar("POST", f"{deed.pk}/shares/", said)

        told = made.json()
        assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
        assert told["url"].startswith(f"{settings.CONSOLE_URL}/share/rsl_")
        assert Outsider().get(told["url"].removeprefix(settings.CONSOLE_URL)).status_code == 200
        seen = oscar("GET", made["Location"].removeprefix("/api/v1/documents/"))
        assert seen.json() == {name: value for name, value in told.items() if name != "url"}
        assert (told["status"], told["has_password"], told["hint"]) == ("active", True, told["url"].rstrip("/")[-4:])
        listed = oscar("GET", f"{deed.pk}/shares/")
        token = told["url"].rstrip("/").rpartition("/")[2]
        assert token not in listed.text + seen.text
        assert "a good one" not in listed.text + seen.text + made.text
        assert "argon2" not in listed.text

    @pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
    def test_takes_the_address_from_nobody_who_asks(
        self, oscar: Program, deed: Document, settings: Any, header: str
    ) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        settings.CONSOLE_URL = "https://runsheet.example"

        answer = oscar("POST", f"{deed.pk}/shares/", {}, **{header: "evil.example"})

        assert answer.json()["url"].startswith("https://runsheet.example/share/")
        assert "evil" not in answer.text + str(answer.headers)

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"password": "short"}, "password"),
            ({"password": "with\ttabs inside"}, "password"),
            ({"label": "x" * 101}, "label"),
            ({"label": "turned \u202e around"}, "label"),
            ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
            ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
            ({"downloads_at_most": 0}, "downloads_at_most"),
            ({"token_sha256": "0" * 64}, "token_sha256"),
            ({"downloads": -5}, "downloads"),
        ],
    )
    def test_refuses_what_cannot_be(self, oscar: Program, deed: Document, said: dict[str, Any], field: str) -> None:
        answer = oscar("POST", f"{deed.pk}/shares/", said)

        assert (answer.status_code, ShareLink.objects.count()) == (422, 0)
        assert answer.json()["errors"][0]["field"].rpartition(".")[2] == field

    def test_keeps_no_address_for_who_sends_it_again(self, oscar: Program, deed: Document) -> None:
        first = oscar("POST", f"{deed.pk}/shares/", {}, Idempotency_Key="one")
        again = oscar("POST", f"{deed.pk}/shares/", {}, Idempotency_Key="one")

        assert (first.status_code, again.status_code, again.json()["code"]) == (201, 409, "answer_lost")
        assert ShareLink.objects.count() == 1
        assert bytes(KeptAnswer.objects.get().body) == b""

    def test_of_what_is_archived_is_refused(self, oscar: Program, deed: Document) -> None:
        documents.archive(document_id=deed.pk, by=oscar.user)

        assert oscar("POST", f"{deed.pk}/shares/", {}).json()["code"] == "not_to_be_shared"

    def test_is_bounded(self, oscar: Program, deed: Document, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("documents.services.shares.LINKS_AT_MOST", 1)
        assert oscar("POST", f"{deed.pk}/shares/", {}).status_code == 201
        assert oscar("POST", f"{deed.pk}/shares/", {}).json()["code"] == "too_many_links"
        ShareLink.objects.update(revoked_at=now())

        assert oscar("POST", f"{deed.pk}/shares/", {}).status_code == 201

    def test_of_many_tells_of_each(self, oscar: Program, other: Program, deed: Document) -> None:
        theirs, gone = verified(other.user, PDF), 10**6

        told = oscar("POST", "shares/", {"ids": [deed.pk, theirs.pk, gone, deed.pk], "password": "a good one"}).json()

        assert (told["done"], told["refused"]) == (1, 2)
        assert [each["code"] for each in told["items"]] == ["", "not_your_document", "record_gone"]
        assert "/share/rsl_" in told["items"][0]["share"]["url"]


class TestWhose:
    """Whoever may not share a document neither makes, nor sees, nor ends its links, and is not told whether there are any."""

    def test_is_asked_for_each_role(self, program: Programs, oscar: Program, other: Program, deed: Document) -> None:
        link = linked(oscar.user, deed).link
        tried = {
            "make": ("POST", f"{deed.pk}/shares/"),
            "list": ("GET", f"{deed.pk}/shares/"),
            "list all": ("GET", "shares/"),
            "see": ("GET", f"shares/{link.pk}/"),
            "revoke": ("DELETE", f"shares/{link.pk}/"),
        }

        def told(who: Program) -> dict[str, Any]:
            answers = {what: who(*asked) for what, asked in tried.items()}
            seen = {what: len(answers[what].json().get("items", ())) for what in ("list", "list all")}
            return {what: answer.status_code for what, answer in answers.items()} | {"seen": seen}

        nothing = {"list": 0, "list all": 0}
        refused = {"make": 403, "list": 200, "list all": 200, "see": 404, "revoke": 404, "seen": nothing}
        assert told(program("Viewer")) == dict.fromkeys(tried, 403) | {"seen": nothing}
        assert told(other) == refused
        assert ShareLink.objects.get().revoked_at is None
        assert told(oscar)["seen"] == {"list": 2, "list all": 2}
        assert ShareLink.objects.get(pk=link.pk).revoked_by == oscar.user
        assert told(program("Administrator")) == {
            "make": 201, "list": 200, "list all": 200, "see": 200, "revoke": 200, "seen": {"list": 3, "list all": 3}
        }  # fmt: skip

    def test_is_asked_for_each_scope(self, oscar: Program, deed: Document) -> None:
        link = linked(oscar.user, deed).link

        def told(scope: Scope, method: str, path: str) -> int:
            token = tokens.make(
                by=oscar.user, name=f"{scope} {method}", scopes=[scope], lasts=timedelta(days=1), at=now()
            )
            given = {"Authorization": f"Bearer {token.secret}"}
            answer = Client().generic(method, f"/api/v1/documents/{path}", "{}", "application/json", headers=given)
            return answer.status_code

        for scope in set(Scope) - {Scope.DOCUMENTS_WRITE}:
            assert told(scope, "POST", f"{deed.pk}/shares/") == 403
            assert told(scope, "DELETE", f"shares/{link.pk}/") == 403
        assert told(Scope.DOCUMENTS_READ, "GET", f"shares/{link.pk}/") == 200
        assert told(Scope.LEASES_WRITE, "GET", f"shares/{link.pk}/") == 403
        assert told(Scope.DOCUMENTS_WRITE, "DELETE", f"shares/{link.pk}/") == 200

    def test_is_still_ones_own_to_revoke_without_the_right_to_share(self, oscar: Program, deed: Document) -> None:
        link = linked(oscar.user, deed).link
        oscar.user.groups.set([in_role("Viewer").groups.get()])

        assert oscar("POST", f"{deed.pk}/shares/", {}).status_code == 403
        assert oscar("DELETE", f"shares/{link.pk}/").json()["status"] == "revoked"

    def test_revoked_twice_stays_as_it_was(self, oscar: Program, program: Programs, deed: Document) -> None:
        link = linked(oscar.user, deed).link
        first = oscar("DELETE", f"shares/{link.pk}/").json()

        again = program("Administrator")("DELETE", f"shares/{link.pk}/").json()

        assert again == first


class TestListed:
    def test_is_narrowed(self, oscar: Program, deed: Document) -> None:
        """Each state by what the row says, as each link says it of itself."""
        day = timedelta(days=1)
        rest = verified(oscar.user, PDF)
        made = {
            "active": linked(oscar.user, deed).link,
            "expired": linked(oscar.user, deed).link,
            "used_up": linked(oscar.user, deed, downloads_at_most=1).link,
            "revoked": linked(oscar.user, deed).link,
            "suspended": linked(oscar.user, rest).link,
        }
        ShareLink.objects.filter(pk=made["expired"].pk).update(created_at=now() - 2 * day, expires_at=now() - day)
        ShareLink.objects.filter(pk=made["used_up"].pk).update(downloads=1)
        # What has ended for good is no longer revoked, and so on.
        ShareLink.objects.filter(pk=made["revoked"].pk).update(revoked_at=now(), downloads=1, downloads_at_most=1)
        documents.archive(document_id=rest.pk, by=oscar.user)

        for state, link in made.items():
            told = oscar("GET", f"shares/?status={state}&total=true").json()
            assert [(each["id"], each["status"]) for each in told["items"]] == [(link.pk, state)]
        assert len(oscar("GET", f"shares/?document={deed.pk}").json()["items"]) == 4

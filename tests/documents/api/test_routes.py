"""Documents one by one over HTTP: found, read, changed, and by whom."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from api.paging import page
from core.base import clock
from documents.api import routes, shapes
from documents.api.asking import shown
from documents.models import Document
from documents.services import documents
from documents.states import State
from tests.documents.api.conftest import Program
from tests.documents.api.test_uploads import another_operator
from tests.documents.making import PDF, Files, stored, verified, worked
from tests.factories import settled
from tests.storage.test_api import problem_of

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


@pytest.fixture
def many(program: Callable[[str], Program]) -> User:
    """Somebody with documents in each state and of equal names, among many more of somebody else's.

    PostgreSQL is told to use what indexes there are; which of them is the best is beyond doubt.
    """
    ada, somebody = program("Administrator").user, User.objects.create(username="somebody")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO documents_document (name, unique_name, owner_id, state, verified_at, archived_at)
            SELECT 'Deed ' || n %% 2, 'many-' || n, %s, state, now(), CASE state WHEN 'archived' THEN now() END
            FROM generate_series(1, 20) n, LATERAL (SELECT CASE WHEN n %% 2 = 0 THEN 'active' ELSE 'archived' END) each (state)
            """,
            [ada.pk],
        )
        cursor.execute(
            """
            INSERT INTO documents_document (name, unique_name, owner_id, state)
            SELECT 'Deed ' || n %% 2, 'others-' || n, %s, 'received' FROM generate_series(1, 400) n
            """,
            [somebody.pk],
        )
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("ANALYZE documents_document")
    return ada


def _plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


class TestList:
    def test_has_what_all_of_it_applies_to(
        self, oscar: Program, program: Callable[[str], Program], deed: Document
    ) -> None:
        ada = program("Administrator").user
        lease = settled(ada)
        picture = verified(ada, b"\x89PNG\r\n\x1a\n" + b"\0" * 20, name="Map 100%.png", lease_id=lease.pk)
        pending = stored(ada, name="Letter.txt")
        documents.change(document_id=picture.pk, by=ada, is_public=True)
        documents.archive(document_id=deed.pk, by=ada)

        narrowed = {
            "": [pending.pk, picture.pk, deed.pk],
            f"owner={ada.pk}": [pending.pk, picture.pk],
            f"lease={lease.pk}": [picture.pk],
            "status=archived": [deed.pk],
            "status=pending": [pending.pk],
            "name=map+1": [picture.pk],
            "name=100%25": [picture.pk],
            "name=%25": [picture.pk],
            "type=image/": [picture.pk],
            "is_public=true": [picture.pk],
            f"unique_name={picture.unique_name.upper()}": [picture.pk],
            "changed_since=9999-12-31T23:59:59-23:59": [],
            "changed_since=2000-01-01T00:00:00Z&status=archived": [deed.pk],
            f"changed_since={(clock.now() + timedelta(days=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}": [],
            "order=name": [deed.pk, pending.pk, picture.pk],
            f"owner={ada.pk}&status=archived": [],
        }
        assert {asked: ids(oscar("GET", f"?{asked}")) for asked in narrowed} == narrowed

    @pytest.mark.parametrize("order", get_args(routes.DocumentOrder.__value__))
    def test_comes_in_pages_each_document_once(self, oscar: Program, order: str) -> None:
        made = [verified(oscar.user, PDF, name=f"Deed {number % 3}.pdf").pk for number in range(5)]
        found, cursor = [], ""

        while cursor is not None:
            answer = oscar("GET", f"?order={order}&limit=2&total=true&cursor={cursor}").json()
            found += [each["id"] for each in answer["items"]]
            cursor = answer["next"]
            assert answer["total"] == 5

        assert sorted(found) == sorted(made)
        assert found == ids(oscar("GET", f"?order={order}"))

    def test_takes_as_many_statements_for_many_as_for_one(
        self, oscar: Program, deed: Document, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(4):
            stored(oscar.user)

        with django_assert_max_num_queries(5):  # the session, the person, their rights twice, and the list
            assert len(ids(oscar("GET"))) == 5

    @pytest.mark.parametrize("narrowed", ["", "&owner={owner}", "&status=active", "&status=archived"])
    @pytest.mark.parametrize("order", get_args(routes.DocumentOrder.__value__))
    def test_goes_on_in_an_index_and_passes_by_no_document(self, many: User, order: str, narrowed: str) -> None:
        wanted = routes.Listed.model_validate(dict(parse_qsl(f"order={order}{narrowed.format(owner=many.pk)}")))
        rows = wanted.among(shown(many))
        second = page(rows, order=[wanted.by], limit=2).next or ""

        for cursor in ("", second):
            with CaptureQueriesContext(connection) as asked:
                page(rows, order=[wanted.by], limit=2, cursor=cursor)
            plan = _plan(asked[0]["sql"])

            assert not re.search(r"Sort|Rows Removed by (?!Join)|Seq Scan on documents_document ", plan), plan

    @pytest.mark.parametrize(
        "asked",
        [
            "owner=0",
            "owner=x",
            "status=lost",
            "order=size",
            "limit=0",
            "changed_since=soon",
            "changed_since=2026-01-01T00:00:00",
            "lease=99999999999999999999",
        ],
    )
    def test_refuses_what_makes_no_sense(self, oscar: Program, asked: str) -> None:
        assert problem_of(oscar("GET", f"?{asked}"))["code"] == "invalid"

    def test_tells_how_much_room_is_taken(self, oscar: Program, deed: Document) -> None:
        assert oscar("GET", "usage/").json()["used_bytes"] == len(PDF)


class TestChange:
    def test_says_something_else_of_it(self, oscar: Program, deed: Document) -> None:
        lease = settled(oscar.user)
        wish = {
            "name": "Deed.pdf",
            "metadata": {"book": 12},
            "is_public": True,
            "lease": lease.pk,
            "unique_name": "Deed-12",
        }

        answer = oscar("PATCH", f"{deed.pk}/", wish, If_Match="now")

        told = answer.json()
        assert {name: told[name] for name in wish} == wish
        assert oscar("GET", f"{deed.pk}/", If_None_Match=answer["ETag"]).status_code == 304
        assert oscar("PATCH", f"{deed.pk}/", {"lease": None}, If_Match="now").json()["lease"] is None
        assert oscar("PATCH", f"{deed.pk}/", {}, If_Match="now").json()["name"] == "Deed.pdf"

    @pytest.mark.parametrize(
        ("wish", "status", "code"),
        [
            ({"name": "a\r\nSet-Cookie: x=y"}, 422, "invalid_name"),
            ({"name": "../../etc/passwd"}, 422, "invalid_name"),
            ({"name": "invoice\u202efdp.exe"}, 422, "invalid_name"),
            ({"name": "a\0b"}, 422, "invalid"),
            ({"name": ""}, 422, "invalid_name"),
            ({"name": None}, 422, "invalid"),
            ({"unique_name": "admin"}, 422, "invalid_unique_name"),
            ({"unique_name": "a b"}, 422, "invalid_unique_name"),
            ({"metadata": [1]}, 422, "invalid"),
            ({"metadata": {"a": "x" * 20_000}}, 422, "invalid_metadata"),
            ({"lease": 99_999}, 422, "lease_unknown"),
            ({"owner": 1}, 422, "invalid"),
            ({"is_public": "yes"}, 422, "invalid"),
        ],
    )
    def test_refuses_what_cannot_be(self, oscar: Program, deed: Document, wish: Any, status: int, code: str) -> None:
        before = oscar("GET", f"{deed.pk}/").json()

        answer = oscar("PATCH", f"{deed.pk}/", wish, If_Match="now")

        assert (answer.status_code, problem_of(answer)["code"]) == (status, code)
        assert oscar("GET", f"{deed.pk}/").json() == before

    @pytest.mark.parametrize("path", ["", "bulk/"])
    @pytest.mark.parametrize(
        "metadata",
        [
            '{"a": NaN}',
            '{"a": 1e999}',
            f'{{"a": {"9" * 5_000}}}',
            f'{{"a": {"[" * 600}{"]" * 600}}}',
            f'{{"a": {"[" * 90_000}{"]" * 90_000}}}',
        ],
    )
    def test_is_broken_by_no_metadata(self, oscar: Program, deed: Document, path: str, metadata: str) -> None:
        wish = f'{{"metadata": {metadata}}}'
        many = f'{{"action": "change", "ids": [{deed.pk}], "change": {wish}}}'

        answer = (
            oscar("POST", path, many.encode(), Content_Type="application/json")
            if path
            else oscar("PATCH", f"{deed.pk}/", wish.encode(), Content_Type="application/json", If_Match="now")
        )

        assert "invalid_metadata" in answer.text or problem_of(answer)["code"] == "not_json", answer.text
        assert Document.objects.get().metadata == {}

    def test_says_no_reason_that_no_database_keeps(self, oscar: Program, deed: Document) -> None:
        answer = oscar(
            "POST",
            f"{deed.pk}/versions/1/restore/",
            b'{"why": "\\ud800"}',
            Content_Type="application/json",
            If_Match="now",
        )

        assert (answer.status_code, problem_of(answer)["code"]) == (422, "invalid")

    def test_takes_no_name_that_is_taken(self, oscar: Program, deed: Document) -> None:
        other = stored(oscar.user)

        answer = oscar("PATCH", f"{deed.pk}/", {"unique_name": other.unique_name.upper()}, If_Match="now")

        assert (answer.status_code, problem_of(answer)["code"]) == (409, "unique_name_taken")


ACTIONS = (
    "archive/",
    "restore/",
    "verify/",
    "purge/",
    "check-out/",
    "check-in/",
    "versions/1/restore/",
    "take-changed/",
    "bring-back/",
)


class TestActions:
    def test_follow_a_document_through_its_life(
        self, oscar: Program, program: Callable[[str], Program], deed: Document
    ) -> None:
        ada, path = program("Administrator"), f"{deed.pk}/"

        def done(who: Program, action: str, body: Any = None) -> Any:
            answer = who("POST", f"{path}{action}", body, If_Match="now")
            assert answer.status_code in {200, 202}, answer.text
            return answer

        assert done(oscar, "check-out/", {"hours": 2}).json()["checked_out_by"]["name"] == "operator"
        assert problem_of(ada("PATCH", path, {"name": "x"}, If_Match="now"))["code"] == "checked_out"
        assert done(oscar, "check-in/").json()["checked_out_by"] is None
        assert done(oscar, "archive/").json()["status"] == "archived"
        assert done(oscar, "restore/").json()["status"] == "active"
        assert oscar("DELETE", path, If_Match="now").json()["status"] == "archived"
        assert done(ada, "purge/").json()["purge_at"] is not None
        assert done(ada, "restore/").json()["purge_at"] is None

        again = done(oscar, "versions/1/restore/", {"why": "the last one was wrong"})
        assert (again.status_code, again.json()["version"], again["Location"]) == (
            202,
            2,
            f"/api/v1/documents/{deed.pk}/",
        )
        worked(deed)
        assert done(oscar, "verify/").status_code == 202
        assert oscar("GET", f"{path}versions/2/").json()["restored_from"] == 1

    @pytest.mark.parametrize(("action", "version"), [("take-changed/", 2), ("bring-back/", 1)])
    def test_are_two_ways_back_from_a_file_that_was_changed(
        self, oscar: Program, deed: Document, files: Files, action: str, version: int
    ) -> None:
        stored_at = files[deed.versions.get().key]
        verified(oscar.user)  # a copy
        refused = oscar("POST", f"{deed.pk}/{action}", None, If_Match="now")
        assert (refused.status_code, problem_of(refused)["code"]) == (409, "transition_refused")
        stored_at.write_bytes(b"something else")
        documents.verify(document_id=deed.pk, by=oscar.user)
        worked(deed)

        answer = oscar("POST", f"{deed.pk}/{action}", None, If_Match="now")

        assert (answer.status_code, answer.json()["version"]) == (202, version)
        assert worked(deed).state == State.ACTIVE

    @pytest.mark.parametrize("action", ACTIONS)
    def test_are_of_what_was_read(self, program: Callable[[str], Program], deed: Document, action: str) -> None:
        ada = program("Administrator")

        assert problem_of(ada("POST", f"{deed.pk}/{action}"))["code"] == "precondition_missing"
        stale = ada("POST", f"{deed.pk}/{action}", If_Match='"other"')
        assert (stale.status_code, problem_of(stale)["code"]) == (412, "precondition_failed")
        assert ada("POST", f"99999999/{action}", If_Match='"x"').status_code == 404

    @pytest.mark.parametrize(
        ("method", "action"), [*(("POST", each) for each in ACTIONS), ("DELETE", ""), ("PATCH", "")]
    )
    def test_are_not_for_other_peoples_documents(
        self, program: Callable[[str], Program], deed: Document, method: str, action: str
    ) -> None:
        before = Document.objects.get(pk=deed.pk)
        body = {"name": "Mine.pdf"} if method == "PATCH" else None

        for other in (program("Viewer"), Program(another_operator())):
            answer = other(method, f"{deed.pk}/{action}", body, If_Match="now")
            assert answer.status_code == 403
            assert problem_of(answer)["code"] in {"transition_forbidden", "not_your_document"}
        assert Document.objects.get(pk=deed.pk).generation == before.generation

    def test_take_only_what_they_know(self, oscar: Program, deed: Document) -> None:
        for body in ({"hours": 0}, {"hours": 10_000}, {"days": 1}):
            assert problem_of(oscar("POST", f"{deed.pk}/check-out/", body, If_Match="now"))["code"] == "invalid"


class TestMany:
    def test_become_each_what_they_can(self, oscar: Program, program: Callable[[str], Program], deed: Document) -> None:
        own, others = verified(oscar.user), verified(program("Administrator").user)
        wish = {"action": "archive", "ids": [own.pk, others.pk, 99_999, own.pk, deed.pk]}

        told = oscar("POST", "bulk/", wish).json()

        assert (told["done"], told["refused"]) == (2, 2)
        assert [(each["id"], each["is_done"], each["code"]) for each in told["items"]] == [
            (own.pk, True, ""),
            (others.pk, False, "not_your_document"),
            (99_999, False, "record_gone"),
            (deed.pk, True, ""),
        ]

    def test_are_changed_alike(self, oscar: Program, deed: Document) -> None:
        wish = {"action": "change", "ids": [deed.pk], "change": {"metadata": {"book": 12}}}

        assert oscar("POST", "bulk/", wish).json()["done"] == 1
        assert Document.objects.get(pk=deed.pk).metadata == {"book": 12}

    @pytest.mark.parametrize(
        "wish",
        [
            {},
            {"action": "delete", "ids": [1]},
            {"action": "archive", "ids": []},
            {"action": "archive", "ids": [1] * 1_001},
        ],
    )
    def test_are_bounded(self, oscar: Program, wish: Any) -> None:
        assert problem_of(oscar("POST", "bulk/", wish))["code"] == "invalid"


def test_every_state_is_told() -> None:
    assert set(get_args(shapes.Status.__value__)) == set(State.values)

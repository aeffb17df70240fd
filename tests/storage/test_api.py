"""The index for programs: what it takes, what it answers, and who is let in."""

import json
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from redis import Redis

from storage import api
from storage.models import IndexRun
from storage.services import IndexSyncService, RunReport
from tests.storage.conftest import rows, states
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

REBUILD = "/api/v1/index/rebuild/"


def with_rights(client: Client, *codenames: str) -> Client:
    person = User.objects.create_user("nina")
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(person)
    return client


@pytest.fixture
def asking(client: Client, tree: Tree, olivia: User) -> Client:
    """Somebody who may do everything, and a file that has no row yet."""
    tree.put("7/a")
    client.force_login(olivia)
    return client


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Instead of sleeping, the run is worked on: a worker, with no process of its own."""
    slept: list[float] = []

    def work(seconds: float) -> None:
        slept.append(seconds)
        for run in IndexRun.objects.filter(state="planning"):
            IndexSyncService().work(run_id=run.pk)

    monkeypatch.setattr("storage.services.sleep", work)
    return slept


def rebuild(client: Client, *, address: str = REBUILD, **wish: Any) -> Any:
    return client.post(address, json.dumps(wish), content_type="application/json")


def problem_of(answer: Any) -> dict[str, Any]:
    """The problem, which has all that one has to have."""
    assert answer["Content-Type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["type"] == f"urn:runsheet:problem:{said['code']}"
    assert said["title"]
    assert said["detail"].endswith((".", "”"))
    assert said["status"] == answer.status_code
    return said


class TestRebuild:
    def test_starts_a_run_and_says_where_it_is(self, asking: Client, olivia: User) -> None:
        answer = rebuild(asking, mode="sync")

        run = IndexRun.objects.get()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/index/runs/{run.pk}/")
        assert answer["Retry-After"] == "1"
        assert answer.json()["run_id"] == run.pk
        assert answer.json()["state"] == run.state == "planning"
        assert (run.mode, run.initiated_by) == ("sync", olivia)

    def test_takes_what_the_service_takes(self, asking: Client) -> None:
        answer = rebuild(
            asking,
            mode="full",
            root="documents",
            user_id=7,
            dry_run=True,
            force=True,
            incremental=True,
            checksums=True,
            include_protected=True,
            allow_missing=120,
            grace_days=3,
        )

        run = IndexRun.objects.get()
        assert answer.status_code == 202
        assert (run.mode, run.root.name, run.user_id, run.prefix) == ("full", "documents", 7, "7/")
        assert run.dry_run
        assert run.incremental
        assert run.checksums
        assert run.include_protected
        assert (run.allow_missing, run.grace.days) == (120, 3)

    def test_without_a_body_audits(self, asking: Client) -> None:
        assert asking.generic("POST", REBUILD).status_code == 202

        assert IndexRun.objects.get().mode == "audit"

    def test_with_wait_comes_with_the_figures(self, asking: Client, tree: Tree, worked: list[float]) -> None:
        answer = rebuild(asking, address=f"{REBUILD}?wait=5", mode="sync")

        assert answer.status_code == 200
        assert answer.json() == RunReport.of(IndexRun.objects.get()).document
        assert answer.json()["stats"]["records_created"] == 2
        assert "Retry-After" not in answer
        assert rows() == tree.oracle()

    def test_that_is_not_over_in_that_time_says_how_it_stands(self, asking: Client, settings: Any) -> None:
        settings.API_WAIT_AT_MOST_S = 0.05

        answer = rebuild(asking, address=f"{REBUILD}?wait=3600", mode="sync")

        assert (answer.status_code, answer.json()["state"]) == (202, "planning")

    def test_does_not_let_everybody_wait(
        self, asking: Client, worked: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A thread is held by whoever waits; the others are told at once."""
        monkeypatch.setattr(api, "waiting", BoundedSemaphore(1))
        api.waiting.acquire()

        first = rebuild(asking, address=f"{REBUILD}?wait=5")
        IndexRun.objects.all().delete()
        api.waiting.release()
        second = rebuild(asking, address=f"{REBUILD}?wait=5")

        assert (first.status_code, second.status_code) == (202, 200)
        assert len(worked) == 1
        assert api.waiting.acquire(blocking=False), "whoever has waited has to make room"

    def test_that_is_refused_by_the_brake_is_a_run_like_any_other(self, asking: Client, tree: Tree) -> None:
        tree.path.rename(tree.path.with_name("elsewhere"))
        run = IndexSyncService().start(mode="sync", rings=False)
        IndexSyncService().work(run_id=run.pk)

        said = asking.get(f"/api/v1/index/runs/{run.pk}/").json()

        assert (said["state"], said["in_sync"]) == ("refused", True)
        assert "is not there" in said["why"]


class TestRefused:
    @pytest.mark.parametrize(
        ("wish", "status", "code", "field", "sentence"),
        [
            ({"mode": "scrub"}, 422, "mode_unknown", "mode", "There is no mode “scrub”."),
            ({"root": "attic"}, 422, "root_unknown", "root", "There is no root “attic”."),
            ({"user_id": 4711}, 422, "user_unknown", "user_id", "There is no user 4711."),
            ({"user_id": 10**30}, 422, "user_unknown", "user_id", "There is no user 1000"),
            ({"mode": "full"}, 422, "needs_force", "force", "“full” deletes rows."),
            ({"moed": "sync"}, 422, "invalid", "moed", "There is no field “moed”."),
            ({"force": "yes"}, 422, "invalid", "force", "“force”: input should be a valid boolean."),
            ({"root": "\ud800"}, 422, "invalid", "root", "“root”: value error, A text holds whole characters"),
            ({"mode": "\0"}, 422, "invalid", "mode", "“mode”: value error, A text holds whole characters"),
            ({"user_id": "7"}, 422, "invalid", "user_id", "“user_id”: input should be a valid integer."),
            ({"allow_missing": -1}, 422, "invalid", "allow_missing", "“allow_missing”: input should be greater"),
            ({"allow_missing": 2**31}, 422, "invalid", "allow_missing", "“allow_missing”: input should be less"),
            ({"grace_days": 10**9}, 422, "invalid", "grace_days", "“grace_days”: input should be less than"),
            ({"root": "a\0b"}, 422, "invalid", "root", "“root”: value error, A text holds whole characters"),
        ],
    )
    def test_says_what_is_wrong_and_where(  # noqa: PLR0917 - as many as a row has
        self, asking: Client, wish: dict[str, Any], status: int, code: str, field: str, sentence: str
    ) -> None:
        answer = rebuild(asking, **wish)

        said = problem_of(answer)
        assert (answer.status_code, said["code"]) == (status, code)
        assert said["detail"].startswith(sentence)
        assert [each["field"] for each in said["errors"]] == [field]
        assert not IndexRun.objects.exists()

    def test_tells_which_run_is_under_way(self, asking: Client) -> None:
        first = rebuild(asking).json()["run_id"]

        answer = rebuild(asking)

        said = problem_of(answer)
        assert (answer.status_code, said["code"]) == (409, "root_busy")
        assert said["detail"].startswith(f"Run {first} of the root “documents” is under way")

    @pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon"])
    def test_wants_a_time_that_one_can_wait(self, asking: Client, wait: str) -> None:
        answer = asking.generic("POST", f"{REBUILD}?wait={wait}")

        assert answer.status_code == 422
        assert [each["field"] for each in problem_of(answer)["errors"]] == ["wait"]

    def test_does_not_tell_of_more_fields_than_anybody_mends(self, asking: Client) -> None:
        said = problem_of(rebuild(asking, **{f"{number}{'x' * 100}": "1" for number in range(50)}))

        assert len(said["errors"]) == 20
        assert max(len(each["field"]) for each in said["errors"]) == 50

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code"),
        [
            ("{", "application/json", 400, "not_json"),
            (b"\xff\xfe\xfd", "application/json", 400, "not_json"),
            ("[" * 100_000, "application/json", 400, "not_json"),
            ("[]", "application/json", 422, "invalid"),
            ('"audit"', "application/json", 422, "invalid"),
            ("mode=sync", "application/x-www-form-urlencoded", 415, "no_such_content_type"),
            ('{"mode": "sync"}', "text/plain", 415, "no_such_content_type"),
        ],
    )
    def test_takes_one_json_object_and_nothing_else(
        self, asking: Client, body: str | bytes, kind: str, status: int, code: str
    ) -> None:
        answer = asking.post(REBUILD, body, content_type=kind)

        assert (answer.status_code, problem_of(answer)["code"]) == (status, code)
        assert not IndexRun.objects.exists()

    @pytest.mark.parametrize("size", [3_000_000, 11_000_001])
    def test_takes_no_huge_body(self, asking: Client, size: int) -> None:
        answer = asking.post(REBUILD, " " * size, content_type="application/json")

        assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")


class TestWhoMay:
    def test_is_not_whoever_has_not_logged_in(self, client: Client, tree: Tree) -> None:
        for answer in (rebuild(client), client.get("/api/v1/index/runs/1/")):
            assert (answer.status_code, problem_of(answer)["code"]) == (401, "not_logged_in")
            assert "Session " in answer["WWW-Authenticate"]

    def test_start_is_who_may_run_the_index(self, client: Client, tree: Tree) -> None:
        answer = rebuild(with_rights(client, "view_indexrun"))

        assert (answer.status_code, problem_of(answer)["code"]) == (403, "transition_forbidden")
        assert not IndexRun.objects.exists()

    def test_change_rows_is_who_may_do_that(self, client: Client, tree: Tree) -> None:
        """Workers go straight on from a plan to the changes, and nobody asks them."""
        asking = with_rights(client, "run_index")

        for wish in ({"mode": "sync"}, {"mode": "full", "force": True}, {"allow_missing": 1_000_000}):
            answer = rebuild(asking, **wish)
            assert (answer.status_code, problem_of(answer)["code"]) == (403, "transition_forbidden")
        assert not IndexRun.objects.exists()
        assert rebuild(asking, mode="full", dry_run=True).status_code == 202

    def test_see_is_who_may_see_runs(self, client: Client, tree: Tree) -> None:
        asking = with_rights(client, "run_index")
        started = rebuild(asking)

        answer = asking.get(started["Location"])

        assert started.status_code == 202
        assert (answer.status_code, problem_of(answer)["code"]) == (403, "forbidden")

    def test_is_not_another_site(self, asking: Client) -> None:
        """Its page makes the browser send the cookie of the session, but cannot know the token."""
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = asking.cookies

        refused = rebuild(strict)
        strict.get("/admin/")
        token = strict.cookies["csrftoken"].value
        taken = strict.post(REBUILD, "{}", content_type="application/json", headers={"X-CSRFToken": token})

        assert (refused.status_code, problem_of(refused)["code"]) == (403, "no_csrf_token")
        assert taken.status_code == 202


class TestRun:
    def test_is_told_as_it_stands(self, asking: Client) -> None:
        started = rebuild(asking, mode="sync")
        IndexSyncService().work(run_id=started.json()["run_id"])

        answer = asking.get(started["Location"])

        assert answer.status_code == 200
        assert answer.json() == RunReport.of(IndexRun.objects.get()).document
        assert states() == {"7/": "present", "7/a": "present"}

    @pytest.mark.parametrize("number", ["4711", str(10**30)])
    def test_that_there_is_not_is_not_found(self, asking: Client, number: str) -> None:
        answer = asking.get(f"/api/v1/index/runs/{number}/")

        said = problem_of(answer)
        assert (answer.status_code, said["code"]) == (404, "run_gone")
        assert said["detail"] == f"There is no run {number}."


def test_redis_is_not_needed_to_start_a_run(asking: Client, settings: Any, redis: Redis) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert rebuild(asking).status_code == 202

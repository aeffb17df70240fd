"""A wish that bears a key is granted once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client

from api import duties, idempotency
from api.errors import StillRunning
from api.models import KeptAnswer
from core.base import clock
from core.base.errors import Refused
from leases.models import Lease
from statemachine import duties as engine
from statemachine import jobs
from storage.models import IndexRun
from tests.api import pots
from tests.api.at_once import closing, in_another_process, killed, pausing
from tests.factories import settled
from tests.toy.models import Kettle

pytestmark = [pytest.mark.usefixtures("redis"), pytest.mark.urls("tests.api.pots")]

HOLD_OVER = idempotency.HELD_FOR + timedelta(seconds=1)
DAY_OVER = idempotency.KEPT_FOR + timedelta(seconds=1)


class Later(Refused):
    """Not now."""

    code = "later_for_tests"
    status = HTTPStatus.CONFLICT


@pytest.fixture
def steps() -> Iterator[dict[str, Callable[[], Any]]]:
    yield pots.steps
    pots.steps.clear()


@pytest.fixture
def asking(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    client.raise_request_exception = False
    return client


def post(client: Client, key: str | None = "k-1", *, address: str = pots.ADDRESS, **wish: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(address, json.dumps(wish), content_type="application/json", headers=headers)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def raising(error: BaseException) -> Callable[..., None]:
    def step(*_given: object) -> None:
        raise error

    return step


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    def passes(time: timedelta) -> None:
        monkeypatch.setattr(idempotency, "shared_now", lambda: clock.shared_now() + time)

    return passes


@pytest.mark.django_db
class TestAgain:
    def test_the_same_is_answered_and_nothing_done(self, asking: Client) -> None:
        first, second = post(asking, label="Tin"), post(asking, label="Tin")

        assert (first.status_code, second.status_code) == (201, 201)
        assert second.content == first.content
        for name in ("Location", "ETag", "Content-Type"):
            assert second[name] == first[name]
        assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
        assert [each.label for each in Kettle.objects.all()] == ["Tin"]

    @pytest.mark.parametrize("key", [None, "other"])
    def test_without_the_key_it_is_another_wish(self, asking: Client, key: str | None) -> None:
        assert post(asking).json()["id"] != post(asking, key).json()["id"]

    def test_quotes_around_a_key_are_not_part_of_it(self, asking: Client) -> None:
        assert post(asking, "a").content == post(asking, '"a"').content

    def test_the_key_of_another_person_is_another_one(self, asking: Client) -> None:
        post(asking, label="Secret")
        asking.force_login(User.objects.create_superuser("nina"))

        answer = post(asking, label="Tin")

        assert (answer.status_code, answer.json()["label"]) == (201, "Tin")
        assert Kettle.objects.count() == 2

    def test_nobody_gets_an_answer_who_is_not_known(self, asking: Client) -> None:
        post(asking)
        asking.logout()

        assert told(post(asking)) == (401, "not_logged_in")

    @pytest.mark.parametrize("other", [{"label": "Tin"}, {"address": f"{pots.ADDRESS}?x=1"}])
    def test_a_key_is_for_one_wish(self, asking: Client, other: dict[str, str]) -> None:
        post(asking)

        assert told(post(asking, **other)) == (422, "key_for_another_body")
        assert Kettle.objects.count() == 1

    @pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, '"'])
    def test_what_is_no_key_is_told(self, asking: Client, key: str) -> None:
        assert told(post(asking, key)) == (400, "key_invalid")
        assert not Kettle.objects.exists()

    def test_what_only_reads_takes_no_key(self, asking: Client) -> None:
        assert asking.get(pots.ADDRESS, headers={"Idempotency-Key": ""}).status_code == 200
        assert not KeptAnswer.objects.exists()

    def test_what_is_not_valid_is_not_kept(self, asking: Client) -> None:
        assert told(post(asking, label=7))[0] == 422
        assert post(asking, label="Tin").status_code == 201


SAID = {"Content-Digest": "sha-256=:x:"}


@pytest.mark.django_db
class TestUpload:
    """A body that streams is not read to compare it, whatever it is."""

    def put(self, client: Client, body: bytes, *, content_type: str = "application/json", **headers: str) -> Any:
        asked = {"Idempotency-Key": "k", **headers}
        return client.put(pots.ADDRESS, body, content_type=content_type, headers=asked)

    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/octet-stream", "multipart/form-data; boundary=x"]
    )
    def test_may_be_larger_than_what_is_read_at_once(self, asking: Client, content_type: str, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

        assert self.put(asking, b"a" * 101, content_type=content_type, **SAID).json() == {"size": 101}

    @pytest.mark.parametrize("name", ["Content-Digest", "Repr-Digest", "Upload-Checksum"])
    def test_needs_a_digest_since_nobody_reads_it_ahead(self, asking: Client, name: str) -> None:
        assert told(self.put(asking, b"abc")) == (422, "key_needs_digest")
        assert not KeptAnswer.objects.exists()
        assert self.put(asking, b"").json() == {"size": 0}
        assert self.put(asking, b"abc", **{"Idempotency-Key": "k-2", name: "x"}).json() == {"size": 3}

    def test_is_done_once(self, asking: Client) -> None:
        answers = [self.put(asking, b"abc", **{"Content-Digest": "sha-256=:x:"}) for _ in range(2)]

        assert [each.json() for each in answers] == [{"size": 3}] * 2
        assert Kettle.objects.count() == 1

    @pytest.mark.parametrize(("body", "digest"), [(b"abcd", "sha-256=:x:"), (b"abc", "sha-256=:y:")])
    def test_is_told_from_another_by_its_length_and_digest(self, asking: Client, body: bytes, digest: str) -> None:
        self.put(asking, b"abc", **{"Content-Digest": "sha-256=:x:"})

        assert told(self.put(asking, body, **{"Content-Digest": digest})) == (422, "key_for_another_body")


@pytest.mark.django_db(transaction=True)
class TestWhatWentWrong:
    @pytest.mark.parametrize("error", [ZeroDivisionError(), DatabaseError("connection failed: gone"), Later()])
    @pytest.mark.parametrize("step", ["begun", "saved"])
    def test_and_did_nothing_is_tried_anew(
        self, asking: Client, steps: dict[str, Callable[[], Any]], step: str, error: Exception
    ) -> None:
        steps[step] = raising(error)
        refused = post(asking)
        steps.clear()

        assert refused.status_code in {409, 500, 503}
        assert not KeptAnswer.objects.exists()
        assert post(asking).status_code == 201
        assert Kettle.objects.count() == 1

    def test_in_the_server_is_not_kept_and_what_was_done_not_done_twice(
        self, asking: Client, steps: dict[str, Callable[[], Any]]
    ) -> None:
        steps["made"] = raising(ZeroDivisionError())

        broken, again = post(asking), post(asking)

        assert told(broken) == (500, "broken")
        assert told(again) == (409, "answer_lost")
        assert Kettle.objects.count() == 1

    def test_after_a_part_was_done_is_answered_again(self, asking: Client, steps: dict[str, Callable[[], Any]]) -> None:
        steps["made"] = raising(Later())

        answers = [post(asking), post(asking)]

        assert [told(each) for each in answers] == [(409, "later_for_tests")] * 2
        assert Kettle.objects.count() == 1

    def test_is_told_even_where_nothing_can_be_kept(
        self, asking: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(idempotency._Try, "mine", raising(DatabaseError("gone")))
        monkeypatch.setattr(idempotency._Try, "__call__", lambda _self, execute, *given: execute(*given))

        assert post(asking).status_code == 201
        assert "an answer could not be kept" in caplog.text
        monkeypatch.undo()
        assert told(post(asking)) == (409, "still_running")

    def test_in_a_savepoint_takes_the_note_with_it(self, asking: Client, steps: dict[str, Callable[[], Any]]) -> None:
        """What is committed then still has one."""

        def undone() -> None:
            with pytest.raises(IntegrityError), transaction.atomic():
                Kettle.objects.create(litres=-1, due_at=None)

        steps["begun"] = transaction.atomic(undone)
        steps["made"] = raising(ZeroDivisionError())

        post(asking)

        assert KeptAnswer.objects.get().done_at is not None


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_one_is_done_and_the_other_told_to_wait(self, asking: Client, steps: dict[str, Callable[[], Any]]) -> None:
        begun, go_on = pausing(steps, "saved")
        with ThreadPoolExecutor(1) as other:
            first = other.submit(closing(post), asking)
            assert begun.wait(30)

            second = post(asking)
            go_on.set()

        assert told(second) == (409, "still_running")
        assert second["Retry-After"] == "2"
        assert first.result().status_code == 201
        steps.clear()
        assert post(asking).content == first.result().content
        assert Kettle.objects.count() == 1

    def test_of_many_at_the_same_instant_one_is_done(self, asking: Client) -> None:
        with ThreadPoolExecutor(6) as others:
            answers = [each.result() for each in [others.submit(closing(post), asking) for _ in range(12)]]

        assert {told(each) for each in answers} <= {(201, ""), (409, "still_running")}
        assert len({each.content for each in answers if each.status_code == 201}) == 1
        assert Kettle.objects.count() == 1

    def test_whoever_was_taken_for_dead_commits_nothing(
        self, asking: Client, steps: dict[str, Callable[[], Any]], after: Callable[[timedelta], None]
    ) -> None:
        begun, go_on = pausing(steps, "begun")
        with ThreadPoolExecutor(1) as other:
            first = other.submit(closing(post), asking)
            assert begun.wait(30)
            steps.clear()
            after(HOLD_OVER)

            second = post(asking)
            go_on.set()

        assert second.status_code == 201
        assert told(first.result()) == (409, "still_running")
        assert [each.pk for each in Kettle.objects.all()] == [second.json()["id"]]
        assert post(asking).content == second.content

    def test_nobody_takes_over_from_whoever_was_faster(self, asking: Client, olivia: User) -> None:
        post(asking)
        stale = KeptAnswer.objects.get()
        KeptAnswer.objects.update(tries=2)

        with pytest.raises(StillRunning):
            idempotency._taken_over(stale, held_until=clock.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
class TestKilled:
    @pytest.mark.parametrize("step", ["begun", "saved"])
    def test_before_it_had_committed_it_is_done_after_a_while(
        self, asking: Client, steps: dict[str, Callable[[], Any]], after: Callable[[timedelta], None], step: str
    ) -> None:
        steps[step] = killed
        in_another_process(lambda: post(asking))
        steps.clear()

        at_once = post(asking)
        after(HOLD_OVER)
        later = post(asking)

        assert told(at_once) == (409, "still_running")
        assert later.status_code == 201
        assert post(asking).content == later.content
        assert Kettle.objects.count() == 1

    def test_after_it_had_committed_it_is_not_done_again(
        self, asking: Client, steps: dict[str, Callable[[], Any]], after: Callable[[timedelta], None]
    ) -> None:
        steps["made"] = killed
        in_another_process(lambda: post(asking))
        steps.clear()

        at_once = post(asking)
        after(HOLD_OVER)

        assert told(at_once) == (409, "still_running")
        assert told(post(asking)) == (409, "answer_lost")
        assert Kettle.objects.count() == 1


@pytest.mark.django_db
class TestForget:
    def test_a_day_later_the_key_is_a_new_one(self, asking: Client, after: Callable[[timedelta], None]) -> None:
        first = post(asking)
        after(DAY_OVER)

        second = post(asking, label="Tin")

        assert (second.status_code, "Idempotent-Replayed" in second) == (201, False)
        assert second.json()["id"] != first.json()["id"]
        assert post(asking, label="Tin").content == second.content

    def test_deletes_what_nobody_gets_any_more(self, asking: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 2)
        for key in "abcde":
            post(asking, key)
        KeptAnswer.objects.exclude(key="e").update(created_at=clock.now() - DAY_OVER)

        assert jobs.attend("api_forget") == "attended"

        assert [each.key for each in KeptAnswer.objects.all()] == ["e"]
        due = engine.named("api_forget")
        assert due is not None
        assert due.every_s() == duties.FORGETS_EVERY_S

    def test_a_key_says_whose_it_is(self, asking: Client, olivia: User) -> None:
        post(asking)

        assert str(KeptAnswer.objects.get()) == f"k-1 of {olivia.pk}"


@pytest.mark.django_db(transaction=True)
class TestWhateverMakesSomething:
    """The real interface, whose services write in ways of their own."""

    WISHES: ClassVar[dict[str, dict[str, Any]]] = {
        "/api/v1/index/rebuild/": {"mode": "audit"},
        "/api/v1/leases/": {"agency": "BLM", "number": "NMNM 2"},
        "/api/v1/leases/bulk/": {"items": [{"agency": "BLM", "number": "NMNM 2"}]},
        "/api/v1/leases/run/": {"filter": {}},
    }

    @pytest.mark.parametrize("address", WISHES)
    def test_is_noted_with_it_and_answered_again(
        self, asking: Client, olivia: User, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(olivia)
        with monkeypatch.context() as patch:
            patch.setattr(idempotency, "_settle", lambda *_: None)
            post(asking, address=address, **self.WISHES[address])
        assert KeptAnswer.objects.get().done_at is not None
        for model in (KeptAnswer, Lease, IndexRun):
            model.objects.all().delete()
        settled(olivia)

        first, second = (post(asking, address=address, **self.WISHES[address]) for _ in range(2))

        assert first.status_code in {200, 201, 202}, first.text
        assert (second.status_code, second.content) == (first.status_code, first.content)
        for name in ("Location", "ETag", "Retry-After"):
            assert second.headers.get(name) == first.headers.get(name)
        assert second["Idempotent-Replayed"] == "true"

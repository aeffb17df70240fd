"""Who asks for leases, and how often the same is done."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from leases.models import Batch, Lease
from tests.api.conftest import code_of, made, program
from tests.factories import settled
from tests.leases.api.conftest import As, Program, at, refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

READ = ("leases/", "leases/{}/", "leases/{}/history/", "leases/{}/contents/", "batches/", "agencies/", "agencies/BLM/")
WRITTEN: tuple[tuple[str, Any], ...] = (
    ("leases/", {"agency": "BLM", "number": "NMNM 2"}),
    ("leases/bulk/", {"items": [{"agency": "BLM", "number": "NMNM 2"}]}),
    ("leases/run/", {"filter": {}}),
    ("leases/delete/", {"filter": {}, "dry_run": True}),
    ("leases/{}/run/", {}),
    ("leases/{}/stop/", {}),
    ("batches/1/stop/", {}),
    ("batches/1/again/", {}),
)


def test_a_token_may_look_where_its_scope_lets_it(olivia: User) -> None:
    lease = settled(olivia)
    reading, other = (program(made(olivia, scope, name=scope).secret) for scope in ("leases:read", "storage:write"))

    for path in READ:
        address = f"/api/v1/{path.format(lease.pk)}"
        assert reading.get(address).status_code == 200, path
        assert code_of(other.get(address)) == (403, "scope_missing"), path


@pytest.mark.parametrize(("path", "body"), WRITTEN)
def test_a_token_changes_nothing_where_it_may_look_only(olivia: User, path: str, body: Any) -> None:
    lease = settled(olivia)
    reading = program(made(olivia, "leases:read").secret)

    answer = reading.post(f"/api/v1/{path.format(lease.pk)}", body, content_type="application/json")

    assert code_of(answer) == (403, "scope_missing")
    assert (Lease.objects.get().generation, Batch.objects.count()) == (0, 0)


def test_a_token_may_change_and_never_more_than_its_user(olivia: User) -> None:
    lease = settled(olivia)
    writing = program(made(olivia, "leases:write").secret)

    assert writing.post(f"/api/v1/leases/{lease.pk}/run/", {}, content_type="application/json").status_code == 202
    User.objects.update(is_superuser=False)
    answer = writing.post(f"/api/v1/leases/{lease.pk}/stop/", {}, content_type="application/json")
    assert code_of(answer) == (403, "transition_forbidden")


class TestTheSameWishSentTwice:
    @pytest.mark.parametrize(("path", "body"), WRITTEN[:2])
    def test_makes_a_lease_once(self, operator: Program, path: str, body: Any) -> None:
        first, second = (operator.post(path, body, Idempotency_Key="k-1") for _ in range(2))

        assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
        assert first.json() == second.json()
        assert Lease.objects.count() == 1

    def test_of_another_body_is_refused(self, operator: Program) -> None:
        path, body = WRITTEN[0]
        operator.post(path, body, Idempotency_Key="k-1")

        answer = operator.post(path, {**body, "number": "NMNM 3"}, Idempotency_Key="k-1")

        assert code_of(answer) == (422, "key_for_another_body")
        assert Lease.objects.count() == 1


class TestRights:
    @pytest.mark.parametrize(
        ("method", "what", "body"),
        [
            ("POST", "", {"agency": "BLM", "number": "2"}),
            ("PATCH", "{}/", {"number": "2"}),
            ("DELETE", "{}/", None),
            ("POST", "{}/run/", {"what": "full"}),
            ("POST", "{}/run/", {"what": "archive"}),
            ("POST", "{}/stop/", None),
            ("POST", "run/", {"filter": {}}),
            ("POST", "run/", {"filter": {}, "dry_run": True}),
            ("POST", "bulk/", {"items": [{"agency": "BLM", "number": "2"}]}),
        ],
    )
    def test_viewers_change_nothing_and_learn_nothing_of_versions(
        self, asked_by: As, lease: Lease, method: str, what: str, body: Any
    ) -> None:
        viewer = asked_by("Viewer")

        answer = viewer.send(method, f"leases/{what.format(lease.pk)}", body)

        assert refused(answer) == (403, "transition_forbidden")
        assert viewer.get(at(lease)).status_code == 200
        assert Lease.objects.get().generation == 0

    @pytest.mark.parametrize("what", ["leases/", "leases/{}/", "leases/{}/history/", "leases/{}/contents/", "batches/"])
    def test_who_may_see_no_leases_sees_none(self, lease: Lease, what: str) -> None:
        nobody = Program(User.objects.create_user("nina", is_staff=True))

        answer = nobody.get(what.format(lease.pk))

        assert refused(answer) == (403, "transition_forbidden")
        assert "see leases" in answer.json()["detail"]

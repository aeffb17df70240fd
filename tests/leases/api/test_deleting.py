"""Many leases are deleted, for programs."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from core.base.clock import now
from leases.models import Lease
from tests.factories import settled
from tests.leases.api.conftest import As, Program, refused

pytestmark = pytest.mark.django_db

DELETE = "leases/delete/"


@pytest.fixture
def administrator(asked_by: As) -> Program:
    return asked_by("Administrator")


@pytest.fixture
def some(administrator: Program) -> list[Lease]:
    """Of several people; one is under way."""
    nina = User.objects.create_user("nina")
    return [
        settled(administrator.user, lease_number="NMNM 1"),
        settled(nina, lease_number="NMNM 2", due_at=now()),
        settled(None, agency="NMSLO", lease_number="B0-1"),
    ]


def left() -> set[str]:
    return set(Lease.objects.values_list("lease_number", flat=True))


def test_what_was_counted_is_deleted(administrator: Program, some: list[Lease]) -> None:
    wish = {"filter": {"agency": "BLM"}}

    plan = administrator.post(DELETE, {**wish, "dry_run": True}).json()
    assert ({name: plan[name] for name in ("chosen", "owed", "deleted")}, len(left())) == (
        {"chosen": 2, "owed": 1, "deleted": 0},
        3,
    )
    answer = administrator.post(DELETE, {**wish, "which": plan["which"]})

    assert (answer.status_code, answer.json()) == (200, {"chosen": 2, "owed": None, "which": "", "deleted": 2})
    assert left() == {"B0-1"}
    assert {entry.object_repr for entry in LogEntry.objects.filter(user=administrator.user)} == {
        "BLM NMNM 1",
        "BLM NMNM 2",
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda program, _lease: settled(program.user, lease_number="NMNM 3"),
        lambda program, lease: program.send("PATCH", f"leases/{lease.pk}/", {"number": "NMNM 9"}, If_Match="*"),
        lambda program, lease: program.post(f"leases/{lease.pk}/run/"),
    ],
    ids=["another one", "another number", "run by hand"],
)
def test_what_was_not_counted_so_is_not(administrator: Program, some: list[Lease], change: Any) -> None:
    plan = administrator.post(DELETE, {"filter": {}, "dry_run": True}).json()

    change(administrator, some[0])

    answer = administrator.post(DELETE, {"filter": {}, "which": plan["which"]})
    assert refused(answer) == (409, "choice_changed")
    assert len(left()) >= 3


def test_it_is_for_administrators(asked_by: As, some: list[Lease]) -> None:
    for role in ("Viewer", "Operator"):
        for more in ({"dry_run": True}, {"which": "3:1@now"}):
            answer = asked_by(role).post(DELETE, {"ids": [some[0].pk], **more})
            assert refused(answer) == (403, "transition_forbidden")
    assert len(left()) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"filter": {}}, (422, "not_asked_before")),
        ({"filter": {}, "which": "3:1@now", "dry_run": True}, (422, "not_asked_before")),
        ({"dry_run": True}, (422, "choice_unclear")),
        ({"filter": {}, "which": "3"}, (409, "choice_changed")),
        ({"filter": {}, "which": "3:1@2026-11-02T08:15:00+00:00"}, (409, "choice_changed")),
    ],
)
def test_nothing_is_deleted_blindly(
    administrator: Program, some: list[Lease], settings: Settings, body: Any, status: tuple[int, str]
) -> None:
    assert refused(administrator.post(DELETE, body)) == status
    assert len(left()) == 3

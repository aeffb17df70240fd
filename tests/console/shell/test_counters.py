"""What the apps count on the start page."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet

from console.shell import counters
from console.shell.counters import Counted, Counter
from tests.roles import in_role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "_COUNTERS", {})


def of(label: str, *, order: int = 1, named: str = "nobody") -> Counter:
    return Counter(
        order=order,
        label=label,
        counted=lambda: User.objects.filter(username__startswith=named),
        address="admin:auth_user_changelist",
        right="auth.view_user",
        narrowed={"is_active__exact": "1"},
    )


def test_stand_in_their_order_and_lead_to_what_they_count(olivia: User) -> None:
    counters.put("b", of("Second", order=2))
    counters.put("a", of("First", named="cook"))
    User.objects.bulk_create(User(username=f"cook {number}") for number in range(7))

    found = counters.counted_for(olivia)

    assert found[0] == Counted(label="First", count=7, url="/admin/auth/user/?is_active__exact=1")
    assert [(each.label, each.count) for each in found] == [("First", 7), ("Second", 0)]


def test_of_any_kind_of_record_are_counted_by_one_statement(olivia: User, django_assert_num_queries: Any) -> None:
    counters.put("a", of("People", named="ol"), replace(of("Roles"), counted=Group.objects.all), of("Nobody"))

    with django_assert_num_queries(1):
        found = counters.counted_for(olivia)

    assert [each.count for each in found] == [1, 3, 0]


def test_are_put_anew_and_not_twice(olivia: User) -> None:
    counters.put("a", of("First"), of("Gone"))
    counters.put("a", of("First"))

    assert [each.label for each in counters.counted_for(olivia)] == ["First"]


def test_are_not_even_counted_for_who_may_not_see_them() -> None:
    def counted() -> QuerySet[User]:
        raise AssertionError("nobody is shown it")

    counters.put("a", replace(of("A"), counted=counted))

    assert counters.counted_for(in_role("Viewer")) == []

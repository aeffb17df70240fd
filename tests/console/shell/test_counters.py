"""What the apps count on the start page."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from console.shell import counters
from console.shell.counters import Counted, Counter
from tests.roles import in_role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "_COUNTERS", {})


def of(label: str, *, order: int = 1, count: int = 0) -> Counter:
    return Counter(
        order=order,
        label=label,
        count=lambda: count,
        address="admin:auth_user_changelist",
        right="auth.view_user",
        narrowed={"is_active__exact": "1"},
    )


def test_stand_in_their_order_and_lead_to_what_they_count(olivia: User) -> None:
    counters.put("b", of("Second", order=2))
    counters.put("a", of("First", count=7))

    found = counters.counted_for(olivia)

    assert found[0] == Counted(label="First", count=7, url="/admin/auth/user/?is_active__exact=1")
    assert [each.label for each in found] == ["First", "Second"]


def test_are_put_anew_and_not_twice(olivia: User) -> None:
    counters.put("a", of("First"), of("Gone"))
    counters.put("a", of("First"))

    assert [each.label for each in counters.counted_for(olivia)] == ["First"]


def test_are_not_even_counted_for_who_may_not_see_them() -> None:
    def count() -> int:
        raise AssertionError("nobody is shown it")

    counters.put("a", replace(of("A"), count=count))

    assert counters.counted_for(in_role("Viewer")) == []

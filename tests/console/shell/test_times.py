"""Times, as every page shows them."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client
from django.utils.formats import localize
from django.utils.timezone import localtime

from console.shell.times import ago, countdown, distance_text, time_column
from core.base import clock

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("console.shell.times.now", lambda: AT)
    assert clock.now() != AT
    return AT


class TestAgo:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "just now"),
            (-30, "30 s ago"),
            (-200, "3 min ago"),
            (-7300, "2 h ago"),
            (-3 * 86400, "3 days ago"),
            (-30 * 86400, "1 month ago"),
            (-90 * 86400, "3 months ago"),
            (42, "in 42 s"),
        ],
    )
    def test_says_how_far_off_it_is(self, seconds: int, words: str) -> None:
        assert distance_text(timedelta(seconds=seconds)) == words

    def test_has_the_exact_time_with_its_zone(self, noon: datetime) -> None:
        text = ago(noon - timedelta(minutes=3))

        assert ">3 min ago<" in text
        assert 'title="2026-03-01 04:57:00 MST"' in text

    def test_may_never_have_been(self) -> None:
        assert ago(None) == "never"

    def test_is_a_tag(self, noon: datetime) -> None:
        text = Template("{% load console %}{% ago at %}{% mark 'good' 'Done' %}").render(Context({"at": noon}))

        assert "just now" in text
        assert "state-done" in text


class TestCountdown:
    def test_counts_down(self, noon: datetime) -> None:
        assert ">0:42<" in countdown(noon + timedelta(seconds=42))

    def test_ends_at_nothing(self, noon: datetime) -> None:
        assert ">0:00<" in countdown(noon - timedelta(seconds=42))


class TestTimeColumn:
    def test_shows_a_field_and_sorts_by_it(self, noon: datetime) -> None:
        column = time_column("paid_at", "paid")

        assert ">3 min ago<" in column(None, SimpleNamespace(paid_at=noon - timedelta(minutes=3)))
        assert (column.short_description, column.admin_order_field) == ("paid", "paid_at")  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:No directory at")  # static files are collected for production only
class TestZone:
    def test_is_named_on_every_page(self, client: Client, olivia: User) -> None:
        client.force_login(olivia)

        assert re.search(
            r"Times are those of America/Denver \(M[SD]T\)\.", client.get("/admin/django_rq/dashboard/").text
        )


class TestFormat:
    def test_names_the_zone_wherever_no_page_says_it_better(self) -> None:
        assert localize(localtime(AT)) == "2026-03-01 05:00:00 MST"

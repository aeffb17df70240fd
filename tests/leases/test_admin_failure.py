"""What the page of a lease says about what went wrong, and for how long."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from statemachine.transitions import Actor
from tests.factories import settled
from tests.leases.test_admin_page import page_of, take

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

NOON = datetime(2026, 1, 1, 19, 0, tzinfo=UTC)  # 12:00 in Denver


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


class TestFailure:
    def test_says_why_it_failed(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, state="failed", failure_code="dropbox_refused", failure_message="Dropbox said no.")

        text = page_of(console, lease).text

        assert "Failed: refused by Dropbox.</strong>" in text
        assert "Dropbox said no." in text

    def test_says_why_the_last_try_did_not_work(self, console: Client, olivia: User) -> None:
        lease = settled(
            olivia, state="searching", failure_code="unreachable", failure_message="No answer.",
            due_at="2100-01-01T00:00Z", tries=1,
        )  # fmt: skip

        text = page_of(console, lease).text

        assert "The last try did not work: unreachable.</strong>" in text

    def test_offers_to_connect_dropbox_while_it_is_still_tried(self, console: Client, olivia: User) -> None:
        lease = settled(
            olivia, state="searching", failure_code="connect_dropbox", failure_message="None is connected.",
            due_at="2100-01-01T00:00Z", tries=1, initiated_by=olivia,
        )  # fmt: skip

        text = page_of(console, lease).text

        assert f'href="/dropbox/?next=%2Fadmin%2Fleases%2Flease%2F{lease.pk}%2Fchange%2F">Connect Dropbox</a>' in text

    def test_is_silent_about_what_starts_again_by_itself(self, console: Client, olivia: User) -> None:
        lease = settled(
            olivia, state="failed", failure_code="connect_dropbox", failure_message="None is connected.",
            due_at=NOON, initiated_by=olivia,
        )  # fmt: skip

        text = page_of(console, lease).text

        assert "It starts by itself" in text
        assert "None is connected." not in text
        assert ">Connect Dropbox</a>" not in text

    @pytest.mark.parametrize(
        ("values", "stands"),
        [
            ({"rung_at": NOON}, "It waits for a worker."),
            ({"due_at": NOON}, "It waits for a worker."),
            ({"claimed_until": "2100-01-01T00:00Z"}, "A worker is at it."),
            ({"claimed_until": NOON}, "Its worker was lost."),
        ],
    )
    def test_says_so_while_it_is_tried_again(
        self, console: Client, olivia: User, values: dict[str, Any], stands: str
    ) -> None:
        """Who looks during an outage sees mostly tries that are under way."""
        given = {"due_at": "2100-01-01T00:00Z", **values}
        lease = settled(
            olivia, state="searching", failure_code="unreachable", failure_message="No answer.", tries=2, **given
        )

        text = page_of(console, lease).text

        assert f"Try 2 of 5. {stands}" in text
        assert "The last try did not work: unreachable.</strong>\nNo answer." in text

    def test_says_so_no_longer_once_an_answer_is_there(self, console: Client, olivia: User) -> None:
        lease = settled(
            olivia, state="searching", failure_code="unreachable", failure_message="No answer.",
            due_at="2100-01-01T00:00Z", tries=2, claimed_until="2100-01-01T00:00Z",
        )  # fmt: skip
        take(lease, "record_not_found", actor=Actor.worker("job-1"))

        assert "No answer." not in page_of(console, lease).text

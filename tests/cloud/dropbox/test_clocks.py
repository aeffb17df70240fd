"""Hosts whose clocks are wrong by hours agree on when a pause is over, a token at its end, an attempt too old."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from cloud import errors
from cloud.dropbox import gateway_for
from cloud.models import DropboxAccount
from cloud.oauth_session import Attempt
from core.base.clock import shared_now
from tests.cloud.dropbox.conftest import LIST, TOKEN
from tests.factories import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

FAST, SLOW = timedelta(hours=5), timedelta(hours=-5)


@pytest.fixture
def on_host(monkeypatch: pytest.MonkeyPatch) -> "Callable[[timedelta], None]":
    """Go on as a host whose clock is wrong by so much."""
    true_now = timezone.now

    def wrong_by(skew: timedelta) -> None:
        monkeypatch.setattr(timezone, "now", lambda: true_now() + skew)

    return wrong_by


class TestSharedNow:
    @pytest.mark.parametrize("skew", [FAST, SLOW])
    def test_is_the_databases(self, on_host: "Callable[[timedelta], None]", skew: timedelta) -> None:
        before = datetime.now(tz=timezone.get_default_timezone())
        on_host(skew)

        assert abs(shared_now() - before) < timedelta(minutes=1)
        assert shared_now().tzinfo is not None


class TestPause:
    @pytest.mark.parametrize("skews", [(FAST, SLOW), (SLOW, FAST)])
    def test_is_as_long_for_every_host(
        self,
        operator: User,
        dropbox: "Standin",
        redis: "Redis",
        on_host: "Callable[[timedelta], None]",
        skews: tuple[timedelta, timedelta],
    ) -> None:
        gateway = gateway_for(operator)
        on_host(skews[0])
        dropbox.fault(LIST, status=429, headers={"Retry-After": "40"})
        with pytest.raises(errors.RateLimited):
            gateway.list_directory(path=ARCHIVE)
        redis.flushdb()  # the database's word is all there is
        on_host(skews[1])

        with pytest.raises(errors.AccountPaused) as caught:
            gateway_for(operator)

        assert caught.value.retry_after_s == pytest.approx(40, abs=10)


class TestToken:
    @pytest.mark.parametrize("skews", [(FAST, SLOW), (SLOW, FAST)])
    def test_ends_at_the_same_moment_for_every_host(
        self,
        operator: User,
        dropbox: "Standin",
        on_host: "Callable[[timedelta], None]",
        skews: tuple[timedelta, timedelta],
    ) -> None:
        DropboxAccount.objects.update(access_token="", access_token_expires_at=None)
        on_host(skews[0])
        gateway_for(operator)
        on_host(skews[1])

        gateway_for(operator)

        assert dropbox.calls() == {TOKEN: 1}
        ends_at = DropboxAccount.objects.get().access_token_expires_at
        assert ends_at
        assert timedelta(hours=3) < ends_at - shared_now() < timedelta(hours=5)


class TestAttempt:
    @pytest.mark.parametrize("skews", [(FAST, SLOW), (SLOW, FAST)])
    def test_may_be_finished_on_another_host(
        self, on_host: "Callable[[timedelta], None]", skews: tuple[timedelta, timedelta]
    ) -> None:
        on_host(skews[0])
        attempt = Attempt.begin(SessionStore(), next_path="/")
        on_host(skews[1])

        assert not attempt.is_over

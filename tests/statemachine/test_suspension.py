"""Workers are suspended, and go on, by commands that know where Redis is."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from redis import Redis
from rq.suspension import is_suspended


def said(command: str) -> str:
    out = StringIO()
    call_command(command, stdout=out)
    return out.getvalue()


class TestTheCommands:
    def test_suspend_and_let_go_on(self, redis: Redis) -> None:
        assert said("rqsuspend").startswith("The workers begin nothing new.")
        assert is_suspended(redis)

        assert said("rqresume") == "The workers go on.\n"
        assert not is_suspended(redis)

    def test_may_be_given_twice(self, redis: Redis) -> None:
        said("rqsuspend")
        said("rqsuspend")
        said("rqresume")

        assert said("rqresume") == "The workers were not suspended.\n"

    @pytest.mark.parametrize("command", ["rqsuspend", "rqresume"])
    def test_say_what_is_wrong_with_redis(self, settings: Settings, command: str) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1"

        with pytest.raises(CommandError, match=r"^Redis does not answer \(Error 111"):
            said(command)

"""What a log line looks like, whoever writes it."""

import io
import json
import logging
import logging.config
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from core.local.processes import DAILY_ROUND, free_port
from core.ops import logs
from tests.core.conftest import Manage
from tests.core.local.test_processes import eventually
from tests.forking import Forks

TOKEN = "sl.u.AFmL3x-9_abcdefghijklmnopqrstuvwxyz0123456789"
type Capture = Callable[[], str]


@contextmanager
def logged(form: str, *, level: str = "INFO") -> Iterator[Capture]:
    """What is written in the body, through a logger tree of this test's own."""
    stream = io.StringIO()
    configuration = logs.configuration(level=level, form=form)
    handler = configuration["handlers"]["stderr"] | {"stream": stream}
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": configuration["formatters"],
            "handlers": {"stderr": handler},
            "loggers": {
                name: {"handlers": ["stderr"], "level": level, "propagate": False} for name in ("sample", "rq.worker")
            },
        }
    )
    try:
        yield stream.getvalue
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        for name in ("sample", "rq.worker"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True


def fail(secret: str) -> None:
    raise ValueError(f"refused {secret}")


def log_everything() -> None:
    logger = logging.getLogger("sample.library")
    logger.info("call with %s", f"Bearer {TOKEN}", extra={"duration_s": 0.25, "refresh_token": "opaque"})
    try:
        fail(TOKEN)
    except ValueError:
        logger.exception("it failed")


class TestJson:
    def test_has_no_traceback_of_what_a_browser_may_not_have(self) -> None:
        with logged("json") as written:
            for status_code in (403, 500):
                try:
                    fail("him")
                except ValueError:
                    logging.getLogger("sample").warning("no", exc_info=True, extra={"status_code": status_code})

        lines = [json.loads(line) for line in written().splitlines()]
        assert ["exception" in line for line in lines] == [False, True]

    def test_is_one_document_a_line_with_the_context_of_the_job(self) -> None:
        with logged("json") as written, bound_contextvars(lease_id=17, user_id=3, path="/Archive/NMNM 1"):
            log_everything()

        first, second = (json.loads(line) for line in written().splitlines())
        assert first | {"timestamp": "", "pid": 0} == {
            "timestamp": "",
            "level": "info",
            "logger": "sample.library",
            "event": "call with Bearer [redacted]",
            "duration_s": 0.25,
            "refresh_token": "[redacted]",
            "lease_id": 17,
            "user_id": 3,
            "path": "/Archive/NMNM 1",
            "pid": 0,
        }
        assert (second["lease_id"], second["level"]) == (17, "error")
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$", first["timestamp"])

    def test_shows_tracebacks_without_their_secrets(self) -> None:
        with logged("json") as written:
            log_everything()

        traceback = json.loads(written().splitlines()[1])["exception"]
        assert "in fail" in traceback
        assert "ValueError: refused [redacted]" in traceback
        assert TOKEN not in written()

    def test_shows_a_stack_where_one_is_asked_for(self) -> None:
        with logged("json") as written:
            logging.getLogger("sample").info("here", stack_info=True)

        assert "test_shows_a_stack_where_one_is_asked_for" in json.loads(written())["stack"]

    def test_is_what_structlogs_own_loggers_write_too(self) -> None:
        logs.configure_structlog()

        with logged("json") as written, bound_contextvars(lease_id=17):
            structlog.get_logger("sample.ours").info("found %s", "it", path="/Archive", token=TOKEN)

        line = json.loads(written())
        assert (line["event"], line["lease_id"], line["path"], line["token"]) == (
            "found it",
            17,
            "/Archive",
            "[redacted]",
        )
        assert line["logger"] == "sample.ours"

    def test_leaves_out_what_rq_repeats_without_lease_and_user(self) -> None:
        with logged("json") as written:
            rq = logging.getLogger("rq.worker")
            rq.info("Worker %s: %s: %s", "w1", "discovery", "leases_lease-17-searching-2")
            rq.info("*** Listening on %s...", "discovery")
            rq.warning("Worker %s: job %s has exceeded …", "w1", "leases_lease-17-searching-2")
            logging.getLogger("sample").info("job: leases_lease-17-searching-2 begins")

        said = [json.loads(line)["event"].split()[0] for line in written().splitlines()]
        assert said == ["***", "Worker", "job:"]

    def test_writes_nothing_below_the_level(self) -> None:
        with logged("json", level="WARNING") as written:
            talkative = logging.getLogger("sample.talkative")
            talkative.setLevel(logging.DEBUG)  # as RQ does with its own
            talkative.info("as ever")
            talkative.warning("look here")

        assert [json.loads(line)["event"] for line in written().splitlines()] == ["look here"]


class TestConsole:
    def test_is_readable(self) -> None:
        with logged("console") as written, bound_contextvars(lease_id=17):
            log_everything()

        first, second, *traceback = written().splitlines()
        assert re.fullmatch(
            r"\S+ INFO sample.library call with Bearer \[redacted\] duration_s=0.25 refresh_token=\[redacted\] lease_id=17",
            first,
        )
        assert second.endswith("ERROR sample.library it failed lease_id=17")
        assert traceback[-1] == "ValueError: refused [redacted]"
        assert TOKEN not in written()

    def test_has_colours_on_a_terminal_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        with logged("console") as plain:
            logging.getLogger("sample").warning("look here")
        monkeypatch.setattr(sys, "stderr", Terminal())
        with logged("console") as coloured:
            logging.getLogger("sample").warning("look here")

        assert "\x1b[33mWARNING\x1b[0m" in coloured()
        assert "\x1b" not in plain()

    @pytest.mark.parametrize("form", logs.FORMS)
    def test_lets_the_terminal_of_make_up_leave_out_the_daily_round(self, form: str) -> None:
        with logged(form) as written:
            logging.getLogger("sample").info("as ever")
            logging.getLogger("sample").warning("look here")

        shown = [line for line in written().splitlines() if not DAILY_ROUND.search(line)]
        assert len(shown) == 1
        assert "look here" in shown[0]


def environment(**values: str) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "core.settings.dev", "LOG_FORMAT": "json", **values}


def lines(text: str) -> list[dict[str, Any]]:
    """Every line, each a document; that there are no others is part of what is tested."""
    return [json.loads(line) for line in text.splitlines()]


type Served = Callable[..., str]


@pytest.fixture
def served(prepared: Forks, tmp_path: Path) -> Served:
    """What the web process writes from its start to its end, with one request between."""

    def served(**values: str) -> str:
        port = free_port()
        command = ("python", "-m", "gunicorn", "core.wsgi", "--bind", f"127.0.0.1:{port}")
        log = tmp_path / "web.log"
        with prepared.serving(*command, environment=environment(WEB_CONCURRENCY="1", **values), log=log):
            eventually(lambda: _answers(port))
        return log.read_text()

    return served


@pytest.mark.process
class TestPrograms:
    def test_rq_writes_as_we_do(self, manage: Manage) -> None:
        done = manage("rqworker", "discovery", "--burst", "--serializer", "json", environment=environment())

        assert (done.returncode, done.stdout) == (0, "")
        assert "rq.worker" in {line["logger"] for line in lines(done.stderr)}

    def test_gunicorn_writes_as_we_do(self, served: Served) -> None:
        said = lines(served(ACCESS_LOG="YES"))

        assert {("gunicorn.error", "info"), ("gunicorn.access", "info")} <= {
            (line["logger"], line["level"]) for line in said
        }
        assert {len(line["request_id"]) for line in said if line["logger"] == "gunicorn.access"} == {32}

    def test_gunicorn_tells_of_requests_only_when_asked_to(self, served: Served) -> None:
        found = {line["logger"] for line in lines(served(ACCESS_LOG=""))}

        assert "gunicorn.error" in found
        assert "gunicorn.access" not in found

    @pytest.mark.parametrize(("name", "value"), [("LOG_LEVEL", "LOUD"), ("LOG_FORMAT", "xml")])
    def test_refuse_to_start_with_what_they_cannot_read(self, manage: Manage, name: str, value: str) -> None:
        done = manage("check", environment=environment(**{name: value}))

        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith(f"{name} must be ")

    @pytest.mark.parametrize("value", ["true", "1"])
    def test_gunicorn_refuses_what_is_neither_yes_nor_no(self, prepared: Forks, value: str) -> None:
        command = ("python", "-m", "gunicorn", "--check-config", "core.wsgi")

        done = prepared.run(*command, environment=environment(ACCESS_LOG=value))

        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == f"ACCESS_LOG must be yes or no, not {value!r}."


def _answers(port: int) -> bool:
    from core.local.processes import _answers as answers

    return answers(f"http://127.0.0.1:{port}/admin/login/")

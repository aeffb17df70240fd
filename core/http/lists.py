"""Lists and exports at the replica, if there is one: for whom, and what becomes of it if that fails.

Whoever has written something sees it: their lists are of the primary until the replica has replayed that far. See
docs/decisions/0029-lists-from-a-replica.md.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from http import HTTPStatus
from typing import Any, Literal

from django.db import Error, connection, connections
from django.http import HttpRequest, HttpResponse

from core.base.replica import ALIAS, cut_off, is_configured, reading
from core.ops import replica, tally
from core.ops.replica import NotOurs, Primary, ask_primary, standing

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# Whoever looks at a list waits no longer for a replica; a file is made of all records.
LIST_WITHIN_S, EXPORT_WITHIN_S = 6.0, 100.0
NOTE = """
INSERT INTO core_lastwrite (user_id, position) VALUES (%s, (pg_current_wal_insert_lsn() - '0/0')::bigint)
ON CONFLICT (user_id) DO UPDATE SET position = excluded.position
"""

type Why = Literal["asked", "away", "behind", "failed", "own", "refused"]


class NotThisTime(Exception):
    """What is read at the replica is not what is answered with."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


def read_list[Answer](request: HttpRequest, read: Callable[[], Answer], *, within_s: float = LIST_WITHIN_S) -> Answer:
    """What `read` answers with, whose models are asked at the replica; at the primary where that cannot be, or does not work.

    `read` may be called twice. What it comes to at the replica counts only if that is a list: a refusal is never the replica's.
    """
    if not is_configured() or request.method not in SAFE:
        return read()
    try:
        answer = _at_replica(request, read, within_s)
    except NotThisTime as reason:
        tally.count("list_reads", at="primary", why=reason.why)
        return read()
    tally.count("list_reads", at="replica", why="fresh")
    return answer


def give_up(error: Exception) -> None:
    """Note what has gone wrong at the replica, and begin with another connection."""
    replica.watch.failed(error)
    connections[ALIAS].close()


def of_list(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view of the interface that answers with a list."""

    @wraps(view)
    def answered(request: HttpRequest, *given: Any, **values: Any) -> Any:
        return read_list(request, lambda: view(request, *given, **values))

    return answered


def note_write(request: HttpRequest) -> None:
    """Note how far the log has come, with what the person has just written.

    The position is that of what was inserted, not of what lies on disk: a commit need not have waited for that.
    """
    user = getattr(request, "user", None)
    if is_configured() and user is not None and user.is_authenticated:
        with suppress(Error), connection.cursor() as cursor:  # who cannot note it could not write either
            cursor.execute(NOTE, [user.pk])


class NoteWrites:
    """Django middleware: whatever was not only asked for may have written something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_safe = request.method in SAFE  # as it came: a view may take one for the other
        response = self._get_response(request)
        if not is_safe:
            note_write(request)
        return response


def _at_replica[Answer](request: HttpRequest, read: Callable[[], Answer], within_s: float) -> Answer:
    """Raises: NotThisTime: nothing of it counts."""
    if "no-cache" in request.headers.get("Cache-Control", ""):
        raise NotThisTime("asked")
    if not replica.watch.is_well():
        raise NotThisTime("away")
    primary = ask_primary(getattr(request.user, "pk", None))
    try:
        with cut_off(within_s):
            _see_that_it_is_fresh(primary)
            with reading():
                answer = _whole(read())
    except NotThisTime:
        raise
    except (NotOurs, Error) as error:
        give_up(error)
        raise NotThisTime("failed") from error
    except Exception as error:  # whatever it is, the primary says so, too, if it is so
        raise NotThisTime("refused") from error
    if getattr(answer, "status_code", HTTPStatus.OK) != HTTPStatus.OK:
        raise NotThisTime("refused")
    return answer


def _see_that_it_is_fresh(primary: Primary) -> None:
    """Raises: NotThisTime: it is not, or not for who asks."""
    found = standing(primary)
    replica.watch.stands(found)
    if not found.is_fresh:
        raise NotThisTime("behind")
    if not found.has_own:
        raise NotThisTime("own")


def _whole[Answer](answer: Answer) -> Answer:
    """With what a template would ask for only when Django comes to render it."""
    render = getattr(answer, "render", None)
    return render() if callable(render) else answer

"""`files/upload` and `files/upload_session/`: content on its way to a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.placing import COMMIT_FIELDS, NotWritten, put_file
from dropbox_standin.sessions import LARGEST_FILE_BYTES, Session, SessionError
from dropbox_standin.tree import content_hash
from dropbox_standin.views import without_tag
from dropbox_standin.wire import Answer, Union, UnionError, answer_json, conflict, tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ENTRIES = 1000
CHECK = "files/upload_session/finish_batch/check"


def upload(call: Call) -> Answer:
    _check_content(call)
    try:
        file = put_file(call, call.args, call.content)
    except NotWritten as error:
        # What has arrived is kept, so that only the commit need be tried again.
        session_id = call.world.sessions.start(call.account, content=call.content)
        failed = {".tag": "path", "reason": error.reason, "upload_session_id": session_id}
        raise UnionError(failed) from None
    return answer_json(without_tag(call.view.describe(file)))


def start(call: Call) -> Answer:
    _check_content(call)
    concurrent = args.tag_of(call.args["session_type"] or "sequential") == "concurrent"
    if concurrent and call.content:
        raise conflict("concurrent_session_data_not_allowed")
    if concurrent and call.args["close"]:
        raise conflict("concurrent_session_close_not_allowed")
    session_id = call.world.sessions.start(
        call.account, content=call.content, close=call.args["close"], concurrent=concurrent
    )
    return answer_json({"session_id": session_id})


def start_batch(call: Call) -> Answer:
    concurrent = args.tag_of(call.args["session_type"] or "sequential") == "concurrent"
    sessions, number = call.world.sessions, call.args["num_sessions"]
    return answer_json({"session_ids": [sessions.start(call.account, concurrent=concurrent) for _ in range(number)]})


def append(call: Call) -> Answer:
    _check_content(call)
    try:
        _append(call, call.args["cursor"], call.content, close=call.args["close"])
    except SessionError as error:
        raise UnionError(error.reason) from None
    return answer_json(None)


def append_v1(call: Call) -> Answer:
    _check_payload(call)
    try:
        _append(call, call.args, call.content, close=False)
    except SessionError as error:
        raise UnionError(error.reason) from None
    return answer_json(None)


def append_batch(call: Call) -> Answer:
    """Pieces for many sessions, one behind the other in the body."""
    _check_content(call)
    entries = [args.check_struct(APPEND_ENTRY_FIELDS, entry) for entry in call.args["entries"]]
    if sum(entry["length"] for entry in entries) != len(call.content):
        raise conflict("length_mismatch")
    results, at = [], 0
    for entry in entries:
        piece, at = call.content[at : at + entry["length"]], at + entry["length"]
        try:
            _append(call, entry["cursor"], piece, close=entry["close"])
        except SessionError as error:
            results.append({".tag": "failure", "failure": error.reason})
        else:
            results.append(tagged("success"))
    return answer_json({"entries": results})


def finish(call: Call) -> Answer:
    _check_content(call)
    try:
        session = _session(call, call.args["cursor"])
        _append_last(session, call.args["cursor"]["offset"], call.content)
        file = _commit(call, session, call.args["commit"])
    except (SessionError, NotWritten) as error:
        raise UnionError(_finish_error(error)) from None
    return answer_json(file)


def finish_batch(call: Call) -> Answer:
    return answer_json(_finish_all(call))


def finish_batch_v1(call: Call) -> Answer:
    def work() -> Union:
        return {".tag": "complete", **_finish_all(call)}

    return answer_json(call.world.jobs.launch(account=call.account, checked_by=CHECK, work=work))


def check_finish_batch(call: Call) -> Answer:
    return answer_json(call.world.jobs.check(call.args["async_job_id"], account=call.account, checked_by=CHECK))


def _finish_all(call: Call) -> dict[str, Any]:
    return {"entries": [_finish_one(call, entry) for entry in call.args["entries"]]}


def _finish_one(call: Call, entry: Mapping[str, Any]) -> Union:
    try:
        session = _session(call, entry["cursor"])
        session.check_closed(entry["cursor"]["offset"])
        return {".tag": "success", **_commit(call, session, entry["commit"])}
    except (SessionError, NotWritten) as error:
        return {".tag": "failure", "failure": _finish_error(error)}
    except UnionError as error:
        return {".tag": "failure", "failure": error.error}


def _append(call: Call, cursor: Mapping[str, Any], piece: bytes, *, close: bool) -> None:
    _session(call, cursor).append(cursor["offset"], piece, close=close)


def _append_last(session: Session, offset: int, piece: bytes) -> None:
    """Take what comes with the commit; a session that is closed takes no more, but its commit may be tried again."""
    if session.concurrent:
        if piece:
            raise conflict("concurrent_session_data_not_allowed")
    elif session.closed and not piece:
        session.check_offset(offset)
    else:
        session.append(offset, piece, close=True)


def _session(call: Call, cursor: Mapping[str, Any]) -> Session:
    return call.world.sessions.get(cursor["session_id"], account=call.account)


def _commit(call: Call, session: Session, commit: Mapping[str, Any]) -> dict[str, Any]:
    """Give the session's content its place.

    Raises:
        UnionError: a concurrent session is not complete.
        NotWritten: the place cannot be had.
    """
    if session.concurrent and not session.closed:
        raise conflict("concurrent_session_not_closed")
    if not session.is_whole:
        raise conflict("concurrent_session_missing_data")
    file = put_file(call, args.check_struct(COMMIT_FIELDS, commit), session.content())
    return without_tag(call.view.describe(file))


def _finish_error(error: SessionError | NotWritten) -> Union:
    tag = "lookup_failed" if isinstance(error, SessionError) else "path"
    return {".tag": tag, tag: error.reason}


def _check_content(call: Call) -> None:
    """Raises: UnionError: the body is too large, or not what its hash says."""
    _check_payload(call)
    expected = call.args["content_hash"]
    if expected is not None and expected != content_hash(call.content):
        raise conflict("content_hash_mismatch")


def _check_payload(call: Call) -> None:
    if len(call.content) > call.world.settings.payload_bytes:
        raise conflict("payload_too_large")


HASH = args.string(r"[0-9a-f]{64}", default=None)
SESSION_TYPE = args.union("sequential", "concurrent")
CURSOR_FIELDS = {"session_id": args.string(), "offset": args.integer(0, LARGEST_FILE_BYTES)}
CURSOR = args.struct(CURSOR_FIELDS, default=args.REQUIRED)
COMMIT = args.struct(COMMIT_FIELDS, default=args.REQUIRED)
APPEND_ENTRY_FIELDS = {
    "cursor": CURSOR,
    "length": args.integer(0, LARGEST_FILE_BYTES),
    "close": args.boolean(default=False),
}
FINISH_FIELDS = {"cursor": CURSOR, "commit": COMMIT, "content_hash": HASH}
FINISH_BATCH_FIELDS = {"entries": args.items(args.struct(FINISH_FIELDS), most=MOST_ENTRIES)}
SCOPE = "files.content.write"

ROUTES = (
    Route("files/upload", upload, {**COMMIT_FIELDS, "content_hash": HASH}, SCOPE, "upload"),
    Route(
        "files/upload_session/start",
        start,
        {"close": args.boolean(default=False), "session_type": SESSION_TYPE, "content_hash": HASH},
        SCOPE,
        "upload",
    ),
    Route(
        "files/upload_session/start_batch",
        start_batch,
        {"session_type": SESSION_TYPE, "num_sessions": args.integer(1, MOST_ENTRIES)},
        SCOPE,
    ),
    Route("files/upload_session/append", append_v1, CURSOR_FIELDS, SCOPE, "upload"),
    Route(
        "files/upload_session/append_v2",
        append,
        {"cursor": CURSOR, "close": args.boolean(default=False), "content_hash": HASH},
        SCOPE,
        "upload",
    ),
    Route(
        "files/upload_session/append_batch",
        append_batch,
        {"entries": args.items(args.struct(APPEND_ENTRY_FIELDS), most=MOST_ENTRIES), "content_hash": HASH},
        SCOPE,
        "upload",
    ),
    Route("files/upload_session/finish", finish, FINISH_FIELDS, SCOPE, "upload"),
    Route("files/upload_session/finish_batch", finish_batch_v1, FINISH_BATCH_FIELDS, SCOPE),
    Route("files/upload_session/finish_batch_v2", finish_batch, FINISH_BATCH_FIELDS, SCOPE),
    Route(CHECK, check_finish_batch, {"async_job_id": args.string(".+")}, SCOPE),
)

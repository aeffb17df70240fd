"""What keeps a program's wish from being granted, whatever it is about."""

from http import HTTPStatus

from core.base.errors import Refused


class PreconditionMissing(Refused):
    """Nothing was done: say which version of it you mean to change. Read it, and send its ETag as If-Match."""

    code = "precondition_missing"
    status = HTTPStatus.PRECONDITION_REQUIRED
    words = "no If-Match"


class PreconditionFailed(Refused):
    """Nothing was done: it is not any more what you have read. Read it again, and change what still has to be changed."""

    code = "precondition_failed"
    status = HTTPStatus.PRECONDITION_FAILED
    words = "changed meanwhile"


class CursorUnknown(Refused):
    """This cursor is not one of this list in this order. Take the “next” of its last answer, or begin without a cursor."""

    code = "cursor_unknown"
    field = "cursor"
    words = "unknown cursor"

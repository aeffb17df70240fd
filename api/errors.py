"""What keeps a program's wish from being granted, whatever it is about."""

from http import HTTPStatus

from core.base.errors import Refused, Temporary


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


class KeyInvalid(Refused):
    """An Idempotency-Key has 1 to 255 characters: letters, digits and signs, no spaces. Take a UUID."""

    code = "key_invalid"
    status = HTTPStatus.BAD_REQUEST
    words = "invalid key"


class KeyForAnotherBody(Refused):
    """Nothing was done: you have sent this Idempotency-Key with another address or body. Take a new key for each wish."""

    code = "key_for_another_body"
    words = "key of another wish"


class StillRunning(Temporary):
    """What you have sent with this Idempotency-Key before is still under way."""

    code = "still_running"
    status = HTTPStatus.CONFLICT
    words = "still under way"
    advice = "Ask again a little later, with the same key"


class AnswerLost(Refused):
    """This was done, or a part of it, but its answer was lost. Look what has become of it; with a new key it is done anew."""

    code = "answer_lost"
    status = HTTPStatus.CONFLICT
    words = "answer lost"

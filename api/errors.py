"""What keeps a program's wish from being granted, whatever it is about; and what can be wrong with tokens."""

from http import HTTPStatus
from typing import ClassVar, override

from core.base.errors import Refused, Temporary

REALM = 'realm="Runsheet"'
# Where people make tokens; as the console calls it.
PAGE = "“Your API tokens”"


class Challenging(Refused):
    """It is not known who asks, or it may not be known by that token.

    Attributes:
        challenge: what `WWW-Authenticate` says, see RFC 6750.
    """

    code = "challenging"
    status = HTTPStatus.UNAUTHORIZED
    challenge: ClassVar[str] = f'Bearer {REALM}, error="invalid_token"'

    def challenges(self) -> str:
        return self.challenge


class TokenRefused(Challenging):
    """This token is not known here. Send it as it was shown, or make a new one under “Your API tokens” in the console."""

    code = "token_refused"


class TokenExpired(TokenRefused):
    """This token has expired. Make a new one under “Your API tokens” in the console."""

    code = "token_expired"


class TokenRevoked(TokenRefused):
    """This token was revoked. Make a new one under “Your API tokens” in the console."""

    code = "token_revoked"


class OwnerInactive(TokenRefused):
    """The person whose token this is may not log in any more. Ask an administrator."""

    code = "token_owner_inactive"


class TokenInAddress(Challenging):
    """Nothing was done: a token stood in the address, which is written into logs. Revoke it, make a new one, and send that as “Authorization: Bearer …”."""

    code = "token_in_address"
    status = HTTPStatus.BAD_REQUEST
    challenge = f'Bearer {REALM}, error="invalid_request"'


class ScopeMissing(Challenging):
    """This token is not for that. Make one that has the scope."""

    code = "scope_missing"
    status = HTTPStatus.FORBIDDEN

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token lacks the scope “{scope}”. Make one that has it, under {PAGE} in the console.")
        self._scope = scope

    @override
    def challenges(self) -> str:
        return f'Bearer {REALM}, error="insufficient_scope", scope="{self._scope}"'


class NotForTokens(Challenging):
    """No token may do this. Log in at the console, and send the cookie of the session."""

    code = "not_for_tokens"
    status = HTTPStatus.FORBIDDEN
    challenge = f'Bearer {REALM}, error="insufficient_scope"'


class TooManyRequests(Temporary):
    """Too many requests came in the last minute. Send fewer, or all of them more slowly."""

    code = "too_many_requests"
    words = "too many requests"
    advice = "Wait as long as the answer says, then send fewer"
    status = HTTPStatus.TOO_MANY_REQUESTS


class TokenUnnamed(Refused):
    """A token needs a name of at most 100 characters, by which you know later what uses it."""

    code = "token_unnamed"
    field = "name"


class TokenNameTaken(Refused):
    """You have a token of that name already. Take another name, or revoke that token first."""

    code = "token_name_taken"
    field = "name"


class ScopesUnknown(Refused):
    """A token needs one scope at least, and only those that there are."""

    code = "scopes_unknown"
    field = "scopes"


class TokenTooLong(Refused):
    """A token lasts one day at least and a year at most."""

    code = "token_too_long"
    field = "lasts"


class TooManyTokens(Refused):
    """You have as many tokens as one person may have. Revoke those that nothing uses."""

    code = "too_many_tokens"
    status = HTTPStatus.CONFLICT


class TokenGone(Refused):
    """There is no such token, or it is none of yours."""

    code = "token_gone"
    status = HTTPStatus.NOT_FOUND


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


class KeyNeedsDigest(Refused):
    """Nothing was done: with an Idempotency-Key the bytes of a file need a Content-Digest, by which they are known again."""

    code = "key_needs_digest"
    words = "key without digest"


class StillRunning(Temporary):
    """What you have sent with this Idempotency-Key before is still under way."""

    code = "still_running"
    status = HTTPStatus.CONFLICT
    words = "still under way"
    advice = "Ask again a little later, with the same key"


class AnswerWithheld(Refused):
    """This was done, but you have lost a right since that it took, so its answer is not given again. Ask an administrator."""

    code = "answer_withheld"
    status = HTTPStatus.FORBIDDEN
    words = "answer withheld"


class AnswerLost(Refused):
    """This was done, or a part of it, but its answer was lost. Look what has become of it; with a new key it is done anew."""

    code = "answer_lost"
    status = HTTPStatus.CONFLICT
    words = "answer lost"

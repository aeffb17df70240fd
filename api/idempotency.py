"""A wish that bears an `Idempotency-Key` is granted once, however often it is sent.

What was done is answered in the same way for a day, to the same person; what was refused or went wrong, so that nothing was
done, is tried anew. Nobody commits twice, whenever a process is killed: the first statement of a transaction that writes is
one more, which notes in the same transaction that something of this wish was done. So there are three cases for who comes
after a process has died: nothing was committed, and it is done now; something was, and they are told so, without its answer;
or the process lives after all, and its note finds that somebody else has taken over, so that its transaction is undone.
What is only a preparation, as the room that is kept for an upload, bears no note: see `core.base.preparations`.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from api.errors import AnswerLost, AnswerWithheld, KeyForAnotherBody, KeyInvalid, KeyNeedsDigest, StillRunning
from api.models import KeptAnswer
from core.base import preparations
from core.base.clock import shared_now

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
KEPT_FOR = timedelta(days=1)
# Longer than a request lasts before its process is ended (gunicorn.conf.py). An upload may last longer: then the note decides.
HELD_FOR = timedelta(seconds=150)
AGAIN_IN_S = 2
FORGOTTEN_AT_ONCE = 5_000
READING = frozenset({"GET", "HEAD", "OPTIONS"})
KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Link", "Retry-After")

# What is said of a body that is not read ahead; and, in headers, of what is uploaded in several requests (tus).
DIGESTS = ("Content-Digest", "Repr-Digest", "Upload-Checksum")
BESIDE = ("Upload-Length", "Upload-Offset", "Upload-Metadata")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# Whatever else is sent to the database is taken for one that writes.
_READS = re.compile(r"[\s(]*(SELECT|SET|RESET|SHOW|SAVEPOINT|RELEASE|ROLLBACK|LOCK)\b", re.IGNORECASE)
_TRY = "runsheet.try"

logger = logging.getLogger(__name__)

type View = Callable[..., Any]


class _Try:
    """One try to grant a wish. As a wrapper of statements it sees to the note, see above."""

    def __init__(self, answer: KeptAnswer) -> None:
        self._answer = answer
        self.rights: set[str] = set()
        self._is_noting = False
        self.has_committed = False
        self._note = self._committed  # one object, by which it is found again

    def mine(self) -> Any:
        return KeptAnswer.objects.filter(pk=self._answer.pk, tries=self._answer.tries)

    def __call__(self, execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        if not (self._is_needless() or _READS.match(str(sql)) or self._is_noted()):
            self._write_note()
        return execute(sql, *rest)

    def _is_needless(self) -> bool:
        return self.has_committed or self._is_noting or preparations.are_made()

    def _is_noted(self) -> bool:
        """Whether the note is part of what is committed next: Django forgets what is undone with a savepoint, too."""
        return any(each[1] is self._note for each in connection.run_on_commit)

    def _write_note(self) -> None:
        """Raises: StillRunning: somebody else has taken over."""
        self._is_noting = True
        try:
            is_mine = self.mine().update(done_at=Now())
        finally:
            self._is_noting = False
        if not is_mine:
            raise StillRunning(retry_after_s=AGAIN_IN_S)
        transaction.on_commit(self._note)

    def _committed(self) -> None:
        self.has_committed = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for, and by which key."""

    user_id: int
    key: str
    fingerprint: str


def once(view: View) -> View:
    """A view that grants a wish with a key once, by when it is known who asks and that the wish is a valid one.

    Raises:
        KeyInvalid, KeyNeedsDigest, KeyForAnotherBody, StillRunning, AnswerLost, AnswerWithheld: it is not even tried.
    """

    @wraps(view)
    def tried(request: HttpRequest, *given: Any, **values: Any) -> Any:
        wish = None if request.method in READING else _wish(request)
        if wish is None:
            return view(request, *given, **values)
        kept = _begun(wish, shared_now())
        if not isinstance(kept, _Try):
            return _again(kept, request)
        request.META[_TRY] = kept
        _note_rights(request, kept.rights)
        with connection.execute_wrapper(kept):
            return view(request, *given, **values)

    return tried


def kept(run: View) -> View:
    """Whatever answers a request, so that what `once` has let through is kept."""

    @wraps(run)
    def answered(request: HttpRequest, *given: Any, **values: Any) -> HttpResponseBase:
        response: HttpResponseBase | None = None
        try:
            response = run(request, *given, **values)
            return response
        finally:
            if tried := request.META.pop(_TRY, None):
                _settle(tried, response)

    return answered


def forget(*, at: datetime) -> int:
    """Delete what is a day old; how many there were."""
    count = 0
    old = KeptAnswer.objects.filter(created_at__lt=at - KEPT_FOR).order_by("created_at").values("pk")
    while deleted := KeptAnswer.objects.filter(pk__in=old[:FORGOTTEN_AT_ONCE]).delete()[0]:
        count += deleted
    return count


def _wish(request: HttpRequest) -> _Wish | None:
    """None: it bears no key.

    Raises:
        KeyInvalid, KeyNeedsDigest: nobody can tell which one it bears, or whether it is of the same body.
    """
    said = request.headers.get(HEADER)
    if said is None:
        return None
    key = said.strip().removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise KeyInvalid
    parts = (str(request.method), request.get_full_path(), request.content_type or "", *_body(request))
    return _Wish(
        user_id=request.auth.pk,  # type: ignore[attr-defined]  # set by whoever has found out who asks
        key=key,
        fingerprint=sha256("\0".join(parts).encode()).hexdigest(),
    )


def _body(request: HttpRequest) -> tuple[str, ...]:
    """What tells one body from another. One that nobody has read may be as long as it likes, so it is known by what is said of it.

    Raises:
        KeyNeedsDigest: nothing is.
    """
    if hasattr(request, "_body"):  # Django's mark of one that was read as a whole
        return (sha256(request.body).hexdigest(),)
    digests = [request.headers.get(name, "") for name in DIGESTS]
    length, coding = request.headers.get("Content-Length", ""), request.headers.get("Transfer-Encoding", "")
    if (coding or length not in {"", "0"}) and not any(digests):
        raise KeyNeedsDigest
    return (length, *digests, *(request.headers.get(name, "") for name in BESIDE))


def _begun(wish: _Wish, at: datetime) -> _Try | KeptAnswer:
    """A try, which is the only one, or what was answered before.

    Raises:
        KeyForAnotherBody, StillRunning, AnswerLost: neither.
    """
    fresh = {"fingerprint": wish.fingerprint, "held_until": at + HELD_FOR}
    found, is_new = KeptAnswer.objects.get_or_create(user_id=wish.user_id, key=wish.key, defaults=fresh)
    if is_new:
        return _Try(found)
    if found.created_at <= at - KEPT_FOR:
        anew: dict[str, Any] = {"created_at": at, "done_at": None, "status": None, "headers": {}, "body": b""}
        return _taken_over(found, **fresh, **anew)
    if found.fingerprint != wish.fingerprint:
        raise KeyForAnotherBody
    if found.status is not None:
        return found
    if found.held_until > at:
        raise StillRunning(retry_after_s=AGAIN_IN_S)
    if found.done_at:
        raise AnswerLost
    return _taken_over(found, **fresh)


def _taken_over(found: KeptAnswer, **values: Any) -> _Try:
    """The next try, unless somebody else was faster or the last one has done something after all.

    Raises:
        StillRunning: so it is.
    """
    unchanged = KeptAnswer.objects.filter(pk=found.pk, tries=found.tries, done_at=found.done_at)
    if not unchanged.update(**values, tries=found.tries + 1):
        raise StillRunning(retry_after_s=AGAIN_IN_S)
    found.tries += 1
    return _Try(found)


def _note_rights(request: HttpRequest, rights: set[str]) -> None:
    """Remember which rights the person is asked for on the way and has, wherever that is."""
    user: Any = request.auth  # type: ignore[attr-defined]  # set by whoever has found out who asks
    has_perm = user.has_perm

    def noting(right: str, obj: Any = None) -> bool:
        has = bool(has_perm(right, obj))
        if has:
            rights.add(right)
        return has

    user.has_perm = noting


def _again(kept: KeptAnswer, request: HttpRequest) -> HttpResponse:
    """Raises: AnswerWithheld: the person has lost a right that it took."""
    user = request.auth  # type: ignore[attr-defined]  # as above
    if not user.has_perms(kept.rights):
        raise AnswerWithheld
    return HttpResponse(bytes(kept.body), status=kept.status, headers={**kept.headers, REPLAYED: "true"})


def _settle(tried: _Try, response: HttpResponseBase | None) -> None:
    """Keep the answer if something was done, and it says what; else let the wish be tried anew, if nothing was."""
    try:
        if isinstance(response, HttpResponse) and _is_told(tried, response.status_code) and not _is_secret(response):
            tried.mine().update(
                status=response.status_code,
                headers={name: response[name] for name in KEPT_HEADERS if name in response},
                rights=sorted(tried.rights),
                body=response.content,
                done_at=Coalesce("done_at", Now()),
            )
        elif not tried.mine().filter(done_at=None).delete()[0]:
            tried.mine().update(held_until=Now())
    except DatabaseError:
        # What was done stays done, and its answer is a good one; who asks again before the hold ends is told to wait.
        logger.exception("idempotency: an answer could not be kept")


def _is_told(tried: _Try, status: int) -> bool:
    return status < HTTPStatus.BAD_REQUEST or (tried.has_committed and status < HTTPStatus.INTERNAL_SERVER_ERROR)


def _is_secret(response: HttpResponse) -> bool:
    """Whether it holds what is shown once, as the address of a link: that is told nobody again, and so kept nowhere."""
    return response.status_code < HTTPStatus.BAD_REQUEST and "no-store" in response.get("Cache-Control", "")

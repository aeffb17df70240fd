"""One SDK call: one HTTP request, every failure translated, one line in the log."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dropbox import Dropbox
from dropbox.common import PathRoot
from dropbox.dropbox_client import RouteResult

from cloud.dropbox.answers import forget_answer, last_answer
from cloud.dropbox.connection import session, timeouts_s
from cloud.dropbox.forms import OddAnswer
from cloud.dropbox.translation import translate
from cloud.errors import DropboxUnavailable
from core.base.errors import RunsheetError
from core.ops import tally

logger = logging.getLogger(__name__)

USER_AGENT = "Runsheet"
# The name of what a union does not know yet. The SDK makes it of any tag it has never heard of, and refuses it where
# Dropbox says it outright (dropbox-sdk-python#585). Within a text of JSON its quotation marks would be escaped.
OTHER = re.compile(r'"\.tag"\s*:\s*"other"')
NEVER_HEARD_OF = '".tag": "said_to_be_other"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply[T]:
    """What the SDK made of a successful answer."""

    value: T
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose token is used and where paths begin.

    Attributes:
        path_root: the account's root namespace, always sent once it is known: without it a folder that has moved to a
            team space would be looked for at home, and not be found there.
        before_call: called before every request; what it raises is passed on untouched.
    """

    account_id: str
    access_token: str = field(repr=False)
    path_root: str = ""
    before_call: Callable[[], None] | None = None

    def evidence(self, *, path: str) -> dict[str, Any]:
        return {"account": self.account_id, "path_root": self.path_root, "path": path}

    def ask[T](self, route: str, request: Callable[[Dropbox], T], *, path: str = "") -> Reply[T]:
        """Make one call with the SDK.

        Args:
            request: makes the call and takes from its result what is needed, so that a result that is odd is translated, too.

        Raises:
            RunsheetError: what `translate` says.
        """
        if self.before_call:
            self.before_call()
        client = self._client()
        forget_answer()
        started = time.monotonic()
        try:
            value = request(client)
        except Exception as error:
            # The SDK also throws AssertionError, KeyError, ValueError, stone's and requests' own.
            failure = self._failure(error, route=route, path=path)
            self._log(route, path, failure, time.monotonic() - started)
            raise failure from error
        self._log(route, path, None, time.monotonic() - started)
        answer = last_answer()
        return Reply(value=value, request_id=answer.request_id if answer else "")

    def _failure(self, error: Exception, *, route: str, path: str) -> RunsheetError:
        failure = translate(last_answer(), route=route, evidence=self.evidence(path=path))
        if isinstance(error, OddAnswer):
            failure = DropboxUnavailable(f"Dropbox's answer cannot be used: {error}.", evidence=failure.evidence)
        if isinstance(failure, DropboxUnavailable):
            failure.evidence["cause"] = type(error).__name__  # its text may hold a share link
        return failure

    def _client(self) -> Dropbox:
        client = _Client(
            oauth2_access_token=self.access_token,
            max_retries_on_error=0,
            max_retries_on_rate_limit=0,
            session=session(),
            timeout=timeouts_s(),
            user_agent=USER_AGENT,
        )
        return client.with_path_root(PathRoot.root(self.path_root)) if self.path_root else client

    def _log(self, route: str, path: str, failure: RunsheetError | None, seconds: float) -> None:
        tally.observe("dropbox_call_seconds", seconds, route=route, outcome=failure.code if failure else "ok")
        outcome = "ok"
        if failure:
            told = [
                str(failure.evidence[name])
                for name in ("status", "error", "cause", "text")
                if failure.evidence.get(name)
            ]
            outcome = f"{failure.code} ({' '.join(told)})"
        details = {"path": path, "account": self.account_id, "duration_s": round(seconds, 3)}
        logger.info("%s path=%s account=%s %s in %.3f s", route, path, self.account_id, outcome, seconds, extra=details)


class _Client(Dropbox):  # type: ignore[misc]  # the SDK ships no types
    """The SDK without its loop that repeats calls: who tries again, and when, is the queue's business."""

    def request_json_string_with_retry(self, *args: Any, **kwargs: Any) -> Any:
        result = self.request_json_string(*args, **kwargs)
        if isinstance(result, RouteResult):
            result.obj_result = OTHER.sub(NEVER_HEARD_OF, result.obj_result)
        return result

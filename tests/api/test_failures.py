"""What failures are in terms of HTTP."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from ninja.errors import AuthenticationError, HttpError

from api import failures
from api.errors import (
    AnswerLost,
    CursorUnknown,
    KeyForAnotherBody,
    KeyInvalid,
    PreconditionFailed,
    PreconditionMissing,
    StillRunning,
)
from api.frame import interface
from core.base.errors import Permanent, Refused, RunsheetError, Temporary
from core.http import problems
from documents.errors import MoveRefused, SidecarRefused
from documents.link_errors import LinkPasswordWrong, LinkSuspended, LinkUnknown
from documents.services.opening import ENDED
from storage import errors
from storage.errors import ListerUnknown, RootBusy
from storage.services import IndexSyncService

OF_EVERY_WISH = (
    AnswerLost,
    CursorUnknown,
    KeyForAnotherBody,
    KeyInvalid,
    PreconditionFailed,
    PreconditionMissing,
    StillRunning,
)
REQUEST = RequestFactory().get("/api/v1/")


class Busier(RootBusy):
    """Busier than busy."""

    code = "busier_for_tests"


def said(answer: HttpResponse) -> dict[str, Any]:
    return dict(json.loads(answer.content))


class TestFailed:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (Refused("No."), 422),
            (RootBusy(), 409),
            (Busier(), 409),
            (Temporary(), 503),
        ],
    )
    def test_is_by_the_nearest_of_its_classes(self, error: RunsheetError, status: int) -> None:
        answer = failures.failed(REQUEST, error)

        assert (answer.status_code, said(answer)["code"], said(answer)["detail"]) == (status, error.code, str(error))
        assert "Retry-After" not in answer

    def test_says_when_to_come_again(self) -> None:
        assert failures.failed(REQUEST, Temporary(retry_after_s=1.5))["Retry-After"] == "2"

    @pytest.mark.parametrize("error", [Permanent(), ListerUnknown(), RunsheetError()])
    def test_is_a_bug_where_nobody_can_help_it_who_asks(self, error: RunsheetError) -> None:
        with pytest.raises(type(error)):
            failures.failed(REQUEST, error)

    def test_is_decided_for_each_refusal_of_a_run(self) -> None:
        """All that the services of runs can raise, as the documentation of each says."""
        told = set(
            re.findall(r"\b[A-Z]\w+", " ".join(method.__doc__ or "" for method in vars(IndexSyncService).values()))
        )
        refused = {each for name, each in vars(errors).items() if name in told and issubclass(each, Refused)}

        assert len(refused) > 5
        assert {each for each in refused if "status" not in vars(each) and not each.field} == set()


class TestFrame:
    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (AuthenticationError(), 401, "not_logged_in"),
            (HttpError(413, "Large"), 413, "too_large"),
            (HttpError(418, "Teapot"), 400, "bad_request"),
            (PermissionDenied("Not you."), 403, "forbidden"),
            (Http404(), 404, "not_found"),
            (RequestDataTooBig(), 413, "too_large"),
        ],
    )
    def test_tells_whatever_is_raised(self, error: Exception, status: int, code: str) -> None:
        answer = interface.on_exception(REQUEST, error)

        assert (answer.status_code, said(answer)["code"]) == (status, code)

    def test_hands_on_what_it_does_not_know(self) -> None:
        with pytest.raises(ZeroDivisionError):
            interface.on_exception(REQUEST, ZeroDivisionError())


def test_whatever_the_frame_refuses_is_told_in_the_docs() -> None:
    """With its status, by which a program decides first."""
    told = (settings.ROOT / "docs" / "api.md").read_text()
    rows = [line.split("|") for line in told.splitlines() if line.startswith("| ") and line[2:5].isdigit()]
    documented = {(int(row[1]), code) for row in rows for code in re.findall(r"`(\w+)`", row[2])}
    refused = {(each.status, each.code) for each in OF_EVERY_WISH}
    before = {(status, code) for code, (status, _sentence) in problems.KINDS.items()}

    assert (refused | before) - documented == set()


def _below(kind: type[RunsheetError]) -> Iterator[type[RunsheetError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def test_whatever_is_refused_of_documents_is_told_in_the_docs() -> None:
    """But what only pages and commands say."""
    told = (settings.ROOT / "docs" / "api.md").read_text()
    ours = {each for each in _below(Refused) if each.__module__.startswith("documents.")}
    beyond = (SidecarRefused, MoveRefused, LinkUnknown, LinkPasswordWrong, *ENDED.values(), LinkSuspended)
    of_programs = {
        each
        for each in ours
        if not issubclass(each, beyond) and not each.__subclasses__() and ".admin." not in each.__module__
    }

    assert len(of_programs) > 40
    assert {each.code for each in of_programs if f"`{each.code}`" not in told} == set()

"""Files come in by a form of the console: read as they come, as those of programs are, and kept nowhere on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from console.machine.buttons import lacking
from console.records.links import page_of, record_url
from console.records.who import person
from core.base.errors import Refused, RunsheetError
from core.base.sizes import size_text
from core.http import uploads as bodies
from documents import multipart
from documents.admin.forms import SendForm, VersionForm
from documents.errors import (
    DigestMismatch,
    DocumentTooLarge,
    InvalidDocument,
    QuotaExceeded,
    TooManyVersions,
    UploadLapsed,
)
from documents.models import Document
from documents.queries import visible_to
from documents.receiving import received
from documents.services import uploads
from documents.services.rights import ADD, CHANGE, SEE_LEASES, VIEW, require_change
from documents.services.usage import Usage, usage
from leases.models import Lease
from statemachine.errors import RecordGone, TransitionForbidden

# What a script says that shows how far it is; it is told where to go on, since it would follow by itself.
BY_SCRIPT = "X-By-Script"
NO_FILE = "Choose a file first."
# These are about one of the files, and the others go on.
OF_ONE = (InvalidDocument, DocumentTooLarge, QuotaExceeded, TooManyVersions, DigestMismatch, UploadLapsed)
NAMED = 3
NONE = -1


class Forged(Refused):
    """The form came without the token against forgery."""

    code = "page_too_old"

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


class Unfinished(Refused):
    """What is said beside the files is not right; what is wrong stands at its field."""

    code = "unfinished_form"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A file that was refused, and why."""

    name: str
    why: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a form.

    Attributes:
        form: what was said beside the files; None: it was not come to.
        wrong: why the rest of it was not read; empty: all of it was.
    """

    form: Any = None
    made: list[Document] = field(default_factory=list)
    refused: list[NotTaken] = field(default_factory=list)
    wrong: str = ""

    @property
    def is_whole(self) -> bool:
        return bool(self.made) and not self.refused and not self.wrong


class SendingPages:
    """Where documents are sent, and further versions of one."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def send(self, request: HttpRequest) -> HttpResponse:
        """Files become documents, each by itself."""
        user = person(request)
        _require(request, ADD)

        def form_of(data: Mapping[str, Any] | None = None) -> SendForm:
            may_see = user.has_perm(SEE_LEASES)
            return SendForm(data, may_see_leases=may_see, initial=_asked(request) if may_see else {})

        if request.method != "POST":
            return self._page(request, "send", title="Send documents", form=form_of(), outcome=None)
        outcome = Outcome()
        if refused := _read(request, outcome, form_of, _store(outcome, by=user)):
            return refused
        if outcome.is_whole:
            messages.success(request, _sent(outcome.made))
            return _lead(request, _where(request, outcome))
        return self._page(request, "send", title="Send documents", form=outcome.form or form_of(), outcome=outcome)

    def version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A file becomes the next version of a document."""
        user = person(request)
        _require(request, CHANGE)
        document = visible_to(user).filter(pk=pk).first()
        if document is None:
            _throw_away(request)
            messages.error(request, RecordGone.sentence())
            return HttpResponseRedirect(reverse("admin:documents_document_changelist"))

        def form_of(data: Mapping[str, Any] | None = None) -> VersionForm:
            return VersionForm(data, label_suffix="", initial={"revision": document.revision})

        outcome = Outcome()
        if request.method != "POST":
            outcome.wrong = _hindrance(document, user)
            return self._page(request, "version", title=document.name, form=form_of(), outcome=outcome, of=document)
        if refused := _read(request, outcome, form_of, _add(outcome, document, by=user)):
            return refused
        if outcome.is_whole:
            messages.success(request, f"{document}: another version was sent. It is verified by itself now.")
            return _lead(request, page_of(document))
        form = outcome.form or form_of()
        return self._page(request, "version", title=document.name, form=form, outcome=outcome, of=document)

    def _page(self, request: HttpRequest, name: str, **given: Any) -> HttpResponse:
        context = {
            **self._site.each_context(request),
            "opts": Document._meta,
            "largest_bytes": settings.DOCUMENTS_LARGEST_BYTES,
            "largest": size_text(settings.DOCUMENTS_LARGEST_BYTES),
            "may_see": request.user.has_perm(VIEW),
            "room": _room(usage(owner_id=person(request).pk)),
            **given,
        }
        return render(request, f"admin/documents/document/{name}.html", context)


def _room(mine: Usage) -> str:
    """How much of it the person has left."""
    used = size_text(mine.used + mine.reserved)
    return f"{used} of {size_text(mine.limit)} are used." if mine.limit is not None else f"{used} are used."


# What is done with each file, given what was said beside it.
type Taking = Callable[[multipart.Form, Mapping[str, Any]], None]


def _read(
    request: HttpRequest, outcome: Outcome, form_of: Callable[[Mapping[str, Any]], forms.Form], take: Taking
) -> HttpResponse | None:
    """Take the files one after the other, and note what became of each; an answer to what is no form of ours."""
    try:
        with received(request) as body:
            for file in multipart.forms(body):
                if outcome.form is None:
                    _check(request, outcome, form_of, file.fields)
                if file.name:  # a browser sends an empty one where none was chosen
                    _take(file, outcome, take)
    except Forged as forged:
        return forged.answer
    except Unfinished:
        return None
    except RunsheetError as error:
        outcome.wrong = str(error)
    if not (outcome.made or outcome.refused or outcome.wrong):
        outcome.wrong = NO_FILE
    return None


def _check(
    request: HttpRequest,
    outcome: Outcome,
    form_of: Callable[[Mapping[str, Any]], forms.Form],
    fields: Mapping[str, str],
) -> None:
    """See what was said before the first file.

    Raises:
        Forged, Unfinished: nothing is taken.
    """
    if refused := bodies.refused_token(request, fields):
        raise Forged(refused)
    outcome.form = form_of(fields)
    if not outcome.form.is_valid():
        raise Unfinished


def _take(file: multipart.Form, outcome: Outcome, take: Taking) -> None:
    try:
        take(file, outcome.form.cleaned_data)
    except OF_ONE as refusal:
        outcome.refused.append(NotTaken(name=file.name, why=str(refusal)))


def _store(outcome: Outcome, *, by: Any) -> Taking:
    def take(file: multipart.Form, said: Mapping[str, Any]) -> None:
        lease: Lease | None = said.get("lease")
        made = uploads.store(
            by=by,
            name=file.name,
            chunks=file.chunks,
            length=None,
            declared_type=file.content_type,
            lease_id=lease.pk if lease else None,
            sha256=file.sha256,
            why=said["why"],
        )
        outcome.made.append(made)

    return take


def _add(outcome: Outcome, document: Document, *, by: Any) -> Taking:
    def take(file: multipart.Form, said: Mapping[str, Any]) -> None:
        if outcome.made:
            raise multipart.FieldAfterFile
        # What the verifying does overtakes nobody. Another generation than any tells who was faster.
        is_same = said["revision"] == document.revision
        uploads.add_version(
            document_id=document.pk,
            by=by,
            name=said["name"] or None,
            chunks=file.chunks,
            length=None,
            declared_type=file.content_type,
            sha256=file.sha256,
            why=said["why"],
            generation=document.generation if is_same else NONE,
        )
        outcome.made.append(document)

    return take


def _require(request: HttpRequest, right: str) -> None:
    """Raises: PermissionDenied: nothing was read but what lets the browser see the answer."""
    if not request.user.has_perm(right):
        _throw_away(request)
        raise PermissionDenied(lacking(Document, right))


def _throw_away(request: HttpRequest) -> None:
    if request.method == "POST":
        bodies.throw_away(request, size=bodies.announced(request))


def _hindrance(document: Document, user: Any) -> str:
    """Why nobody, or not this person, can add a version now; it is seen again when the file comes."""
    try:
        require_change(document, by=user)
    except (Refused, TransitionForbidden) as refusal:
        return str(refusal)
    return ""


def _asked(request: HttpRequest) -> dict[str, str]:
    """The lease whose page has led here, as one types it."""
    pk = request.GET.get("lease", "")
    is_key = pk.isascii() and pk.isdecimal() and len(pk) < len(str(2**63))
    lease = Lease.objects.filter(pk=int(pk)).first() if is_key else None
    return {"lease": str(lease)} if lease else {}


def _sent(made: list[Document]) -> str:
    if len(made) == 1:
        return f"{made[0]}: sent. It is verified by itself now."
    names = ", ".join(map(str, made[:NAMED]))
    more = f" and {len(made) - NAMED} more" if len(made) > NAMED else ""
    return f"{len(made)} documents were sent: {names}{more}. They are verified by themselves now."


def _where(request: HttpRequest, outcome: Outcome) -> str:
    """To the document; of several to their lease, or to the list."""
    user = person(request)
    if not user.has_perm(VIEW):
        return request.path
    lease = outcome.form.cleaned_data.get("lease")
    if len(outcome.made) == 1:
        return page_of(outcome.made[0])
    return (record_url(lease, user) if lease else "") or reverse("admin:documents_document_changelist")


def _lead(request: HttpRequest, url: str) -> HttpResponse:
    if BY_SCRIPT in request.headers:
        return JsonResponse({"url": url}, status=HTTPStatus.CREATED)
    return HttpResponseRedirect(url)

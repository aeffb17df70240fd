"""What was sent to the pages of imports and batches, in words; see `console.records.sent`."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, QueryDict

from console.records.sent import Sent, Telling, shortened
from leases.admin.reading import SEPARATOR_LABELS
from leases.models import Batch, Upload
from leases.states import State


def _choose(_request: HttpRequest, _given: Mapping[str, Any], _form: QueryDict) -> Sent:
    return Sent(what="Show a preview of an import")


def _confirm(request: HttpRequest, given: Mapping[str, Any], form: QueryDict) -> Sent:
    is_sure = bool(form.get("only_sure"))
    count = (("Leases", shortened(form.get("only_sure") or form.get("expected", "")) or "As many as can be imported"),)
    doubtful = (("The doubtful", "Are left out"),) if is_sure else ()
    return Sent(what="Import leases", facts=(*_own_file(request, given["upload_id"]), *count, *doubtful))


def _read(request: HttpRequest, given: Mapping[str, Any], form: QueryDict) -> Sent:
    separator, sheet = form.get("separator", ""), form.get("sheet", "")
    facts = [("Between the cells stands", SEPARATOR_LABELS.get(separator, "")), ("Sheet", shortened(sheet))]
    return Sent(
        what="Read a file otherwise",
        facts=(*_own_file(request, given["upload_id"]), *(each for each in facts if each[1])),
    )


def _words(_request: HttpRequest, _given: Mapping[str, Any], form: QueryDict) -> Sent:
    pairs = zip(form.getlist("word"), form.getlist("meaning"), strict=False)
    said = "; ".join(f"“{word}” means {meaning or 'no agency'}" for word, meaning in pairs)
    return Sent(what="Remember what words for agencies mean", facts=(("Words", shortened(said)),))


def _stop(request: HttpRequest, given: Mapping[str, Any], form: QueryDict) -> Sent:
    return Sent(what="Stop", facts=(*_seen(request, Batch, given["pk"]), *_count(form)))


def _again(request: HttpRequest, given: Mapping[str, Any], form: QueryDict) -> Sent:
    what = "Run what was not run" if form.get("state") == State.PENDING else "Run what has failed again"
    return Sent(what=what, facts=(*_seen(request, Batch, given["pk"]), *_count(form)))


def _notices(_request: HttpRequest, _given: Mapping[str, Any], _form: QueryDict) -> Sent:
    return Sent(what="Mark all as read")


def _seen(request: HttpRequest, model: type[Model], pk: int) -> Iterator[tuple[str, str]]:
    """The record, for who may see it."""
    found = model._default_manager.filter(pk=pk).first()
    if found is not None and request.user.has_perm("leases.view_lease"):
        yield str(model._meta.verbose_name).capitalize(), str(found)


def _own_file(request: HttpRequest, upload_id: int) -> Iterator[tuple[str, str]]:
    """The file that was chosen, which is nobody else's before it is imported."""
    found = Upload.objects.only("name").filter(pk=upload_id, created_by_id=request.user.pk).first()
    if found is not None:
        yield "File", found.name


def _count(form: QueryDict) -> Iterator[tuple[str, str]]:
    if count := shortened(form.get("expected", "")):
        yield "Leases", count


# By the names of the addresses.
TELLINGS: dict[str, Telling] = {
    "leases_batch_import": _choose,
    "leases_batch_preview": _confirm,
    "leases_batch_read": _read,
    "leases_batch_words": _words,
    "leases_batch_stop": _stop,
    "leases_batch_again": _again,
    "leases_failurenotice_read": _notices,
}

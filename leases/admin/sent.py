"""What was sent to the pages of imports, in words; see `console.records.sent`."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest, QueryDict

from console.records.sent import Sent, Telling, shortened
from leases.admin.reading import SEPARATOR_LABELS
from leases.models import Upload


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


def _own_file(request: HttpRequest, upload_id: int) -> Iterator[tuple[str, str]]:
    """The file that was chosen, which is nobody else's before it is imported."""
    found = Upload.objects.only("name").filter(pk=upload_id, created_by_id=request.user.pk).first()
    if found is not None:
        yield "File", found.name


# By the names of the addresses.
TELLINGS: dict[str, Telling] = {
    "leases_batch_import": _choose,
    "leases_batch_preview": _confirm,
    "leases_batch_read": _read,
    "leases_batch_words": _words,
}

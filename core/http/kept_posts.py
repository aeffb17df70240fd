"""What somebody sends after the session has ended is kept for some minutes, and shown again after the login.

It is kept only for a browser in which somebody has logged in before, and given back only to that browser and that person;
the token against forged forms has been looked at by then. Nothing of it is ever done by itself: the person sees it, and
sends it once more. Passwords are not kept.
"""

import hashlib
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.db.models import QuerySet
from django.db.models.functions import Length, Now
from django.http import HttpRequest, QueryDict
from django.utils.crypto import get_random_string
from django.utils.datastructures import MultiValueDict

from core.http import logins
from core.models import KeptPost

logger = logging.getLogger(__name__)

# Names what is kept, in an address and in a form.
AGAIN = "_again"
KEPT = timedelta(minutes=15)
# By one browser and person; of what is older the oldest goes.
KEPT_OF_ONE = 3
KEPT_OF_ALL = 100
FIELDS_CHARACTERS = 300_000
FILE_BYTES = 10_500_000
FILES_BYTES_OF_ALL = 200_000_000
SECRET = "password"  # noqa: S105 - a part of names of fields
NEVER_SHOWN = ("csrfmiddlewaretoken", AGAIN)


def keep(request: HttpRequest) -> str:
    """Keep what was sent.

    Returns:
        The address at which it is shown again; empty if it is not kept, because nobody is known to have logged in here, or
        it is too much, or a body that nobody has read as a whole.
    """
    if hasattr(request, "is_streamed"):
        return ""
    owner = _digest(logins.last_in(request))
    fields = [[name, values] for name, values in request.POST.lists() if name not in NEVER_SHOWN]
    is_secret = any(SECRET in name for name, _ in fields)
    if not owner or is_secret or sum(len(name) + sum(map(len, values)) for name, values in fields) > FIELDS_CHARACTERS:
        return ""
    key = get_random_string(22)
    try:
        _forget_old(owner)
        if not _is_room() or not _store(request, key=key, owner=owner, fields=fields):
            return ""
    except DatabaseError:
        logger.warning("kept_posts: the database does not take what was sent after a session had ended")
        return ""
    return marked(request.get_full_path(), key)


def find(request: HttpRequest, key: str) -> KeptPost | None:
    """What is kept under the key, if it was sent by this person from this browser."""
    return _kept().filter(key=key, owner=_digest(logins.browser_of(request))).first()


def give_back_file(request: HttpRequest) -> None:
    """Let the form that is sent once more have its file, which no page can put into a form; it is given once."""
    found = find(request, str(request.POST.get(AGAIN, "")))
    if found is None:
        return
    if found.file_field and not request.FILES:
        file = SimpleUploadedFile(found.file_name, bytes(found.file), content_type=found.file_type)
        request._files = MultiValueDict({found.file_field: [file]})  # type: ignore[attr-defined]  # noqa: SLF001 - read by FILES
    found.delete()


def form_of(kept: KeptPost) -> QueryDict:
    """The fields, but for what says which button was pressed."""
    form = QueryDict(mutable=True)
    for name, values in kept.fields:
        if not name.startswith("_") or name == "_selected_action":
            form.setlist(name, values)
    return form


def marked(address: str, key: str) -> str:
    """The address, with the name of what is shown there again."""
    plain = unmarked(address)
    return f"{plain}{'&' if '?' in plain else '?'}{urlencode({AGAIN: key})}"


def unmarked(address: str) -> str:
    """The address as it was before."""
    parts = urlsplit(address)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != AGAIN]
    return parts._replace(query=urlencode(query)).geturl()


def take_mark(request: HttpRequest) -> str:
    """The key that the address names, which is no business of the page."""
    wanted = request.GET.copy()
    key = str((wanted.pop(AGAIN, None) or [""])[-1])
    request.GET = wanted  # type: ignore[assignment]  # the page's own
    request.META["QUERY_STRING"] = wanted.urlencode()
    return key


def _kept() -> QuerySet[KeptPost]:
    return KeptPost.objects.filter(created_at__gt=Now() - KEPT)


def _forget_old(owner: str) -> None:
    KeptPost.objects.filter(created_at__lte=Now() - KEPT).delete()
    older = KeptPost.objects.filter(owner=owner).order_by("-pk").values("pk")[KEPT_OF_ONE - 1 :]
    KeptPost.objects.filter(pk__in=older).delete()


def _is_room() -> bool:
    sizes = KeptPost.objects.annotate(size=Length("file")).values_list("size", flat=True)[:KEPT_OF_ALL]
    return len(sizes) < KEPT_OF_ALL and sum(sizes) < FILES_BYTES_OF_ALL


def _store(request: HttpRequest, *, key: str, owner: str, fields: list[Any]) -> bool:
    """Whether it was kept; several files at once are not."""
    given: dict[str, Any] = {"key": key, "owner": owner, "address": unmarked(request.get_full_path()), "fields": fields}
    files: list[tuple[str, Any]] = list(request.FILES.items())
    if files:
        (name, file), *more = files
        if more or (file.size or 0) > FILE_BYTES:
            return False
        given |= {
            "file_field": name,
            "file_name": file.name or "file",
            "file_type": (file.content_type or "")[:200],
            "file": file.read(),
        }
    KeptPost.objects.create(**given)
    return True


def _digest(who: str) -> str:
    return hashlib.sha256(who.encode()).hexdigest() if who else ""

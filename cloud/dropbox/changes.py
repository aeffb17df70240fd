"""Listings of whole trees and what has changed in them, read without the SDK's objects: there are millions of entries.

The SDK makes the call. What it would check of the answer is checked here, and no less is believed than it would believe.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dropbox import Dropbox
from dropbox.dropbox_client import RouteResult

from cloud.dropbox.decisions import CONTINUE_ROUTE, LIST_ROUTE
from cloud.dropbox.forms import CURSOR, FILE_ID, LONGEST_TOLD, NAMESPACE, REVISION, OddAnswer, of_form, required, whole
from cloud.dropbox.shapes import EARLIEST, LATEST, PAGE_SIZE
from cloud.files import ChangedEntry, ChangesPage

# As Dropbox writes an instant, and in no other way.
INSTANT = "2026-01-01T00:00:00Z"


class Refusal(Exception):
    """Dropbox has refused the call; what that means is read from its answer."""


def first_page(client: Dropbox, path: str, *, is_recursive: bool) -> ChangesPage:
    """The first page of what lies in a directory; one call.

    Raises:
        Refusal: it was no success.
        OddAnswer: something in it cannot be.
        Exception: whatever the SDK and what it stands on throw.
    """
    argument = {"path": path, "recursive": is_recursive, "include_mounted_folders": True, "limit": PAGE_SIZE}
    return _ask(client, LIST_ROUTE, argument)


def next_page(client: Dropbox, cursor: str) -> ChangesPage:
    """The page behind a cursor; one call.

    Raises:
        Refusal, OddAnswer, Exception: as `first_page`.
    """
    return _ask(client, CONTINUE_ROUTE, {"cursor": cursor})


def _ask(client: Dropbox, route: str, argument: Mapping[str, Any]) -> ChangesPage:
    result = client.request_json_string_with_retry("api", route, "rpc", json.dumps(argument), "app, user", None)
    if not isinstance(result, RouteResult):
        raise Refusal
    return read_page(json.loads(result.obj_result))


def read_page(body: Any) -> ChangesPage:
    """What a page says.

    Raises:
        OddAnswer: something in it cannot be.
    """
    match body:
        case {"entries": [*told], "cursor": cursor, "has_more": bool(has_more)}:
            entries = tuple(_entry(each) for each in told)
            there = tuple(each for each in entries if each is not None)
            cursor = required(CURSOR, cursor, what="the place where the listing goes on")
            unmounted = len(entries) - len(there)
            return ChangesPage(entries=there, cursor=cursor, has_more=has_more, unmounted=unmounted)
    raise OddAnswer("it is no page of a listing")


def _entry(told: Any) -> ChangedEntry | None:
    """None for what has no path, as what lies in a shared folder that is not mounted, or one that nobody can keep."""
    if not isinstance(told, dict):
        raise OddAnswer("an entry of a listing is none")
    name, path = _text(told, "name", what="a name"), told.get("path_lower")
    if "/" in name:
        raise OddAnswer("a name has a slash")
    kind = told.get(".tag")
    if not isinstance(kind, str) or kind not in _READERS:
        raise OddAnswer("it is about something that is neither file nor directory")
    # No row holds so long a path, and whoever lays something so deep is not to keep everybody from being told.
    if path is None or (isinstance(path, str) and len(path) > LONGEST_TOLD):
        return None
    # As it is: a path in which anything stands for something else is another one's, with which it would come and go.
    if not isinstance(path, str) or not path.startswith("/"):
        raise OddAnswer("a path is not absolute")
    return _READERS[kind](told, path, name)


def _file(told: Mapping[str, Any], path: str, name: str) -> ChangedEntry:
    size = told.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise OddAnswer("a file has no size")
    return ChangedEntry(
        path_lower=path,
        name=name,
        file_id=required(FILE_ID, told.get("id"), what="the id of a file"),
        revision=required(REVISION, told.get("rev"), what="the revision of a file"),
        size_bytes=size,
        modified_at=_instant(told.get("server_modified")),
    )


def _folder(told: Mapping[str, Any], path: str, name: str) -> ChangedEntry:
    shared = told.get("sharing_info") or {}
    if not isinstance(shared, dict):
        raise OddAnswer("what is said of sharing is nothing")
    sight = [shared.get(each, False) for each in ("traverse_only", "no_access")]
    if not all(isinstance(each, bool) for each in sight):
        raise OddAnswer("how much of a directory is seen is not said")
    return ChangedEntry(
        path_lower=path,
        name=name,
        is_directory=True,
        file_id=required(FILE_ID, told.get("id"), what="the id of a directory"),
        shared_folder_id=of_form(NAMESPACE, shared.get("shared_folder_id")),
        is_partial=any(sight),
    )


def _deleted(_told: Mapping[str, Any], path: str, name: str) -> ChangedEntry:
    return ChangedEntry(path_lower=path, name=name, is_deleted=True)


_READERS = {"file": _file, "folder": _folder, "deleted": _deleted}


def _text(told: Mapping[str, Any], field: str, *, what: str) -> str:
    text = told.get(field)
    if not isinstance(text, str):
        raise OddAnswer(f"{what} is no text")
    return whole(text, what=what)


def _instant(text: Any) -> datetime:
    if not isinstance(text, str) or len(text) != len(INSTANT) or text[-1] != "Z":
        raise OddAnswer("the time of a file is none")
    try:
        return min(max(datetime.fromisoformat(text), EARLIEST), LATEST)
    except ValueError:
        raise OddAnswer("the time of a file is none") from None

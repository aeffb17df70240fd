"""What was sent to the pages of somebody's Dropbox, in words; see `console.records.sent`."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, QueryDict

from console.records.sent import Sent, Telling

WORDS = {
    "dropbox_connect": "Connect Dropbox",
    "dropbox_check": "Check which folders your Dropbox sees",
    "dropbox_disconnect": "Disconnect Dropbox",
}


def _button(request: HttpRequest, _given: Mapping[str, Any], _form: QueryDict) -> Sent:
    assert request.resolver_match is not None
    return Sent(what=WORDS[request.resolver_match.url_name or ""])


def _replace(_request: HttpRequest, _given: Mapping[str, Any], form: QueryDict) -> Sent:
    is_new = form.get("decision") == "replace"
    return Sent(
        what="Use another Dropbox account from now on" if is_new else "Keep the Dropbox account that was connected"
    )


# By the names of the addresses.
TELLINGS: dict[str, Telling] = {
    **dict.fromkeys(WORDS, _button),
    "dropbox_replace": _replace,
}

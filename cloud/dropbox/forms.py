"""The forms that what Dropbox tells must have before it is kept or shown: it comes from outside, like any upload."""

import re
from typing import Any

from core.base.folding import printable

# Tags, request ids and scopes are kept and shown. What has not their form may be anything, also what we sent.
TAG = re.compile(r"[a-z0-9_]{1,64}")
SCOPE = re.compile(r"[a-z_]{1,32}(\.[a-z_]{1,32}){1,3}")
REQUEST_ID = re.compile(r"[0-9a-fA-F-]{1,64}")
NAMESPACE = re.compile(r"[-_0-9a-zA-Z:]{1,40}")
ACCOUNT_ID = re.compile(r"dbid:[-_0-9a-zA-Z]{35}")
FILE_ID = re.compile(r"[-_0-9a-zA-Z:]{1,255}")
REVISION = re.compile(r"[0-9a-f]{9,64}")
CURSOR = re.compile(r"[\x21-\x7e]{1,65536}")
# Travels in a header; whatever else could stand in one would end it, or begin another.
TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
# Of these, those that are seen as blanks.
BLANK = re.compile(r"[\t\n\v\f\r\x85]")

# Of a name or a path; Dropbox's own limits are far below.
LONGEST_TOLD = 4_096


class OddAnswer(Exception):
    """An answer that Dropbox never gives, so that nothing in it is believed; the text says what is odd, and no secret."""


def of_form(form: re.Pattern[str], text: Any) -> str:
    """The text if it has the form; empty if it is anything else."""
    return text if isinstance(text, str) and form.fullmatch(text) else ""


def required(form: re.Pattern[str], text: Any, *, what: str) -> str:
    """The text, which must have the form.

    Raises:
        OddAnswer: it has not.
    """
    if found := of_form(form, text):
        return found
    raise OddAnswer(f"{what} is missing or of no form that Dropbox uses")


def harmless(text: str, *, at_most: int | None = None) -> str:
    """A name as somebody else chose it, so that it can be stored and shown; what cannot be becomes \N{REPLACEMENT CHARACTER}."""
    if text.isascii() and text.isprintable():  # as nearly all of them are, of which there are millions
        return text[:at_most]
    return printable(BLANK.sub(" ", text[:at_most]))


def whole(text: str, *, what: str) -> str:
    """As `harmless`, but never cut: what is compared must be whole, since a part of a name is another name.

    Raises:
        OddAnswer: it is empty, or longer than anything at Dropbox.
    """
    if not text or len(text) > LONGEST_TOLD:
        raise OddAnswer(f"{what} is {'empty' if not text else f'longer than {LONGEST_TOLD:,} characters'}")
    return harmless(text)

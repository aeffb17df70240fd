"""Take secrets out of whatever is about to leave the process: log lines, tracebacks, error reports.

By the name of a value where there is one, else by the look of the text. It is the last line of defence: nothing should
log a secret in the first place.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"

# A value of such a name is left out whatever it looks like; so is what follows such a name and = or : in a text.
_NAMES = (
    r"(?:[\w-]{0,40}(?:password|passwd|secret(?:[_-]?key)?|token|api[_-]?key|encryption[_-]?keys?|e[_-]?mail|rlkey|share_url)"
    r"|authorization|(?:set-)?cookie|sessionid)"
)
# Each of these names has one of them.
_NAMED = ("pass", "secret", "token", "key", "mail", "share_url", "authorization", "cookie", "sessionid")
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)

# What separates the parameters of an address, which may be a parameter of another address, and that of one more.
_AMP = r"%(?:25){0,2}26"
_BEFORE_PARAMETER = rf"(?:\A|[?&]|%(?:25){{0,2}}3F|{_AMP})"

# Each in time that grows with the length of the text only: no pattern may be made to hang a worker.
# Before each the words, in lower case, of which a text that it matches has at least one.
_PATTERNS = [
    # Share links, of Dropbox or its stand-in: whoever has one has the archive.
    (("://",), re.compile(r"(https?://[^\s/\"'<>\\]{1,255})/(?:scl|sh|s)/[^\s\"'<>\\]+"), rf"\1/{REDACTED}"),
    # The password in an address: scheme://user:password@host. It may hold anything but what ends the address.
    (("://",), re.compile(r"(://[^\s/:@\"'<>]{0,255}:)[^\s/\"'<>]{1,1024}@"), rf"\1{REDACTED}@"),
    (("bearer", "basic"), re.compile(r"\b(Bearer|Basic)\s+(?!\[)[\w.~+/=-]{4,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    # Dropbox's short-lived tokens, its long-lived ones (64 characters with a run of A), and what Fernet encrypts.
    (("sl.",), re.compile(r"\bsl\.[\w-][\w.-]{7,}"), REDACTED),
    (("aaaaaaaa",), re.compile(r"(?<![\w:-])[\w-]{6,20}?A{8,}[\w-]{20,}"), REDACTED),
    # Tokens of our own interface. In an address the sign before one may be written as letters.
    (("rst_",), re.compile(r"rst_[0-9A-Za-z]{20,}", re.ASCII), REDACTED),
    # Links to documents: whoever has one has the document. In an address any of its characters may be written as letters.
    (("rsl_",), re.compile(r"rsl_[0-9A-Za-z]{20,}", re.ASCII), REDACTED),
    (
        ("share/", "share%"),
        re.compile(r"(share(?:/|%(?:25){0,2}2F))(?!\[)[^\s/?#&\"'<>\\]{20,}", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    (("gaaaaa",), re.compile(r"\bgAAAAA[\w=-]{20,}"), REDACTED),
    # What Dropbox sends a browser back with. The states of leases have the same name, but are short.
    (
        ("code", "state"),
        re.compile(
            rf"({_BEFORE_PARAMETER}(?:code|state)(?:=|%(?:25){{0,2}}3D))(?:(?!{_AMP})[^\s&#\"'<>\\]){{16,}}",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # name=value, name: value, "name": "value"; also with the quotes of JSON within JSON.
    (
        _NAMED,
        re.compile(rf"\b({_NAMES})(\\?[\"']?\s{{0,4}}[=:]\s{{0,4}}\\?[\"']?)(?!\[)[^\s\"'\\&,;)}}\]]+", re.IGNORECASE),
        rf"\1\2{REDACTED}",
    ),
    (("@",), re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[A-Za-z]{2,24}\b"), REDACTED),
]
# Letters that a pattern takes for the i or s of such a word where case does not matter, and `lower` does not.
_TAKEN_FOR_ASCII = re.compile("[İıſ]")
_WORDS = tuple(dict.fromkeys(word for words, *_ in _PATTERNS for word in words))


def redact(value: Any) -> Any:
    """The same without secrets, made of nothing but JSON's types; what is none of them becomes its `repr`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {_redact_name(str(name)): _named(str(name), each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(each) for each in value]
    return redact_text(_shown(value))


def redact_text(text: str) -> str:
    """The text with everything blotted out that looks like a secret."""
    # Looking for a word takes next to nothing, and most texts have none of them.
    seen = text.lower() if text.isascii() or not _TAKEN_FOR_ASCII.search(text) else None
    if seen is not None and _has_no_word(seen):
        return text
    for words, pattern, instead in _PATTERNS:
        if seen is None or any(word in seen for word in words):
            text = pattern.sub(instead, text)
    return text


def _has_no_word(seen: str) -> bool:
    # A loop of its own, which takes half of the time of `any`.
    for word in _WORDS:  # noqa: SIM110 - as above
        if word in seen:
            return False
    return True


# The names of values are few, and every line has some of them.
@lru_cache(maxsize=1_000)
def _redact_name(name: str) -> str:
    return redact_text(name)


@lru_cache(maxsize=1_000)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.fullmatch(name) is not None


def _named(name: str, value: Any) -> Any:
    # A number or a truth about a secret, such as how many tokens there are, is none.
    if _is_secret(name) and not isinstance(value, bool | int | float | None):
        return REDACTED
    return redact(value)


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a record that cannot be shown must not stop the line that names it
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"

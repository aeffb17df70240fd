"""What was asked and answered, as a person reads it: the evidence of a transition."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

LABELS: Mapping[str, str] = {
    "path": "Path asked for",
    "account": "Dropbox account",
    "path_root": "Path root",
    "route": "Dropbox was asked",
    "answer": "Answer",
    "status": "HTTP status",
    "error": "Dropbox said",
    "cause": "Cause",
    "entries": "Entries in the directory",
    "pattern": "Rule for a previous report",
    "matching": "Names that match",
    "link": "Share link",
    "base_path": "Base path",
    "scope": "Permission that is missing",
    "exception": "Exception",
    "request_id": "Dropbox's request",
    "request_ids": "Dropbox's requests",
}


def reasons(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each thing that is known, under its name; what has none of ours under its own."""
    named = [name for name in LABELS if name in evidence]
    for name in [*named, *(other for other in evidence if other not in LABELS)]:
        yield LABELS.get(name, name.replace("_", " ").capitalize()), _text(evidence[name], name)


def _text(value: Any, name: str) -> str:
    if isinstance(value, list):
        return ", ".join(f"“{each}”" for each in value) or "none"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value) or ("the account's own home" if name == "path_root" else "–")  # noqa: RUF001 - a dash

"""What was asked and answered, as a person reads it: the evidence of a transition."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from statemachine.evidence import bounded, is_more


def text_of(_name: str, value: Any) -> str:
    """A value of the evidence as one reads it."""
    if isinstance(value, list):
        return ", ".join(each if is_more(each) else f"“{each}”" for each in value) or "none"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value) or "–"  # noqa: RUF001 - a dash


def reasons(
    evidence: Mapping[str, Any], *, labels: Mapping[str, str], text: Callable[[str, Any], str] = text_of
) -> Iterator[tuple[str, str]]:
    """Each thing that is known, under its label; what has none, under its own name.

    Args:
        labels: by the names of the evidence; what has one stands first, in this order.
        text: makes a name and its value something to read.
    """
    evidence = bounded(evidence)  # what older transitions have kept may be as long as what they looked at
    named = [name for name in labels if name in evidence]
    for name in [*named, *(other for other in evidence if other not in labels)]:
        yield labels.get(name, name.replace("_", " ").capitalize()), text(name, evidence[name])

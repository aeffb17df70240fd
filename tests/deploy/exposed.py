"""What /metrics can tell: each metric, its labels and what stands in them."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from prometheus_client import CollectorRegistry

from core.base.errors import RunsheetError, failure_of
from core.http import metrics
from core.local.servers import ROOT
from core.ops import tally
from statemachine.reactions import machines
from tests.architecture.floors import HOUSE

type Samples = Mapping[str, list[dict[str, str]]]
OUTCOMES = {"ok", "refused", "unavailable", "error"}
AREAS = {"console", "api", "other"}


def looked_up(collectors: list[Any]) -> Samples:
    """The labels of each sample of what is looked up at the scrape, by name."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for family in registry.collect():
        for sample in family.samples:
            found[sample.name].append(dict(sample.labels))
    return found


@cache
def tallied() -> Mapping[str, frozenset[str]]:
    """The labels of what is tallied, by the names that /metrics gives it: read from where it is counted."""
    found: dict[str, frozenset[str]] = {}
    for name, labels in _counted():
        plain = f"runsheet_{name}"
        if name in tally.BOUNDS_S:
            found |= {f"{plain}_sum": labels, f"{plain}_count": labels, f"{plain}_bucket": labels | {"le"}}
        else:
            found[f"{plain}_total"] = labels
    assert {name for name, _ in _counted()} == set(metrics.HELP)
    return found


def can_stand(label: str, value: str) -> bool:
    """Whether a label of what is tallied can have that value."""
    by_machine = {model._meta.label_lower: {value for value, _ in _states(model)} for model in machines()}
    if label in {"code", "outcome"} and failure_of(value) is not RunsheetError:
        return True
    known = {
        "machine": set(by_machine),
        "state": set().union(*by_machine.values()),
        "outcome": OUTCOMES,
        "area": AREAS,
        "queue": set(settings.RQ_QUEUES),
        "actor": {"user", "worker", "reconciler"},
    }
    return value in known.get(label, set())


def _states(model: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = model._meta.get_field("state").flatchoices
    return found


@cache
def _counted() -> list[tuple[str, frozenset[str]]]:
    return [found for path in _sources() for found in _counts_in(ast.parse(path.read_text()))]


def _sources() -> Iterator[Any]:
    for package in HOUSE:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "tally." in path.read_text():
                yield path


def _counts_in(code: ast.AST) -> Iterator[tuple[str, frozenset[str]]]:
    for node in ast.walk(code):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="tally"), attr="count" | "observe"),
                args=[ast.Constant(value=str(name)), *_],
                keywords=keywords,
            ):
                yield name, frozenset(keyword.arg for keyword in keywords if keyword.arg)

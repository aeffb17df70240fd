"""What stands in deploy/: the rules, the dashboard, and the queries of both, taken apart as far as names and labels go."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from core.local.servers import ROOT

PROMETHEUS = ROOT / "deploy/prometheus"
RULES, CASES = PROMETHEUS / "rules.yml", PROMETHEUS / "rules_test.yml"
DASHBOARD = ROOT / "deploy/grafana/runsheet.json"
# Prometheus's own; of the second only what is told of alerts of ours.
BUILT_IN = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
FUNCTIONS = frozenset(
    [
        "absent",
        "and",
        "by",
        "count",
        "delta",
        "histogram_quantile",
        "ignoring",
        "increase",
        "max",
        "min",
        "on",
        "or",
        "rate",
        "round",
        "sum",
        "time",
        "vector",
    ]
)
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTOR = re.compile(r"\b([a-zA-Z_]\w*)\s*\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|on|ignoring)\s*\(([^)]*)\)")
WORD = re.compile(r"(?<![\w.])[a-zA-Z_]\w*")
SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Selector:
    """What a query asks for.

    Attributes:
        matchers: label, how it is compared, with what.
    """

    name: str
    matchers: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    Attributes:
        where: what it is for.
        labels: by which it groups or joins, and that are shown beside its values.
    """

    where: str
    text: str
    labels: frozenset[str] = field(default=frozenset())

    @property
    def selectors(self) -> list[Selector]:
        """All of them; those without braces, too."""
        found = [Selector(name, tuple(MATCHER.findall(inside))) for name, inside in SELECTOR.findall(self.text)]
        bare = GROUPING.sub(" ", SELECTOR.sub(" ", STRING.sub(" ", self.text)))
        return found + [Selector(word) for word in WORD.findall(bare) if word not in FUNCTIONS]

    @property
    def groups(self) -> set[str]:
        return {label.strip() for group in GROUPING.findall(self.text) for label in group.split(",")} - {""}


@cache
def rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in YAML(typ="safe").load(RULES)["groups"] for rule in group["rules"]]


@cache
def cases() -> list[dict[str, Any]]:
    """What `promtool test rules` looks at: each alert at some time."""
    return [case for test in YAML(typ="safe").load(CASES)["tests"] for case in test["alert_rule_test"]]


@cache
def dashboard() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def queries_of_rules() -> list[Query]:
    return [Query(rule["alert"], rule["expr"], _shown(rule["annotations"]["summary"])) for rule in rules()]


def queries_of_dashboard() -> list[Query]:
    return [
        Query(panel["title"], target["expr"], _shown(target["legendFormat"]))
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def recording(queries: list[Query]) -> Iterator[str]:
    """The queries as rules, for promtool to read."""
    yield "groups: [{name: queries, rules: ["
    yield from (f"{{record: q{number}, expr: {json.dumps(query.text)}}}," for number, query in enumerate(queries))
    yield "]}]"


def _shown(text: str) -> frozenset[str]:
    return frozenset(SHOWN.findall(text))

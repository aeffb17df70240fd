"""Whatever the rules and the dashboard ask for, /metrics tells: each metric, each label, and what stands in it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from redis import Redis

from cloud.metrics import ConnectionCollector
from cloud.models import DropboxAccount
from core.base.clock import now
from core.http import metrics
from core.local.servers import ROOT
from core.ops import last_backup, replica
from core.ops.last_backup import BackupCollector
from core.ops.postgres import PostgresCollector
from core.ops.probes import Probe
from core.ops.replica import ReplicaCollector, Standing
from discovery.metrics import ArchiveCollector
from statemachine import heartbeat
from statemachine.metrics import EngineCollector, WritingCollector
from tests.deploy import exposed, manifests, reading
from tests.deploy.reading import Query, Selector
from tests.factories import account as unsaved
from tests.factories import configured, settled, watched
from tests.storage.conftest import Index
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db
QUERIES = [*reading.queries_of_rules(), *reading.queries_of_dashboard(), *manifests.queries_of_scaling()]


@pytest.fixture
def told(redis: Redis, tree: Tree, index: Index, monkeypatch: pytest.MonkeyPatch) -> exposed.Samples:
    """Everything that is looked up at a scrape, of a house in which there is some of each."""
    heartbeat.beat(heartbeat.RECONCILER)
    tree.put("7/a.pdf")
    index()
    operator = User.objects.create(username="olivia")
    unsaved(user=operator).save()
    configured()
    settled(operator)
    watched(DropboxAccount.objects.get(), read_at=now() - timedelta(minutes=2))
    further = [make() for make in metrics._further.values()]
    monkeypatch.setattr(replica, "is_configured", lambda: True)
    of_replica = ReplicaCollector(Probe(lambda: Standing(lag_s=0.1, has_own=True)))
    last_backup.note("20260101-000000", made_at=now())
    always = [EngineCollector(), WritingCollector(), PostgresCollector(), BackupCollector(), of_replica]
    return exposed.looked_up([*always, *further])


def faults(selector: Selector, told: exposed.Samples) -> list[str]:
    if selector.name in reading.BUILT_IN:
        return [label for label, _, _ in selector.matchers if label not in reading.BUILT_IN[selector.name]]
    if selector.name in told:
        found = [labels for labels in told[selector.name] if all(fits(labels, *each) for each in selector.matchers)]
        return [] if found else [f"{selector}: nothing fits, of {told[selector.name]}"]
    if selector.name not in exposed.tallied():
        return [f"{selector.name}: /metrics does not tell it"]
    return [
        f"{selector}: {label} is never “{value}”"
        for label, _, values in selector.matchers
        for value in values.split("|")
        if label not in exposed.tallied()[selector.name] or not exposed.can_stand(label, value)
    ]


def fits(labels: dict[str, str], label: str, how: str, value: str) -> bool:
    """As Prometheus compares; a label that is not there would be empty, which nobody asks for."""
    if label not in labels:
        return False
    is_same = re.fullmatch(value, labels[label]) is not None if "~" in how else labels[label] == value
    return is_same != how.startswith("!")


def labels_of(query: Query, told: exposed.Samples) -> set[str]:
    known: set[str] = {"value"}
    for selector in query.selectors:
        known |= reading.BUILT_IN.get(selector.name, set()) | exposed.tallied().get(selector.name, frozenset())
        known |= {label for labels in told.get(selector.name, []) for label in labels}
    return known


class TestQueries:
    def test_ask_for_what_is_told(self, told: exposed.Samples) -> None:
        assert [
            f"{query.where}: {fault}" for query in QUERIES for each in query.selectors for fault in faults(each, told)
        ] == []

    def test_group_by_labels_that_there_are(self, told: exposed.Samples) -> None:
        assert [
            (query.where, query.groups - labels_of(query, told))
            for query in QUERIES
            if query.groups - labels_of(query, told)
        ] == []

    def test_show_labels_that_there_are(self, told: exposed.Samples) -> None:
        assert [
            (query.where, query.labels - labels_of(query, told))
            for query in QUERIES
            if query.labels - labels_of(query, told)
        ] == []

    def test_of_a_misspelled_one_say_so(self, told: exposed.Samples) -> None:
        wrong = (
            "runsheet_ups",
            'runsheet_up{part="redi"}',
            'runsheet_up{parts="redis"}',
            'runsheet_tries_total{machine="leases.leases"}',
            'runsheet_tries_given_up_total{code=~"bug|krashed"}',
            "sun(runsheet_up)",
        )

        assert [text for text in wrong if not any(faults(each, told) for each in Query("", text).selectors)] == []

    def test_every_figure_that_is_told_is_explained(self, told: exposed.Samples) -> None:
        documented = set(re.findall(r"`(runsheet_\w+)`", (ROOT / "docs/observability.md").read_text()))
        names = {re.sub(r"_(sum|count|bucket)$", "", name) for name in exposed.tallied()} | set(told)

        assert names - documented == set()


def test_the_collectors_are_those_of_the_view() -> None:
    assert {"connections", "quotas", "storage", "place", "archives"} == set(metrics._further)
    assert metrics._further["connections"] is ConnectionCollector
    assert metrics._further["archives"] is ArchiveCollector

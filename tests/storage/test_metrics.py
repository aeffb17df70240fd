"""What the index tells of each root at a scrape."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from core.ops.probes import Probe
from storage import metrics
from storage.models import IndexRun
from tests.storage.conftest import Index
from tests.storage.trees import Tree

TOKEN = "scrape-me-if-you-can"


@pytest.fixture(autouse=True)
def token(settings: Any, tree: Tree) -> None:
    settings.METRICS_TOKEN = TOKEN


def told(client: Client) -> dict[str, float]:
    """What is told of “documents”, by the end of the name."""
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    samples = [each for family in text_string_to_metric_families(answer.text) for each in family.samples]
    ours = [each for each in samples if each.name.startswith("runsheet_storage_")]
    assert all(each.labels == {"root": "documents"} for each in ours)
    return {each.name.removeprefix("runsheet_storage_"): each.value for each in ours}


def test_of_a_root_that_was_never_looked_at_there_is_little(client: Client) -> None:
    found = told(client)

    assert found.pop("room_bytes") > 0
    assert found == {"missing_files": 0, "stuck": 0, "reachable": 1}


def test_the_last_comparison_of_all_tells(client: Client, tree: Tree, index: Index) -> None:
    tree.put("7/a.pdf", "7/b.pdf", text="12345")
    tree.link("7/link", "/nowhere")
    index()
    tree.remove("7/b.pdf")
    index()
    tree.put("7/c.pdf")
    index(incremental=True)
    index(user_id=7)
    IndexRun.objects.update(entered_at=F("entered_at") - timedelta(hours=2))

    found = told(client)

    assert 7_200 <= found.pop("looked_age_seconds") < 7_260
    found = {name: value for name, value in found.items() if name not in {"room_bytes", "reachable"}}
    assert found == {
        "files": 1,
        "bytes": 5,
        "differences": 2,
        "anomalies": 1,
        "errors": 0,
        "missing_files": 1,
        "stuck": 0,
    }


def test_a_run_that_comes_to_no_end_is_told(client: Client, tree: Tree, index: Index) -> None:
    index()
    tree.path.rename(tree.path.with_name("away"))
    index()

    assert told(client)["stuck"] == 1


def test_the_number_of_questions_does_not_grow(
    client: Client, tree: Tree, index: Index, settings: Any, django_assert_num_queries: Any
) -> None:
    index()
    settings.STORAGE_ROOTS = {
        **settings.STORAGE_ROOTS,
        **{f"r{n}": {"kind": "files", "path": tree.path} for n in range(9)},
    }

    with django_assert_num_queries(5):
        list(metrics.StorageCollector().collect())


def test_a_database_that_is_away_costs_the_rest_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[Any]:
        raise OperationalError("gone")

    monkeypatch.setattr(metrics, "standing", away)

    assert set(told(client)) == {"reachable", "room_bytes"}


def place(settings: Any, **options: Any) -> None:
    of = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"documents": of}


def test_the_room_is_what_may_be_added(client: Client, tree: Tree, settings: Any) -> None:
    place(settings, directory=str(tree.path))
    all_of_it = told(client)["room_bytes"]

    place(settings, directory=str(tree.path), free_bytes=10**15)

    assert told(client)["room_bytes"] == pytest.approx(all_of_it - 10**15, abs=10**9)


def test_a_place_that_is_away_is_told(client: Client, tree: Tree, settings: Any) -> None:
    place(settings, directory=str(tree.path / "not mounted"))

    found = told(client)

    assert found["reachable"] == 0
    assert "room_bytes" not in found


def test_a_place_that_hangs_does_not_let_the_scrape_hang(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    over = Event()
    monkeypatch.setattr(metrics, "PATIENCE_S", 0.01)
    monkeypatch.setattr(metrics, "_place", Probe(lambda: over.wait(60) and None))

    found = told(client)
    over.set()

    assert found["reachable"] == 0

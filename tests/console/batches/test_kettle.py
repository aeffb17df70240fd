"""Many records run together, of a kind that the console knows only by its declaration (tests/toy/admin.py)."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.urls import resolve

from console.records.sent import Sent, told
from leases.batches import import_leases
from leases.models import Lease
from statemachine.batches import run_many, stop
from tests.console.conftest import page_of
from tests.questions import question_of
from tests.roles import in_role
from tests.toy.models import Batch, Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST, HISTORY = "/admin/toy/kettle/", "/admin/toy/batch/"


@pytest.fixture
def batch(cook: User) -> Batch:
    """Of three kettles, none of which has begun."""
    for label in ("Copper", "Tin", "Enamel"):
        Kettle.objects.create(label=label, due_at=None)
    found = run_many(Kettle.objects.all(), cook)
    assert isinstance(found, Batch)
    return found


def shown(client: Client, batch: Batch) -> Any:
    return client.get(f"{HISTORY}{batch.pk}/change/")


def post(client: Client, batch: Batch, name: str, **form: Any) -> Any:
    return client.post(f"{HISTORY}{batch.pk}/{name}/", form, follow=True)


def now_in(label: str, state: str, **values: Any) -> None:
    """The kettle has been worked on, and nothing is owed for it any more."""
    Kettle.objects.filter(label=label).update(**{"state": state, "generation": 1, "due_at": None, **values})


class TestRunning:
    def test_keeps_together_what_was_chosen_in_the_list(self, kitchen: Client) -> None:
        chosen = [Kettle.objects.create(due_at=None).pk for _ in range(2)]
        form = {"action": "run_chosen", "_selected_action": chosen, "index": "0"}
        asked = question_of(kitchen, kitchen.post(LIST, form))

        answer = kitchen.post(LIST, form | {"confirmed": asked.context["plan"].which}, follow=True)

        assert "<strong>2 kettles</strong> will be switched on" in asked.text
        assert "<h1>Run of 2 kettles</h1>" in answer.text
        assert "0 of 2 kettles settled, 2 waiting." in answer.text


class TestPage:
    def test_counts_the_records_and_leads_to_them(self, kitchen: Client, batch: Batch) -> None:
        now_in("Copper", "ready")
        now_in("Tin", "broken", failure_code="no_water")

        answer = shown(kitchen, batch)

        page = answer.context["page"]
        assert "2 of 3 kettles settled, 1 waiting." in answer.text
        assert [(count.label, count.count) for count in page.counts] == [("Waiting", 1), ("Ready", 1), ("Broken", 1)]
        assert 'aria-label="Kettles by state"' in answer.text
        assert ">1 kettle: no water</a>" in answer.text
        for count in (*page.counts, *page.failures):
            assert kitchen.get(count.url).context["cl"].result_count == count.count

    def test_follows_the_work_to_its_end(self, kitchen: Client, batch: Batch) -> None:
        found = re.search(r'data-poll="([^"]+)"', shown(kitchen, batch).text)
        assert found
        address = unescape(found[1])

        before = kitchen.get(address)
        for label in ("Copper", "Tin", "Enamel"):
            now_in(label, "ready")
        after = kitchen.get(address)

        assert before.status_code == 204
        assert 'data-say="All kettles of this batch are settled"' in after.text
        assert "data-poll" not in after.text

    def test_is_for_who_may_see_the_records(self, kitchen: Client, guest: User, batch: Batch) -> None:
        kitchen.force_login(guest)
        answer = shown(kitchen, batch)

        assert '<h2 id="batch-progress">0 % settled</h2>' in answer.text
        assert answer.context["page"].buttons == []

        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))
        assert shown(kitchen, batch).status_code == 403
        assert kitchen.get(f"{HISTORY}{batch.pk}/live/").status_code == 403

    def test_is_named_on_the_page_of_each_record(self, kitchen: Client, batch: Batch, cook: User) -> None:
        kettle = Kettle.objects.latest("pk")
        link = f'<a href="{HISTORY}{batch.pk}/change/">Run of 3 kettles</a>'

        before = page_of(kitchen, kettle).text
        stop(batch_id=batch.pk, user=cook)
        after = page_of(kitchen, kettle).text

        assert f"<dt>Imported or run with</dt><dd>{link}</dd>" in before
        assert f"cook stopped {link} before it was this kettle" in after


class TestButtons:
    def test_stop_it_and_run_what_did_not_run(self, kitchen: Client, batch: Batch) -> None:
        now_in("Copper", "ready")

        stopped = post(kitchen, batch, "stop", expected="2")
        owed = Kettle.objects.filter(due_at__isnull=False).count()
        again = post(kitchen, batch, "again", state="cold", expected="2")

        assert "Stopped: 2 kettles." in stopped.text
        assert "Stopped: 1 of 3 kettles settled, 2 did not run." in stopped.text
        assert "Run the 2 that were not run</button>" in stopped.text
        assert owed == 0
        assert "Started: 2 kettles. They run a few at a time." in again.text
        assert Kettle.objects.filter(due_at__isnull=False).count() == 2

    def test_do_not_stop_it_for_who_may_only_start_records(
        self, kitchen: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert [each.label for each in shown(kitchen, batch).context["page"].buttons] == ["Stop 3"]
        for way in Kettle._transitions("cancel"):
            monkeypatch.setattr(way, "permission", "toy.clean")

        assert shown(kitchen, batch).context["page"].buttons == []

    def test_run_again_what_failed(self, kitchen: Client, batch: Batch) -> None:
        now_in("Copper", "broken", failure_code="no_water")

        page = shown(kitchen, batch).text
        answer = post(kitchen, batch, "again", state="broken", expected="1")

        assert "Run 1 failed again</button>" in page
        assert "Started: 1 kettle." in answer.text
        assert Kettle.objects.filter(due_at__isnull=False).count() == 3

    @pytest.mark.parametrize("name", ["stop", "again"])
    def test_are_for_who_may_run_the_records(self, kitchen: Client, guest: User, batch: Batch, name: str) -> None:
        kitchen.force_login(guest)

        assert post(kitchen, batch, name).status_code == 403
        assert Kettle.objects.filter(due_at__isnull=False).count() == 3

    @pytest.mark.parametrize("name", ["stop", "again"])
    def test_leave_another_machines_batch_alone(self, kitchen: Client, cook: User, name: str) -> None:
        """Though the person may run the other machine's records, too."""
        cook.user_permissions.add(Permission.objects.get(codename="run_discovery"))
        other = import_leases(leases=[("BLM", "NMNM 1")], user=in_role("Operator"), title="leases.csv")

        answer = kitchen.post(f"{HISTORY}{other.pk}/{name}/", {"state": "cold"}, follow=True)

        assert "This batch no longer exists." in answer.text
        assert Lease.objects.get().due_at is not None
        other.refresh_from_db()
        assert other.stopped_at is None

    def test_are_told_after_a_login(self, kitchen: Client, cook: User, batch: Batch, rf: RequestFactory) -> None:
        url = f"{HISTORY}{batch.pk}/again/"
        request = rf.post(url)
        request.user, request.resolver_match = cook, resolve(url)

        found = told(request, QueryDict("expected=3&state=cold"), admin.site._registry)

        assert found == Sent(what="Run what was not run", facts=(("Batch", "Run of 3 kettles"), ("Kettles", "3")))


class TestHistory:
    def test_tells_how_each_batch_stands(self, kitchen: Client, batch: Batch, cook: User) -> None:
        under_way = kitchen.get(HISTORY).text
        stop(batch_id=batch.pk, user=cook)

        text = kitchen.get(HISTORY).text

        assert "<title>Runs of kettles" in text
        assert '<td data-label="Kettles" class="field-taken">3</td>' in text
        assert ">under way<" in under_way
        assert ">stopped by cook<" in text

    def test_says_how_to_begin(self, kitchen: Client) -> None:
        text = kitchen.get(HISTORY).text

        assert "Nothing has been run in bulk yet" in text
        assert f'Choose kettles in the <a href="{LIST}">list of kettles</a> and run them together.' in text

"""What can be done with many records of a kind that the console knows only by its declaration."""

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from openpyxl import load_workbook

from console.records import exports
from console.records.lists import CHANGED
from statemachine.transitions import Actor, Step, take
from tests.console.machine.lists.test_list import LATER, LIST, made
from tests.questions import question_of
from tests.toy.models import Batch, Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def choose(client: Client, action: str, *, follow: bool = False, **form: Any) -> Any:
    """Do it with all the kettles, and go to the question, if there is one."""
    chosen = list(Kettle.objects.values_list("pk", flat=True))
    given = {"action": action, "_selected_action": chosen, "index": "0", **form}
    return question_of(client, client.post(LIST, given, follow=follow))


def read(kind: str, answer: Any) -> list[dict[str, Any]]:
    content = answer.getvalue()
    if kind == "json":
        return list(json.loads(content))
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    header, *rows = load_workbook(io.BytesIO(content))["Kettles"].values
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


@pytest.mark.parametrize("kind", exports.KINDS)
class TestFiles:
    def test_hold_the_declared_columns_of_what_is_listed(self, kitchen: Client, kind: str) -> None:
        made("other", state="ready")
        made("=1+1", state="broken", failure_code="no_water", tries=2)

        answer = kitchen.get(f"{LIST}download/{kind}/", {"state__exact": "broken"})

        assert 'filename="kettles-20' in answer["Content-Disposition"]
        [row] = read(kind, answer)
        assert [name.partition(" (UTC")[0] for name in row] == ["Label", "State", "Failure", "Tries", "Last change"]
        assert row["Label"] == ("=1+1" if kind == "json" else "'=1+1")
        assert (row["State"], row["Failure"]) == ("Broken", "no_water")

    def test_hold_the_ticked_ones(self, kitchen: Client, kind: str) -> None:
        made("1")
        made("2")

        assert [str(row["Label"]) for row in read(kind, choose(kitchen, f"download_{kind}"))] == ["2", "1"]

    def test_are_for_who_may_look(self, kitchen: Client, kind: str) -> None:
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert kitchen.get(f"{LIST}download/{kind}/").status_code == 403


class TestAWorkbook:
    def test_of_too_many_is_refused_in_the_words_of_the_list(
        self, kitchen: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exports, "XLSX_AT_MOST", 1)
        made("1")
        made("2")

        answer = kitchen.get(f"{LIST}download/xlsx/", follow=True)

        assert "An XLSX file holds at most 1 kettles. Narrow the list, or take CSV." in answer.text
        assert "An XLSX file holds at most 1 kettles." in choose(kitchen, "download_xlsx", follow=True).text


class TestDeleting:
    def test_asks_with_the_number_and_the_states(self, kitchen: Client) -> None:
        made("1", state="heating", due_at=LATER)
        made("2")

        text = choose(kitchen, "delete_selected").text

        assert "<strong>2 kettles</strong> will be deleted. That cannot be undone.</p>" in text
        assert "1 of them is under way or waiting for a run, which ends with it." in text
        assert 'class="state is-working"' in text
        assert "Delete 2 kettles</button>" in text
        assert Kettle.objects.count() == 2

    def test_does_what_was_confirmed(self, kitchen: Client) -> None:
        made("1")
        which = choose(kitchen, "delete_selected").context["which"]

        answer = choose(kitchen, "delete_selected", confirmed=which, follow=True)

        assert "Deleted: 1 kettle." in answer.text
        assert not Kettle.objects.exists()

    @pytest.mark.parametrize("meanwhile", ["renamed", "somebody's", "switched on"])
    def test_asks_again_if_they_are_something_else_by_now(self, kitchen: Client, cook: User, meanwhile: str) -> None:
        kettle = made("1")
        which = choose(kitchen, "delete_selected").context["which"]
        changed = Kettle.objects.filter(pk=kettle.pk)
        if meanwhile == "renamed":
            changed.update(label="2")
        elif meanwhile == "somebody's":
            changed.update(initiated_by=cook)
        else:
            take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))
            changed.update(initiated_by=None)

        answer = choose(kitchen, "delete_selected", confirmed=which)

        assert CHANGED in answer.text
        assert Kettle.objects.exists()


class TestRunning:
    def test_asks_with_the_number_and_the_declared_facts(self, kitchen: Client) -> None:
        made("1")
        made("2", state="heating", due_at=LATER)

        text = choose(kitchen, "run_chosen").text

        assert "<strong>1 kettle</strong> will be boiled; 1 of the 2 you chose is under way already" in text
        assert "<dt>Water</dt><dd>1 l</dd>" in text
        assert "Run 1 kettle</button>" in text
        assert '<li aria-current="page">Boil</li>' in text

    def test_starts_what_was_confirmed_and_leads_to_what_is_kept_of_it(self, kitchen: Client, cook: User) -> None:
        kettle = made("1")
        which = choose(kitchen, "run_chosen").context["plan"].which

        answer = choose(kitchen, "run_chosen", confirmed=which)

        kettle = Kettle.objects.get(pk=kettle.pk)
        assert answer["Location"] == f"/admin/toy/batch/{Batch.objects.get().pk}/change/"
        assert (kettle.is_owed, kettle.initiated_by) == (True, cook)

    @pytest.mark.parametrize("confirmed", ["", "9:9"])
    def test_asks_again_what_was_never_asked(self, kitchen: Client, confirmed: str) -> None:
        made("1")

        answer = choose(kitchen, "run_chosen", confirmed=confirmed)

        assert CHANGED in answer.text
        assert not Kettle.objects.filter(due_at__isnull=False).exists()

    def test_has_nothing_to_start_where_all_are_under_way(self, kitchen: Client) -> None:
        made("1", due_at=LATER)

        assert "The kettle that you chose is under way already" in choose(kitchen, "run_chosen", confirmed="").text
        made("2", due_at=LATER)
        assert "All the kettles that you chose are under way already" in choose(kitchen, "run_chosen").text

    def test_is_offered_to_who_may_start_one(self, kitchen: Client, guest: User) -> None:
        made("1")
        assert '<option value="run_chosen">Boil …</option>' in kitchen.get(LIST).text

        kitchen.force_login(guest)

        assert "run_chosen" not in kitchen.get(LIST).text

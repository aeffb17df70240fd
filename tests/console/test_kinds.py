"""What a kind of record puts into the console by its declaration, which touches nothing but its own app."""

from dataclasses import replace

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from console import kinds
from console.machine.badges import state_badge
from console.shell import navigation
from tests.toy.admin import KETTLES
from tests.toy.models import Batch, Kettle, State

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/toy/kettle/"


class TestPlace:
    def test_stands_in_the_navigation_of_every_page(self, kitchen: Client) -> None:
        assert f'<a href="{LIST}">Kettles</a>' in kitchen.get("/admin/").text

    @pytest.mark.parametrize("address", [LIST, "/admin/toy/batch/"])
    def test_is_where_its_pages_are(self, kitchen: Client, address: str) -> None:
        assert 'aria-current="page">Kettles</a>' in kitchen.get(address).text

    def test_is_for_who_may_see_the_records(self, kitchen: Client) -> None:
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert LIST not in kitchen.get("/admin/").text


class TestPlaceWithinAnother:
    @pytest.mark.parametrize("address", [LIST, "/admin/toy/batch/"])
    def test_is_where_its_pages_are_and_there_is_none_of_its_own(
        self, kitchen: Client, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        within = replace(KETTLES, within="admin:auth_user_changelist")
        monkeypatch.setitem(navigation._FRAMES, "toy.kettle", kinds._frame(within))
        kitchen.force_login(User.objects.create_superuser("boss"))

        text = kitchen.get(address).text

        assert 'aria-current="page">People</a>' in text
        assert ">Kettles</a>" not in text.partition("</nav>")[0]


class TestColours:
    @pytest.mark.usefixtures("kitchen")
    @pytest.mark.parametrize(
        ("state", "colour"),
        [
            (State.COLD, "state-cold"),
            (State.HEATING, "is-working"),
            (State.STEEPING, "is-working"),
            (State.READY, "is-ended"),
            (State.BROKEN, "is-failed"),
        ],
    )
    def test_follow_from_what_a_state_is_for(self, state: str, colour: str) -> None:
        assert f'<span class="state {colour}">' in state_badge(Kettle, state)

    @pytest.mark.usefixtures("kitchen")
    def test_are_others_where_the_kind_says_so(self) -> None:
        admin.site.unregister([Kettle, Batch])
        kinds.put(replace(KETTLES, colours={State.COLD: "state-found"}))

        assert '<span class="state state-found">' in state_badge(Kettle, State.COLD)
        assert '<span class="state is-failed">' in state_badge(Kettle, State.BROKEN)


class TestTally:
    def test_stands_on_the_start_page_and_leads_to_what_it_counts(self, kitchen: Client) -> None:
        for litres in (0, 0, 3):
            Kettle.objects.create(litres=litres, due_at=None)

        text = kitchen.get("/admin/").text

        url = f"{LIST}?water=empty"
        assert f'<a href="{url}"><span>Empty kettles</span> <strong>2</strong></a>' in text
        assert kitchen.get(url).context["cl"].result_count == 2

    def test_is_for_who_may_see_the_records(self, kitchen: Client) -> None:
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert "Empty kettles" not in kitchen.get("/admin/").text


class TestFilter:
    def test_of_its_own_narrows_the_list(self, kitchen: Client) -> None:
        Kettle.objects.create(label="full", litres=3, due_at=None)
        Kettle.objects.create(label="empty", due_at=None)

        found = kitchen.get(LIST, {"water": "filled"})

        assert [kettle.label for kettle in found.context["cl"].result_list] == ["full"]
        assert "By water" in found.text

    def test_refuses_what_it_does_not_know(self, kitchen: Client) -> None:
        assert kitchen.get(LIST, {"water": "wine"})["Location"] == f"{LIST}?e=1"


class TestFile:
    def test_has_the_columns_of_every_machine_and_its_own(self, kitchen: Client) -> None:
        Kettle.objects.create(label="Copper", litres=3, due_at=None)

        [heading, row] = kitchen.get(f"{LIST}download/csv/").getvalue().decode("utf-8-sig").splitlines()

        assert (heading.split(",")[0], heading.split(",")[-1]) == ("Name", "Litres")
        assert (row.split(",")[0], row.split(",")[-1]) == ("Copper", "3")

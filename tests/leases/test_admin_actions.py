"""The buttons of a lease, and every hand-made POST that must not do what they would not offer."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from cloud.models import CloudLocation
from leases import buttons, services
from leases.models import Lease
from statemachine.errors import RecordGone, Stale
from statemachine.models import TransitionLog
from tests.factories import known_directory, settled
from tests.leases.test_services import history

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

BUTTONS = ["discover", "search", "detect", "make", "stop"]
LABELS = {button.name: button.label for button in buttons.BUTTONS}
NO_PERMISSION = "You do not have the permission to start and stop discovery. Ask an administrator."


@pytest.fixture
def operator(viewer: User) -> User:
    """May look at leases and run discovery, but not change what they are."""
    viewer.user_permissions.add(Permission.objects.get(codename="run_discovery"))
    return viewer


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def action_url(lease: Lease, name: str) -> str:
    return f"/admin/leases/lease/{lease.pk}/{name}/"


def change_url(lease: Lease) -> str:
    return reverse("admin:leases_lease_change", args=[lease.pk])


def press(client: Client, lease: Lease, name: str, **changed: Any) -> Any:
    """Press a button that was drawn for the lease as it is now."""
    generation = Lease.objects.get(pk=lease.pk).generation
    return client.post(action_url(lease, name), {"generation": generation, **changed}, follow=True)


def offered(client: Client, lease: Lease) -> dict[str, str]:
    """Why each button is absent; empty when it is there."""
    panel = client.get(change_url(lease)).context["panel"]
    return {offer.button.name: offer.why_absent for offer in panel.offers}


def untouched(lease: Lease) -> bool:
    now = Lease.objects.filter(pk=lease.pk).values().get()
    return now == {name: getattr(lease, name) for name in now} and not TransitionLog.objects.exists()


class TestButtons:
    @pytest.mark.parametrize(
        ("name", "state", "expected"),
        [
            ("discover", "failed", ("searching", True)),
            ("search", "failed", ("searching", False)),
            ("detect", "found", ("detecting", True)),
            ("stop", "searching", ("pending", True)),
        ],
    )
    def test_do_what_they_say(
        self, console: Client, operator: User, name: str, state: str, expected: tuple[str, bool]
    ) -> None:
        lease = settled(
            operator, state=state, runsheet_directory=known_directory(), failure_code="x", due_at="2100-01-01T00:00Z"
        )

        answer = press(console, lease, name)

        after = Lease.objects.get()
        assert answer.redirect_chain == [(change_url(lease), 302)]
        told = "stopped." if name == "stop" else f"“{LABELS[name]}” was started."
        assert f"BLM NMNM 1: {told}" in answer.text
        assert (after.state, after.follow_through) == expected
        assert TransitionLog.objects.of(after).get().actor == operator

    def test_are_small_forms_with_what_the_person_saw(self, console: Client, operator: User) -> None:
        lease = settled(operator, state="done", generation=1234, runsheet_directory=known_directory())

        text = console.get(change_url(lease)).text

        for name in ("discover", "search", "detect"):
            assert f'<form method="post" action="{action_url(lease, name)}">' in text
        assert text.count('<input type="hidden" name="generation" value="1234">') == 3

    def test_are_the_five_and_no_other(self) -> None:
        assert list(LABELS) == BUTTONS

    @pytest.mark.parametrize(
        ("state", "absent"),
        [
            ("pending", {"detect": "No archive directory is known", "stop": "nothing is under way"}),
            ("searching", {"discover": "stop that first", "search": "stop that first", "detect": "stop that first"}),
            ("found", {"stop": "nothing is under way"}),
            ("not_found", {"detect": "No archive directory is known", "stop": "nothing is under way"}),
            ("detecting", {"discover": "stop that first", "search": "stop that first", "detect": "stop that first"}),
            ("done", {"stop": "nothing is under way"}),
            ("failed", {"stop": "nothing is under way"}),
        ],
    )
    def test_are_absent_for_a_reason_that_is_told(
        self, console: Client, operator: User, state: str, absent: dict[str, str]
    ) -> None:
        location = None if state in {"pending", "not_found"} else known_directory()
        values = {"state": state, "runsheet_directory": location, "failure_code": "x", "due_at": "2100-01-01T00:00Z"}
        lease = settled(operator, **values)

        found = offered(console, lease)

        assert {name for name, why in found.items() if why} == absent.keys()
        assert all(words in found[name] for name, words in absent.items())

    @pytest.mark.parametrize("state", ["found", "done", "failed"])
    def test_offer_no_detection_without_a_directory(self, console: Client, operator: User, state: str) -> None:
        lease = settled(operator, state=state, failure_code="x")

        assert offered(console, lease)["detect"] == (
            "No archive directory is known for this lease. Search for it first."
        )

    def test_send_a_stopped_lease_to_its_search_first(self, console: Client, operator: User) -> None:
        lease = settled(operator, runsheet_directory=known_directory())

        assert offered(console, lease)["detect"] == (
            "Not possible while the lease is “Pending”. Search for the directory first."
        )

    @pytest.mark.parametrize("state", ["pending", "searching", "done"])
    def test_are_all_absent_for_who_may_only_look(self, client: Client, viewer: User, state: str) -> None:
        lease = settled(viewer, state=state, due_at="2100-01-01T00:00Z")
        client.force_login(viewer)

        page = client.get(change_url(lease))

        assert [offer.why_absent for offer in page.context["panel"].offers] == [NO_PERMISSION] * 4
        assert page.text.count(NO_PERMISSION) == 4
        assert 'name="generation"' not in page.text


class TestHandMadePost:
    def test_without_the_permission_is_refused_also_if_the_lease_moved_on(self, client: Client, viewer: User) -> None:
        lease = settled(viewer, state="done", generation=7)
        client.force_login(viewer)

        assert client.post(f"/admin/leases/lease/{lease.pk}/discover/", {"generation": 6}).status_code == 403

    @pytest.mark.parametrize("name", BUTTONS)
    def test_without_the_permission_does_nothing(self, client: Client, viewer: User, name: str) -> None:
        state = "searching" if name == "stop" else "done"
        lease = settled(viewer, state=state, runsheet_directory=known_directory(), due_at="2100-01-01T00:00Z")
        lease = Lease.objects.get()
        client.force_login(viewer)

        answer = press(client, lease, name)

        assert answer.status_code == 403
        assert untouched(lease)

    @pytest.mark.parametrize("name", BUTTONS)
    def test_with_change_permission_alone_does_nothing(self, client: Client, viewer: User, name: str) -> None:
        viewer.user_permissions.add(Permission.objects.get(codename="change_lease"))
        state = "searching" if name == "stop" else "done"
        settled(viewer, state=state, runsheet_directory=known_directory(), due_at="2100-01-01T00:00Z")
        lease = Lease.objects.get()
        client.force_login(viewer)

        answer = press(client, lease, name)

        assert answer.status_code == 403
        assert untouched(lease)

    def test_without_any_permission_on_leases_does_nothing(self, client: Client, olivia: User) -> None:
        settled(olivia, state="done")
        lease = Lease.objects.get()
        stranger = User.objects.create_user("stranger", is_staff=True)
        stranger.user_permissions.add(Permission.objects.get(codename="run_discovery"))
        client.force_login(stranger)

        answers = [press(client, lease, name).status_code for name in BUTTONS]

        assert answers == [403] * len(BUTTONS)
        assert client.get(change_url(lease)).status_code == 403
        assert untouched(lease)

    @pytest.mark.parametrize(
        "name",
        [
            "fail", "record_found", "record_not_found", "record_detection", "start_search", "start_detection", "cancel",
            "forget_result", "full_clean", "__class__", "save", "pk",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("state", ["searching", "done"])
    def test_of_anything_but_a_button_is_not_found(self, client: Client, olivia: User, name: str, state: str) -> None:
        settled(olivia, state=state, runsheet_directory=known_directory(), due_at="2100-01-01T00:00Z")
        lease = Lease.objects.get()
        client.force_login(olivia)

        answer = press(client, lease, name, code="x", message="x", location_id="1", matching_files="x")

        assert answer.status_code == 404
        assert untouched(lease)

    @pytest.mark.parametrize(
        ("name", "state"),
        [
            *((name, state) for name in ("discover", "search", "detect") for state in ("searching", "detecting")),
            *(("stop", state) for state in ("pending", "found", "not_found", "done", "failed")),
            ("detect", "pending"),
            ("detect", "not_found"),
            ("detect", "done"),
        ],
    )
    def test_in_the_wrong_state_is_told_and_does_nothing(
        self, console: Client, operator: User, name: str, state: str
    ) -> None:
        settled(operator, state=state, failure_code="x", due_at="2100-01-01T00:00Z")
        lease = Lease.objects.get()

        answer = press(console, lease, name)

        assert answer.redirect_chain == [(change_url(lease), 302)]
        assert [message.level_tag for message in answer.context["messages"]] == ["warning"]
        assert untouched(lease)

    @pytest.mark.parametrize("generation", ["4", "6", "", "x", "-1", "9" * 40, "5.0"])
    def test_of_what_was_seen_before_the_lease_moved_on_does_nothing(
        self, console: Client, operator: User, generation: str
    ) -> None:
        settled(operator, state="done", generation=5)
        lease = Lease.objects.get()

        answer = press(console, lease, "discover", generation=generation)

        assert [str(message) for message in answer.context["messages"]] == [Stale.sentence()]
        assert untouched(lease)

    def test_without_a_generation_does_nothing(self, console: Client, operator: User) -> None:
        settled(operator, state="done")
        lease = Lease.objects.get()

        answer = console.post(action_url(lease, "discover"), follow=True)

        assert [str(message) for message in answer.context["messages"]] == [Stale.sentence()]
        assert untouched(lease)

    def test_twice_does_it_once(self, console: Client, operator: User) -> None:
        lease = settled(operator, state="done")
        form = {"generation": lease.generation}

        console.post(action_url(lease, "discover"), form)
        console.post(action_url(lease, "discover"), form)

        assert history(lease) == [("start_search", "searching")]

    @pytest.mark.parametrize("pk", ["4711", "9" * 30, "0"])
    def test_for_a_lease_that_is_gone_leads_to_the_list(self, console: Client, pk: str) -> None:
        answer = console.post(f"/admin/leases/lease/{pk}/stop/", {"generation": "1"}, follow=True)

        assert answer.redirect_chain == [("/admin/leases/lease/", 302)]
        assert RecordGone.sentence() in answer.text

    def test_for_no_lease_at_all_is_no_error(self, console: Client) -> None:
        answer = console.post("/admin/leases/lease/../stop/", {"generation": "1"}, follow=True)

        assert answer.status_code < 500

    @pytest.mark.parametrize("name", BUTTONS)
    @pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
    def test_is_the_only_way(self, console: Client, operator: User, name: str, method: str) -> None:
        settled(operator, state="done")
        lease = Lease.objects.get()

        answer = getattr(console, method)(action_url(lease, name))

        assert answer.status_code == 405
        assert untouched(lease)

    def test_needs_the_token_against_forgery(self, operator: User) -> None:
        settled(operator, state="done")
        lease = Lease.objects.get()
        client = Client(enforce_csrf_checks=True)
        client.force_login(operator)

        answer = press(client, lease, "discover")

        assert answer.status_code == 403
        assert untouched(lease)

    def test_works_with_the_token_of_the_page(self, operator: User) -> None:
        lease = settled(operator, state="done")
        client = Client(enforce_csrf_checks=True)
        client.force_login(operator)
        token = str(client.get(change_url(lease)).context["csrf_token"])

        press(client, lease, "discover", csrfmiddlewaretoken=token)

        assert Lease.objects.get().state == "searching"

    @pytest.mark.parametrize("name", [*BUTTONS, "fail"])
    def test_by_nobody_leads_to_the_login(self, client: Client, olivia: User, name: str) -> None:
        settled(olivia, state="done")
        lease = Lease.objects.get()

        answer = client.post(action_url(lease, name), {"generation": 0})

        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")
        assert untouched(lease)

    def test_by_who_is_not_staff_leads_to_the_login(self, client: Client, olivia: User) -> None:
        settled(olivia, state="done")
        lease = Lease.objects.get()
        outsider = User.objects.create_user("outsider")
        outsider.user_permissions.add(*Permission.objects.filter(content_type__app_label="leases"))
        client.force_login(outsider)

        answer = client.post(action_url(lease, "discover"), {"generation": 0})

        assert answer["Location"].startswith("/admin/login/")
        assert untouched(lease)


class TestPermissionLostMeanwhile:
    def test_refuses_the_button_that_is_still_on_the_screen(self, console: Client, operator: User) -> None:
        lease = settled(operator, state="done")
        console.get(change_url(lease))
        operator.user_permissions.remove(Permission.objects.get(codename="run_discovery"))

        answer = press(console, lease, "discover")

        assert answer.status_code == 403
        assert Lease.objects.get().state == "done"


class TestDirectoryLostMeanwhile:
    def test_says_so(self, console: Client, operator: User) -> None:
        location = known_directory()
        lease = settled(operator, state="found", runsheet_directory=location)
        CloudLocation.objects.all().delete()

        answer = press(console, lease, "detect")

        assert "Search for it first." in answer.text
        assert Lease.objects.get().state == "found"


class TestStaleRun:
    def test_is_stopped_by_the_second_click(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        press(console, lease, "stop", generation=0)
        press(console, lease, "stop")

        assert Lease.objects.get().state == "pending"

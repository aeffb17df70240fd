"""Who may do what: every address that the project answers, and every transition, for everybody, by real requests.

A new address or transition without a row fails. Whether what is allowed does the right thing, other tests ask.
"""

import re
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from redis import Redis

from cloud.models import CloudLocation
from core.base.clock import now
from core.http.health import VIEWS
from core.settings.environment import TAKEN
from documents.models import Document
from leases.models import Lease
from leases.states import State
from statemachine.errors import TransitionForbidden
from statemachine.models import StateMachine, TransitionLog
from statemachine.reactions import machines
from statemachine.transitions import Actor, authorise
from tests.architecture.conftest import PAGES, PEOPLE, WALKED, Browsers, People, Things, chosen_by, concrete
from tests.architecture.matrix import ADDRESSES, ADMINISTRATOR, AT_PAGES, OPERATOR, SUPERUSER, TRANSITIONS
from tests.configuring import confirm
from tests.console.machine.dashboard.conftest import queue_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis", "unframed"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

# --- Addresses ------------------------------------------------------------------------------------------------------


def is_let_in(answer: Any) -> bool:
    """Neither refused nor sent to the login."""
    asked_to_log_in = answer.status_code == 302 and answer["Location"].startswith(reverse("admin:login"))
    return answer.status_code < 400 and not asked_to_log_in


OF_UPLOADS = "/batch/import/"
STORED = [model._meta.db_table for model in apps.get_models() if model._meta.managed and model is not Session]


def everything(redis: Redis) -> dict[str, Any]:
    """A fingerprint of what each table holds, but for what a session remembers; and what is queued."""
    rows = "SELECT md5(string_agg(each::text, ' ' ORDER BY each::text)) FROM {} AS each"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(rows.format(connection.ops.quote_name(table)) for table in STORED))
        prints = [print_ for (print_,) in cursor.fetchall()]
    return {**dict(zip(STORED, prints, strict=True)), "queue": queue_of(redis).job_ids}


def ask(client: Client, method: str, url: str, form: dict[str, Any]) -> bool:
    """Whether somebody is let in."""
    return is_let_in(client.get(url) if method == "get" else client.post(url, form))


def ask_and_undo(client: Client, method: str, url: str, form: dict[str, Any]) -> bool:
    """Whether somebody is let in. What it changes is undone, as far as it is in the database."""
    with transaction.atomic():
        if OF_UPLOADS in url:
            chosen_by(client)
        let_in = ask(client, method, url, form)
        transaction.set_rollback(True)
    return let_in


class TestAddresses:
    def test_are_the_ones_in_the_matrix(self) -> None:
        assert set(ADDRESSES) == set(PAGES)

    def test_are_nowhere_where_the_console_could_be_put(self) -> None:
        places = {address.partition("/")[0] for address in WALKED} | {url.split("/")[1] for url in VIEWS}

        assert places == {"", settings.ADMIN_PATH, *TAKEN} - {settings.STATIC_URL.strip("/")}

    @pytest.mark.matrix
    @pytest.mark.usefixtures("queued")
    @pytest.mark.parametrize("address", PAGES)
    def test_are_for_whom_the_matrix_says(self, browsers: Browsers, there: Things, redis: Redis, address: str) -> None:
        allowed = ADDRESSES[address]._asdict()
        url, form = concrete(address, there), {"post": "yes", "generation": 0}
        before = everything(redis)
        # Whose file it is, is written down for each.
        asked = ask_and_undo if OF_UPLOADS in url else ask

        let_in = {
            (method, name)
            for method, names in allowed.items()
            for name, client in browsers.items()
            if name not in names and asked(client, method, url, form)
        }
        assert let_in == set()
        assert everything(redis) == before

        for method, names in allowed.items():
            assert {name for name in names if ask_and_undo(browsers[name], method, url, form)} == names, method


# --- What a form does -----------------------------------------------------------------------------------------------

PATHS = dict.fromkeys(("runsheet_archive_base_path", "documents_base_path", "misc_index_base_path"), "/Elsewhere")
LEASE = {"agency": "BLM", "lease_number": "NMNM 5"}
# What is sent where, complete and right, and for whom it changes anything.
SENT: dict[str, tuple[str, dict[str, Any], frozenset[str]]] = {
    "a new lease": ("admin/leases/lease/add/", LEASE, OPERATOR),
    "a corrected lease": ("admin/leases/lease/<object_id>/change/", LEASE, OPERATOR),
    "a lease to delete": ("admin/leases/lease/<object_id>/delete/", {"post": "yes"}, ADMINISTRATOR),
    "leases to delete": ("admin/leases/lease/", {"action": "delete_selected"}, ADMINISTRATOR),
    "leases to run": ("admin/leases/lease/", {"action": "run_chosen"}, OPERATOR),
    "archives to make": ("admin/leases/lease/", {"action": "make_archives"}, OPERATOR),
    "a run": ("admin/leases/lease/<pk>/<name>/", {"generation": 0}, OPERATOR),
    "a new agency": (
        "admin/leases/agencystorageconfig/add/",
        {"agency": "NMSLO", "poll_minutes": "5", **PATHS},
        ADMINISTRATOR,
    ),
    "an agency's folder": (
        "admin/leases/agencystorageconfig/<object_id>/change/",
        {"agency": "BLM", "poll_minutes": "5", **PATHS},
        ADMINISTRATOR,
    ),
    "an agency to delete": ("admin/leases/agencystorageconfig/<object_id>/delete/", {"post": "yes"}, ADMINISTRATOR),
    "an archive to delete": ("admin/cloud/cloudlocation/<object_id>/delete/", {"post": "yes"}, ADMINISTRATOR),
    "leases to import": (
        "admin/leases/batch/import/<upload_id>/",
        {"number": "1", "agency": "0", "first_row": "1", "expected": "1"},
        OPERATOR,
    ),
    "a run of the index": (
        "admin/storage/indexrun/add/",
        {"root": "documents", "mode": "audit", "grace_days": "30"},
        OPERATOR,
    ),
    "a run of the index that changes rows": (
        "admin/storage/indexrun/add/",
        {"root": "documents", "mode": "sync", "grace_days": "30"},
        ADMINISTRATOR,
    ),
    "a look at a root": ("admin/storage/indexrun/look/", {"root": "documents"}, OPERATOR),
    "a new person": (
        "admin/auth/user/add/",
        {"username": "new", "password1": "Vkq82hfX", "password2": "Vkq82hfX"},
        ADMINISTRATOR,
    ),
    "a person who changes": ("admin/auth/user/<id>/change/", {"username": "renamed"}, ADMINISTRATOR),
    "a person's new password": (
        "admin/auth/user/<id>/password/",
        {"password1": "Vkq82hfX", "password2": "Vkq82hfX"},
        ADMINISTRATOR,
    ),
    "a new role": ("admin/auth/group/add/", {"name": "new"}, SUPERUSER),
}


@pytest.mark.matrix
class TestWhatIsSent:
    @pytest.mark.parametrize("what", SENT)
    def test_changes_something_for_whom_the_matrix_says(
        self, browsers: Browsers, there: Things, redis: Redis, what: str
    ) -> None:
        address, form, allowed = SENT[what]
        url, lease = concrete(address, there), there["leases/lease"]

        changes = {name for name, client in browsers.items() if changes_something(client, url, form, lease, redis)}

        assert changes == allowed


def changes_something(client: Client, url: str, form: dict[str, Any], lease: Any, redis: Redis) -> bool:
    """Whether the form does what it says; undone again."""
    with transaction.atomic():
        chosen_by(client)
        Lease.objects.update(due_at=None)  # what is owed a run already would not be run again
        if form.get("action") == "make_archives":  # of what is there, none is missing
            Lease.objects.update(state=State.NOT_FOUND, runsheet_directory=None, runsheet_report_found=False)
        before = everything(redis)
        given = {**form, **({"_selected_action": [lease.pk], "index": "0"} if "action" in form else {})}
        page = client.post(url, given, follow=True)
        if "action" in form and (confirmed := re.search(r'name="confirmed" value="([^"]*)"', page.text)):
            client.post(url, {**given, "confirmed": confirmed[1]})
        if page.redirect_chain and "question=" in page.redirect_chain[-1][0]:
            confirm(client, url, page)
        has_changed = everything(redis) != before
        transaction.set_rollback(True)
    return has_changed


# --- Transitions ----------------------------------------------------------------------------------------------------


def label(model: type[StateMachine]) -> str:
    return model._meta.label_lower


MACHINES = {label(model): model for model in machines() if model._meta.app_label != "toy"}


def transitions(model: type[StateMachine]) -> dict[str, Any]:
    """Each transition's name, with what django-fsm knows of it."""
    return {name: method._django_fsm for name, method in vars(model).items() if hasattr(method, "_django_fsm")}


def ready(record: StateMachine, name: str) -> None:
    """Bring a record where the transition is possible."""
    source = min(transitions(type(record))[name].transitions)
    type(record)._default_manager.filter(pk=record.pk).update(state=source, failure_code="x", due_at=now())
    if isinstance(record, Document):  # only what is archived goes for good, and has a way back what was changed
        Document.objects.filter(pk=record.pk).update(archived_at=now(), failure_code="file_changed")
    if isinstance(record, Lease):
        directory = None if source == State.NOT_FOUND else CloudLocation.objects.get()
        Lease.objects.filter(pk=record.pk).update(runsheet_directory=directory)


def wishes(record: StateMachine, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Every way in which a request may name a transition."""
    pages = f"admin:{record._meta.app_label}_{record._meta.model_name}"
    page = reverse(f"{pages}_change", args=[record.pk]).removesuffix("change/")
    buttons = getattr(admin.site.get_model_admin(type(record)), "buttons", ())
    meant = [button.name for button in buttons if button.step and button.step.transition == name]
    form = {"generation": record.generation, "transition": name, "state": str(State.DONE), "_save": "Save"}
    form |= {"allow_missing": 0}  # as many as are missing
    listed = {"action": name, "_selected_action": [record.pk], "index": 0}
    return [
        *[(f"{page}{each}/", form) for each in (name, *meant)],
        (f"{page}change/", form | {"agency": "BLM", "lease_number": "NMNM 1"}),
        (reverse(f"{pages}_changelist"), listed),
    ]


def is_authorised(record: StateMachine, name: str, person: User) -> bool:
    try:
        authorise(record, name, Actor.person(person))
    except TransitionForbidden:
        return False
    return True


class TestTransitions:
    def test_are_the_ones_in_the_matrix(self) -> None:
        assert {name: set(transitions(model)) for name, model in MACHINES.items()} == {
            name: set(rows) for name, rows in TRANSITIONS.items()
        }

    @pytest.mark.matrix
    @pytest.mark.parametrize("who", PEOPLE)
    @pytest.mark.parametrize(("of", "name"), AT_PAGES)
    def test_are_for_whom_the_matrix_says(
        self, browsers: Browsers, there: Things, who: str, of: str, name: str
    ) -> None:
        record, client = there[of.replace(".", "/")], browsers[who]
        assert isinstance(record, StateMachine)
        ready(record, name)
        logged = TransitionLog.objects.filter(pk__gt=TransitionLog.objects.latest("pk").pk)

        if who == "superuser":  # to look starts nothing, not even for whoever may do all
            for url, form in wishes(record, name):
                client.get(url, form)
            assert not logged.exists()
        for url, form in wishes(record, name):
            client.post(url, form)

        assert [row.transition for row in logged] == ([name] if who in TRANSITIONS[of][name] else [])

    @pytest.mark.parametrize(("of", "name"), [(of, name) for of, rows in TRANSITIONS.items() for name in rows])
    def test_are_for_the_same_people_at_the_door(self, people: People, there: Things, of: str, name: str) -> None:
        """Whatever leads to it: a command, a new page, or code that forgets to ask."""
        record = there[of.replace(".", "/")]
        assert isinstance(record, StateMachine)
        ready(record, name)
        record = MACHINES[of]._default_manager.get(pk=record.pk)

        let_in = {
            who for who, person in people.items() if isinstance(person, User) and is_authorised(record, name, person)
        }

        assert let_in == TRANSITIONS[of][name]

"""People at their browsers, and runs to look at."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from storage.models import Action, IndexChange, IndexRun, RunState, StorageRoot, StoredFile
from tests.roles import in_role

# Static files are collected for production only.
NO_STATIC = pytest.mark.filterwarnings("ignore:No directory at")


@pytest.fixture(autouse=True)
def _room(db: None) -> None:
    """For the users 7 and 8, whose numbers the tests choose."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('auth_user_id_seq', greatest(nextval('auth_user_id_seq'), 100))")


def browser_of(role: str) -> Client:
    client = Client()
    client.force_login(in_role(role))
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    return browser_of("Viewer")


@pytest.fixture
def operator(db: None) -> Client:
    return browser_of("Operator")


@pytest.fixture
def administrator(db: None) -> Client:
    return browser_of("Administrator")


def text_of(answer: Any) -> str:
    """What a person reads of a page, with single blanks."""
    return re.sub(r"\s+", " ", unescape(strip_tags(answer.text.replace("<", " <")))).strip()


def page_of(run: IndexRun) -> str:
    return reverse("admin:storage_indexrun_change", args=[run.pk])


def changes_of(run: IndexRun) -> str:
    return reverse("admin:storage_indexrun_changes", args=[run.pk])


def press(client: Client, run: IndexRun, name: str, **answers: Any) -> Any:
    """Press a button of the run that was drawn for it as it is now."""
    generation = IndexRun.objects.get(pk=run.pk).generation
    url = reverse("admin:storage_indexrun_action", args=[run.pk, name])
    return client.post(url, {"generation": generation, **answers}, follow=True)


def made(state: RunState = RunState.PLANNED, **said: Any) -> IndexRun:
    """A run in some state, of which nobody does anything by itself."""
    root, _ = StorageRoot.objects.get_or_create(name=said.pop("root", "documents"))
    given = {"plan_is_whole": True, "due_at": None, **said}
    return IndexRun.objects.create(root=root, state=state, **given)


def changed(run: IndexRun, *actions: str, **said: Any) -> None:
    """Give it these changes, behind those that it has."""
    begin = run.planned_up_to
    rows = [
        IndexChange(run=run, number=number, action=action, **{"key": f"7/{number:05}", "name": f"{number:05}", **said})
        for number, action in enumerate(actions, begin + 1)
    ]
    IndexChange.objects.bulk_create(rows)
    run.planned_up_to = begin + len(rows)
    run.save(update_fields=["planned_up_to"])


def many(run: IndexRun, count: int) -> None:
    changed(run, *[Action.CREATE] * count)


@pytest.fixture
def root(db: None) -> StorageRoot:
    return StorageRoot.objects.create(name="documents", marker="the marker")


type Put = Callable[..., StoredFile]


@pytest.fixture
def put(root: StorageRoot) -> Put:
    """Makes a row of the root: `put("7/deed.pdf", size=9)`."""

    def make(key: str, **said: Any) -> StoredFile:
        values = {"root": root, "name": key.rstrip("/").rpartition("/")[2], "is_directory": key[-1] == "/", **said}
        return StoredFile.objects.create(key=key, **values)

    return make


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    """The console as a superuser sees it."""
    client.force_login(olivia)
    return client

"""The index from outside: a program logs in as docs/api.md says, and a worker of its own does what it and a task ask for."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.tasks import TaskResultStatus

from core.local.programs import worker
from storage.models import IndexRun
from storage.tasks import rebuild_storage_index
from tests.live import PASSWORD, Site, await_that

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]


def token(session: requests.Session) -> str:
    return next(str(cookie.value) for cookie in session.cookies if "csrf" in cookie.name)


def test_program_and_task_come_to_the_same(
    programs: Callable[..., None], live_site: Site, person: User, settings: Any
) -> None:
    programs(worker(count=1, queue="storage"))
    site, session = live_site.system.url, requests.Session()
    session.get(f"{site}/admin/login/", timeout=30)
    form = {"csrfmiddlewaretoken": token(session), "username": person.username, "password": PASSWORD}
    session.post(f"{site}/admin/login/", form, timeout=30)

    refused = requests.post(f"{site}/api/v1/index/rebuild/", json={}, timeout=30)
    answer = session.post(
        f"{site}/api/v1/index/rebuild/?wait=20",
        json={"mode": "audit"},
        headers={"X-CSRFToken": token(session)},
        timeout=60,
    )
    told = session.get(f"{site}{answer.headers['Location']}", timeout=30)
    result = rebuild_storage_index.enqueue(mode="audit")

    def is_over() -> bool:
        result.refresh()
        return result.is_finished

    await_that(is_over, within_s=60)

    assert (refused.status_code, refused.headers["Content-Type"]) == (401, "application/problem+json")
    assert answer.status_code == 200, answer.text
    assert answer.json() == told.json()
    assert (answer.json()["state"], answer.json()["why"]) == ("planned", "")
    assert (result.status, result.errors) == (TaskResultStatus.SUCCESSFUL, [])
    assert result.return_value["state"] == "planned"
    assert result.return_value["stats"]["files_on_disk"] == answer.json()["stats"]["files_on_disk"]
    assert IndexRun.objects.count() == 2

"""Every page of the console as axe sees it: in both themes, and on a telephone, where nothing stands out sideways."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from playwright.sync_api import Page, expect
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from api.scopes import Scope
from api.services import tokens
from console.models import FailureNotice
from core.base.clock import now
from leases import services
from leases.models import AgencyStorageConfig, Batch, BatchLease, Lease, Upload
from statemachine.models import TransitionLog
from storage.models import Action, IndexChange, IndexRun, RunState, StorageRoot, StoredFile
from tests.browser.conftest import enter, recognise
from tests.browser.faults import Eyes
from tests.console.machine.dashboard.conftest import THERE
from tests.console.machine.dashboard.conftest import pages as patterns
from tests.factories import give_dropbox
from tests.live import BLM, System, await_that
from tests.redis_tls import as_admin

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

# RQ's addresses that answer with JSON, or to a POST only.
NOT_A_PAGE = {"django_rq_home_json", "django_rq_home_json_with_token", "django_rq_stop_job"}
LIST = "/admin/leases/lease/"


@pytest.fixture
def leases(person: User, dropbox: "Standin", system: System) -> list[Lease]:
    """One that is done and one that failed."""
    give_dropbox(person, dropbox)
    dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf")
    done = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=person)
    failed = services.create_lease(agency="NMSLO", lease_number="B0-1", created_by=person)
    await_that(lambda: Lease.objects.filter(state__in=["done", "failed"]).count() == 2, within_s=30)
    return [done, failed]


def preview(person: User) -> Upload:
    """Of a file with a row that is right and two that are not."""
    rows = [[1, ["Agency", "Lease number"]], [2, ["BLM", "NMNM 2"]], [3, ["XYZ", ""]], [4, ["BLM", "NMNM 1"]]]
    return Upload.objects.create(name="leases.csv", read_as="CSV, UTF-8", rows=rows, created_by=person)


def batch(leases: list[Lease]) -> Batch:
    """Of a file, all of it settled, some of it failed."""
    made: Batch = Batch.objects.create(kind=Batch.Kind.IMPORT, title="leases.csv", size=2, left_out=1)
    BatchLease.objects.bulk_create(BatchLease(batch=made, record=lease) for lease in leases)
    return made


def lists(_leases: list[Lease], _person: User) -> Iterator[str]:
    """Of each kind of record, and what is shown of many at once."""
    for name in (
        "leases_lease", "leases_agencystorageconfig", "cloud_cloudlocation", "console_failurenotice", "leases_batch",
        "statemachine_transitionlog", "cloud_dropboxaccount", "auth_user", "auth_group", "api_apitoken",
    ):  # fmt: skip
        yield reverse(f"admin:{name}_changelist")
    yield f"{LIST}?state__exact=failed&q=B0-1"
    yield f"{LIST}?q=nowhere"
    yield reverse("admin:index")
    yield reverse("admin:app_list", args=["leases"])
    yield reverse("admin:console_failurenotice_mine")


def records(leases: list[Lease], person: User) -> Iterator[str]:
    """One of each kind."""
    location = Lease.objects.values_list("runsheet_directory", flat=True).get(pk=leases[0].pk)
    for name, pk in (
        *(("leases_lease_change", lease.pk) for lease in leases),
        ("leases_lease_delete", leases[0].pk),
        ("cloud_cloudlocation_change", location),
        ("console_failurenotice_change", FailureNotice.objects.values_list("pk", flat=True)[0]),
        ("statemachine_transitionlog_change", TransitionLog.objects.get(transition="record_found").pk),
        ("auth_user_change", person.pk),
        ("leases_agencystorageconfig_change", AgencyStorageConfig.objects.values_list("pk", flat=True)[0]),
        ("auth_group_change", Group.objects.get_or_create(name="Night shift")[0].pk),
        ("leases_batch_change", batch(leases).pk),
    ):
        yield reverse(f"admin:{name}", args=[pk])


def forms(_leases: list[Lease], person: User) -> Iterator[str]:
    """What is filled in, and what belongs to one person or to the whole."""
    token = tokens.make(by=person, name="nightly", scopes=Scope.values, lasts=timedelta(days=9), at=now()).token
    yield reverse("admin:api_apitoken_change", args=[token.pk])
    for name in (
        "admin:leases_lease_add", "admin:leases_agencystorageconfig_add", "admin:auth_user_add",
        "admin:leases_batch_import", "admin:password_change", "admin:password_change_done",
        "system", "dropbox_account", "dropbox_disconnect", "api_tokens",
    ):  # fmt: skip
        yield reverse(name)
    yield reverse("admin:leases_batch_preview", args=[preview(person).pk])
    yield reverse("admin:auth_user_password_change", args=[person.pk])


def stored() -> Iterator[str]:
    """What lies in storage, and runs of its index: one that waits for a yes, and one that was refused."""
    root = StorageRoot.objects.create(name="documents")
    file = StoredFile.objects.create(root=root, key="7/plat.pdf", name="plat.pdf", size=1_000)
    planned, refused = (
        IndexRun.objects.create(root=root, state=state, plan_is_whole=True, planned_up_to=1, due_at=None, refusal=why)
        for state, why in ((RunState.PLANNED, ""), (RunState.REFUSED, "121 of 303 are missing."))
    )
    IndexChange.objects.create(run=planned, number=1, action=Action.CREATE, key="7/deed.pdf", name="deed.pdf")
    for name in ("storageroot", "storedfile", "indexrun"):
        yield reverse(f"admin:storage_{name}_changelist")
    yield reverse("admin:storage_indexrun_add")
    for name, pk in (
        ("storageroot_change", root.pk), ("storedfile_change", file.pk), ("indexrun_change", planned.pk),
        ("indexrun_changes", planned.pk), ("indexrun_change", refused.pk),
    ):  # fmt: skip
        yield reverse(f"admin:storage_{name}", args=[pk])


def dashboard(system: System) -> Iterator[str]:
    """RQ's pages, with a job that has failed and one that is no longer there."""
    redis = Redis.from_url(as_admin(system.valkey.url), decode_responses=True)
    job = Queue("discovery", connection=redis, serializer=JSONSerializer).enqueue("operator.truediv", 1, 0)
    await_that(lambda: job.get_status(refresh=True) == "failed", within_s=20)
    workers = [str(key) for key in redis.smembers("rq:workers")]
    there = THERE | {"job_id": job.id, "key": workers[0]}
    for route, page in patterns():
        if "django_rq/" in route and page.name not in NOT_A_PAGE:
            yield reverse(f"admin:{page.name}", kwargs={name: there[name] for name in page.pattern.regex.groupindex})
    yield reverse("admin:django_rq_job_detail", args=[0, THERE["job_id"]])


def ask_to_confirm(page: Page, console: System) -> None:
    """To where a bulk run is confirmed."""
    Lease.objects.create(agency="BLM", lease_number="NMNM 1", due_at=None)
    enter(page, console.url, LIST)
    page.locator(".action-select").first.check()
    page.get_by_role("combobox").select_option("Run full discovery …")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("will be searched for and read")).to_be_visible()


class TestPages:
    @pytest.mark.parametrize("kind", [lists, records, forms])
    def test_have_no_fault(
        self,
        kind: Callable[[list[Lease], User], Iterator[str]],
        leases: list[Lease],
        person: User,
        system: System,
        eyes: Eyes,
    ) -> None:
        recognise(eyes.page.context, system.url)
        found = {}

        for path in kind(leases, person):
            answer = eyes.page.goto(system.url + path)
            assert answer
            assert answer.ok, path
            found[path] = eyes.faults_in_each_look()

        assert {path: seen for path, seen in found.items() if seen} == {}

    def test_of_the_way_in_and_of_a_bulk_run_have_none(
        self, person: User, console: System, page: Page, eyes: Eyes
    ) -> None:
        page.goto(f"{console.url}/admin/login/")
        assert eyes.faults_in_each_look() == []

        ask_to_confirm(page, console)
        assert eyes.faults_in_each_look() == []

    def test_of_the_queues_have_none(self, person: User, system: System, page: Page, eyes: Eyes) -> None:
        recognise(page.context, system.url)
        found = {}

        for path in dashboard(system):
            answer = page.goto(system.url + path)
            assert answer
            found[path] = eyes.faults_in_each_look()

        assert {path: seen for path, seen in found.items() if seen} == {}

    def test_of_storage_have_none(self, person: User, console: System, eyes: Eyes) -> None:
        recognise(eyes.page.context, console.url)
        found = {}

        for path in stored():
            eyes.page.goto(console.url + path)
            found[path] = eyes.faults_in_each_look()

        assert {path: seen for path, seen in found.items() if seen} == {}

    def test_of_refusals_have_none(
        self, console: System, person: User, page: Page, eyes: Eyes, complaints: list[str]
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_superuser=False)
        recognise(page.context, console.url)

        for path in (LIST, reverse("system")):
            page.goto(console.url + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert eyes.faults_in_each_look() == [], path

        assert all("403" in each for each in complaints)
        complaints.clear()

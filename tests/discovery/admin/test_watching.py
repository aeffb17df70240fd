"""Whether what appears is noticed by itself, on the page of a lease and above the list: only what is so."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models.functions import Now
from django.test import Client

from cloud.models import DropboxAccount
from core.base.clock import now
from leases.models import AgencyStorageConfig, Lease
from storage.models import IndexRun
from tests.discovery.watching import absent, done
from tests.factories import BLM, configured, indexed, watched

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

LIST = "/admin/leases/lease/"


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    configured()
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.text.split())


def on_page(page: Client, lease: Lease) -> str:
    return text_of(page.get(f"{LIST}{lease.pk}/change/"))


class TestLease:
    def test_that_was_not_found_is_noticed_when_it_appears(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get(), read_at=now() - timedelta(minutes=3))

        text = on_page(page, lease)

        assert "Checked <time" in text
        assert "It is noticed by itself when the archive appears." in text

    def test_that_was_found_is_noticed_when_it_changes(self, page: Client, operator: User) -> None:
        lease = done(operator)
        indexed(watched(DropboxAccount.objects.get()), {lease.lease_number: []})

        assert "It is noticed by itself when a report is added or taken away, or the archive goes." in on_page(
            page, lease
        )

    def test_of_which_only_a_part_is_seen_promises_nothing(self, page: Client, operator: User) -> None:
        lease = done(operator)
        indexed(watched(DropboxAccount.objects.get()), {lease.lease_number: []}, partial=True)

        text = on_page(page, lease)

        assert "Only a part of its archive is seen with this Dropbox" in text
        assert "noticed by itself when a report is added" not in text

    def test_of_what_has_changed_since_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get())
        DropboxAccount.objects.update(changed_at=Now())

        text = on_page(page, lease)

        assert "Last checked <time" in text
        assert "What has changed there is being read." in text

    @pytest.mark.parametrize(
        ("ended", "said"),
        [
            (
                {"state": "refused", "failure_code": "index_braked", "missing_count": 2_200, "refusal": "…"},
                "2,200 files and folders are missing there at once, so what has changed is held until somebody says",
            ),
            (
                {"state": "refused", "failure_code": "root_not_there", "refusal": "There is no such folder."},
                "What has changed there could not be read. There is no such folder.",
            ),
            (
                {"state": "failed", "failure_message": "It broke."},
                "What has changed there could not be read. It broke.",
            ),
            ({"state": "aborted"}, "What has changed there is not being read, since somebody has stopped the run."),
        ],
    )
    def test_of_what_is_held_says_by_what(self, page: Client, operator: User, ended: dict[str, Any], said: str) -> None:
        lease = absent(operator)
        found = watched(DropboxAccount.objects.get(), read_at=None)
        run = IndexRun.objects.create(root=found.root, mode="sync", **ended)
        IndexRun.objects.create(root=found.root, mode="audit", state="planned")  # which was to change nothing
        link = f'<a href="/admin/storage/indexrun/{run.pk}/change/">See the run</a>.'

        for text in (on_page(page, lease), text_of(page.get(LIST))):
            assert said in text
            assert link in text
            assert "is being read" not in text

    def test_of_what_is_held_leads_only_who_may_see_the_run(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        found = watched(DropboxAccount.objects.get(), read_at=None)
        IndexRun.objects.create(root=found.root, mode="sync", state="aborted")
        User.objects.update(is_superuser=False)
        operator.user_permissions.set(Permission.objects.filter(codename="view_lease"))

        for text in (on_page(page, lease), text_of(page.get(LIST))):
            assert "somebody has stopped the run." in text
            assert "See the run" not in text

    @pytest.mark.parametrize("state", ["done", "planning"])
    def test_of_what_is_not_held_says_nothing_of_the_last_run(self, page: Client, operator: User, state: str) -> None:
        lease = absent(operator)
        found = watched(DropboxAccount.objects.get(), read_at=None)
        IndexRun.objects.create(root=found.root, mode="sync", state="refused")
        IndexRun.objects.create(root=found.root, mode="sync", state=state)

        text = on_page(page, lease)

        assert "What has changed there is being read." in text
        assert "See the run" not in text

    def test_of_what_is_not_held_any_more_says_nothing_of_it(self, page: Client, operator: User) -> None:
        """What was held is as it was before, so no other run was needed."""
        lease = absent(operator)
        found = watched(DropboxAccount.objects.get())
        IndexRun.objects.create(root=found.root, mode="sync", state="refused")
        DropboxAccount.objects.update(changed_at=Now())

        assert "What has changed there is being read." in on_page(page, lease)

    def test_of_what_dropbox_cannot_be_asked_about_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        found = watched(DropboxAccount.objects.get())
        DropboxAccount.objects.update(changed_at=Now())
        found.resting_until = now() + timedelta(minutes=1)
        found.save()

        assert "Dropbox could not be asked what has changed there" in on_page(page, lease)

    def test_of_a_folder_that_was_not_read_yet_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get(), cursor="", read_at=None)

        text = on_page(page, lease)

        assert "was not read to its end yet" in text
        assert "hecked <time" not in text

    def test_of_an_agency_that_is_not_watched_says_so(self, page: Client, operator: User) -> None:
        lease = absent(operator)
        watched(DropboxAccount.objects.get())
        AgencyStorageConfig.objects.update(watched=False)

        assert "The archives of BLM are not watched" in on_page(page, lease)

    @pytest.mark.parametrize("without", ["account", "configuration", "switched off"])
    def test_without_anybody_who_could_look_says_nothing(self, page: Client, operator: User, without: str) -> None:
        lease = absent(operator)
        if without == "account":
            DropboxAccount.objects.all().delete()
        elif without == "configuration":
            AgencyStorageConfig.objects.all().delete()
        else:
            AgencyStorageConfig.objects.update(enabled=False)

        text = on_page(page, lease)

        assert "noticed by itself" not in text
        assert "not watched" not in text

    def test_that_is_owed_a_run_says_nothing(self, page: Client, operator: User) -> None:
        lease = absent(operator, due_at=now())
        watched(DropboxAccount.objects.get())

        assert "noticed by itself" not in on_page(page, lease)


class TestList:
    def test_says_what_is_watched_with_ones_own_dropbox(self, page: Client, operator: User) -> None:
        absent(operator)
        watched(DropboxAccount.objects.get())

        text = text_of(page.get(LIST))

        assert "BLM: checked <time" in text
        assert "What appears there is noticed by itself." in text
        assert text.index("<h1>") < text.index("BLM: checked") < text.index('id="changelist-search"')

    def test_says_nothing_where_nothing_is(self, page: Client, operator: User) -> None:
        absent(operator)

        assert "noticed by itself" not in text_of(page.get(LIST))

    def test_says_nothing_to_who_has_no_dropbox(self, page: Client, operator: User) -> None:
        absent(operator)
        watched(DropboxAccount.objects.get())
        DropboxAccount.objects.all().delete()

        assert BLM not in text_of(page.get(LIST))
        assert "noticed by itself" not in text_of(page.get(LIST))

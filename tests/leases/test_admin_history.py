"""What has happened to a lease, as its page tells it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from leases import runs, services
from leases.admin.why import DID
from leases.models import Lease
from statemachine.models import TransitionLog
from statemachine.transitions import Actor
from tests.factories import location, settled
from tests.leases import test_admin_page
from tests.leases.starting import person_takes
from tests.leases.test_admin_page import page_of, take

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

console = test_admin_page.console


class TestHistory:
    def test_tells_who_did_what_and_why(self, console: Client, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
        take(
            lease, "record_found", actor=Actor.worker("job-1"), arguments={"location_id": location().pk},
            reason="because", evidence={"path": "/a/<NMNM 1>"},
        )  # fmt: skip
        person_takes(runs.DETECTION, lease_id=lease.pk, user=olivia)

        answer = page_of(console, lease)

        told = [
            (entry.from_state, entry.to_state, entry.by, entry.did, entry.log.reason)
            for entry in answer.context["panel"].history
        ]
        assert told == [
            ("Directory found", "Detecting report", "olivia", "started to look for the report", "detection"),
            ("Searching", "Directory found", "A worker", "found the directory", "because"),
            ("Pending", "Searching", "The reconciler", "started the search", "created"),
        ]
        assert "<code>job-1</code>" in answer.text
        assert (
            "<details><summary>Evidence</summary><pre>{\n  &quot;path&quot;: &quot;/a/&lt;NMNM 1&gt;&quot;\n}</pre>"
            in answer.text
        )

    def test_has_words_for_all_that_can_happen(self) -> None:
        names = {each.name for each in Lease._meta.get_field("state").get_all_transitions(Lease)}

        assert names == DID.keys()

    def test_shows_the_newest_and_leads_to_the_rest(self, console: Client, olivia: User) -> None:
        lease = settled(olivia)
        for _ in range(30):
            take(lease, "start_search", actor=Actor.person(olivia))
            take(lease, "cancel", actor=Actor.person(olivia))

        answer = page_of(console, lease)
        whole = console.get(answer.context["panel"].log_url)

        assert len(answer.context["panel"].history) == 50
        assert "10 earlier transitions are not shown." in answer.text
        assert whole.context["cl"].result_count == 60

    def test_leads_nobody_to_a_log_he_may_not_open(self, client: Client, viewer: User) -> None:
        lease = settled(viewer)
        client.force_login(viewer)

        without = page_of(client, lease).context["panel"].log_url
        viewer.user_permissions.add(Permission.objects.get(codename="view_transitionlog"))

        assert without == ""
        assert page_of(client, lease).context["panel"].log_url

    def test_is_empty_for_a_lease_that_was_never_started(self, console: Client, olivia: User) -> None:
        assert "Nothing has happened since." in page_of(console, settled(olivia)).text

    def test_names_a_state_that_the_code_no_longer_knows(self, console: Client, olivia: User) -> None:
        lease = settled(olivia)
        TransitionLog.objects.create(
            record_type="leases.lease", record_id=lease.pk, transition="x", from_state="gone", to_state="pending",
            generation=1, actor_kind="user", lasted=timedelta(), at=timezone.now(),
        )  # fmt: skip

        assert page_of(console, lease).context["panel"].history[0].from_state == "gone"

"""Beside “not found”: the nearest archives, each with its folder at Dropbox and the button that corrects the number."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from leases import runs
from leases.admin.nearest import Nearest, nearest_of
from leases.models import Lease
from statemachine.transitions import Actor
from tests.factories import location, settled
from tests.leases.starting import person_takes
from tests.leases.test_admin_page import take

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

FOLDER = "/Federal Workspace/^Archive"


def evidence(*names: str) -> dict[str, object]:
    return {"path": f"{FOLDER}/NMNM 55142", "nearest": list(names)}


@pytest.fixture
def lease(olivia: User) -> Lease:
    """Without the zeros of its archive, which a search has seen."""
    made = settled(olivia, lease_number="NMNM 55142", state="searching", due_at="2100-01-01T00:00Z")
    take(made, "record_not_found", actor=Actor.worker("job-1"), arguments={}, evidence=evidence("NMNM 0055142"))
    return Lease.objects.get()


class TestNearest:
    def test_is_where_a_browser_finds_it(self, lease: Lease, olivia: User) -> None:
        assert nearest_of(lease, evidence("NMNM 0055142"), olivia) == [
            Nearest(
                name="NMNM 0055142",
                has_report=None,
                unseen="",
                dropbox_url="https://www.dropbox.com/home/Federal%20Workspace/%5EArchive/NMNM%200055142",
                lease_url="",
                may_be_number=True,
            )
        ]

    def test_that_another_lease_has_leads_to_it(self, lease: Lease, olivia: User) -> None:
        other = settled(olivia, lease_number="nmnm 0055142")

        (near,) = nearest_of(lease, evidence("NMNM 0055142"), olivia)

        assert near.lease_url == reverse("admin:leases_lease_change", args=[other.pk])
        assert not near.may_be_number

    @pytest.mark.parametrize("name", ["NMNM\u00a055142", "NMNM 55142\\x", "'NMNM 55142"])
    def test_that_no_lease_could_find_again_is_no_number(self, lease: Lease, olivia: User, name: str) -> None:
        (near,) = nearest_of(lease, evidence(name), olivia)

        assert not near.may_be_number

    def test_is_no_number_for_who_may_not_change_it_or_while_it_runs(self, lease: Lease, olivia: User) -> None:
        assert not nearest_of(lease, evidence("NMNM 0055142"), User.objects.create_user("viewer2"))[0].may_be_number
        lease.due_at = lease.entered_at
        assert not nearest_of(lease, evidence("NMNM 0055142"), olivia)[0].may_be_number

    @pytest.mark.parametrize(("has_report", "words"), [(True, "has a report"), (False, "no report"), (None, "")])
    def test_says_whether_it_has_a_report(
        self, lease: Lease, olivia: User, has_report: bool | None, words: str
    ) -> None:
        reports = {} if has_report is None else {"nearest_reports": {"NMNM 0055142": has_report}}

        (near,) = nearest_of(lease, evidence("NMNM 0055142") | reports, olivia)

        assert near.report == words

    def test_has_no_address_where_nobody_kept_the_path(self, lease: Lease, olivia: User) -> None:
        assert nearest_of(lease, {"nearest": ["NMNM 0055142"]}, olivia)[0].dropbox_url == ""
        assert nearest_of(lease, {}, olivia) == []


class TestPage:
    def test_corrects_the_number_by_one_button(self, lease: Lease, olivia: User, client: Client) -> None:
        client.force_login(olivia)
        page = reverse("admin:leases_lease_change", args=[lease.pk])
        text = client.get(page).text
        form = text.partition('<ul class="record-nearest">')[2].partition("</form>")[0]
        assert 'target="_blank" rel="noopener noreferrer">NMNM 0055142<' in form
        fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}

        answer = client.post(page, fields, follow=True)

        corrected = Lease.objects.get()
        assert corrected.lease_number == "NMNM 0055142"
        assert corrected.is_owed
        assert answer.redirect_chain[-1][0].startswith(page)

    def test_offers_no_button_to_who_may_only_look(self, lease: Lease, client: Client) -> None:
        viewer = User.objects.create_user("viewer2", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_lease"))
        client.force_login(viewer)

        text = client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text

        assert ">NMNM 0055142<" in text
        assert "Correct the number to this" not in text

    def test_offers_no_button_that_would_be_refused(self, lease: Lease, client: Client) -> None:
        changer = User.objects.create_user("changer", is_staff=True)
        changer.user_permissions.add(*Permission.objects.filter(codename__in=["view_lease", "change_lease"]))
        client.force_login(changer)

        text = client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text

        assert "Correct the number to this" not in text
        assert "#id_lease_number" not in text

    @pytest.mark.parametrize("generation", ["what was seen", "rubbish"])
    def test_corrects_nothing_that_is_found_by_now(
        self, lease: Lease, olivia: User, client: Client, generation: str
    ) -> None:
        client.force_login(olivia)
        page = reverse("admin:leases_lease_change", args=[lease.pk])
        form = client.get(page).text.partition('<ul class="record-nearest">')[2].partition("</form>")[0]
        fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}
        if generation == "rubbish":
            fields["generation"] = generation
        person_takes(runs.SEARCH, lease_id=lease.pk, user=olivia)
        take(lease, "record_found", actor=Actor.worker("job-2"), arguments={"location_id": location().pk})

        answer = client.post(page, fields, follow=True)

        found = Lease.objects.get()
        assert (found.lease_number, found.state) == ("NMNM 55142", "found")
        (message,) = answer.context["messages"]
        assert str(message).startswith("“Correct the number to this” was not done, because the lease had moved on:")

    def test_undoes_nothing_that_somebody_has_corrected_since(self, lease: Lease, olivia: User, client: Client) -> None:
        client.force_login(olivia)
        page = reverse("admin:leases_lease_change", args=[lease.pk])
        form = client.get(page).text.partition('<ul class="record-nearest">')[2].partition("</form>")[0]
        fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}
        Lease.objects.update(lease_number="NMNM 77")

        text = client.post(page, fields).text

        assert "Somebody has changed this since you opened it" in text
        assert Lease.objects.get().lease_number == "NMNM 77"

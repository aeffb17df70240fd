"""A folder of archives that nobody sees any more is told as missing, and nobody is sent around."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from leases import services
from leases.models import Lease
from tests.flows.conftest import BLM, NUMBER, Work

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)


class TestAFolderThatWasRenamedForEverybody:
    """The configuration is wrong, so nobody is sent to somebody else's Dropbox for ever."""

    @pytest.fixture
    def renamed(self, found: Lease, dropbox: "Standin") -> Lease:
        dropbox.delete(BLM)
        dropbox.put(f"{BLM} 2026/{NUMBER}/Master Documents.pdf")
        return found

    def test_is_told_to_who_saw_it_though_another_saw_it_too(
        self,
        *,
        found: Lease,
        operator: User,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        work_until_settled: Work,
    ) -> None:
        paul = colleague("paul")
        other = services.create_lease(agency="BLM", lease_number="NMNM 2", created_by=paul)
        work_until_settled()
        assert Lease.objects.get(pk=other.pk).known_account == dropbox.account("paul").account_id
        dropbox.delete(BLM)
        cache.clear()  # as if half a minute had passed since Paul's run

        for lease, user in ((found, operator), (found, paul), (other, paul), (other, operator)):
            after = run(lease, user)

            assert (after.state, after.failure_code) == ("failed", "base_path_missing")
            assert "is no longer in the Dropbox of" in after.failure_message

    def test_sends_nobody_around(
        self, renamed: Lease, operator: User, colleague: Callable[[str], User], run: Callable[..., Lease]
    ) -> None:
        """Ivan has never seen it, Olivia has; each of them runs the same lease in turn."""
        ivan = colleague("ivan")

        codes = [run(renamed, user).failure_code for user in (ivan, operator, ivan)]

        assert codes == ["base_path_out_of_sight", "base_path_missing", "base_path_missing"]

    def test_shows_an_administrator_both_ways(
        self, renamed: Lease, colleague: Callable[[str], User], run: Callable[..., Lease], client: Client
    ) -> None:
        ivan = colleague("ivan")
        after = run(renamed, ivan)
        client.force_login(User.objects.create_superuser("boss"))

        for address in (reverse("admin:leases_lease_change", args=[after.pk]), "/admin/"):
            assert "Configure BLM</a>" in client.get(address).text

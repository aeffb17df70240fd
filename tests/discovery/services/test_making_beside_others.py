"""A missing archive beside those of other leases, whose numbers come in rows."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from discovery.services import archive_making
from leases.models import Lease
from tests.discovery.services.test_archive_making import WHOLE, Search, _writes, archives, by_itself, search
from tests.factories import BLM, settled

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

__all__ = ["_writes", "search"]


class TestOfOtherLeases:
    """Numbers come in rows: an archive that is known to be another lease's stops nobody."""

    NEXT = "NMNM 0501758"

    def other(self, number: str, operator: User, **origin: str) -> Lease:
        """A lease of Runsheet whose archive was found."""
        account = DropboxAccount.objects.get(user=operator)
        place = CloudLocation.objects.create(path=f"{BLM}/{number}", name=number)
        known = {"known_base_path": BLM, "known_account": account.account_id, **origin}
        return settled(operator, lease_number=number, state="done", runsheet_directory=place, **known)

    @pytest.mark.parametrize("wants", [True, False])
    def test_stop_nobody(self, search: Search, dropbox: "Standin", operator: User, *, wants: bool) -> None:
        by_itself()
        dropbox.put(f"{BLM}/NMNM 0501757/", f"{BLM}/{self.NEXT}/")
        self.other("NMNM 0501757", operator)
        self.other(self.NEXT, operator)

        search(wants=wants)

        assert archives(dropbox) == WHOLE

    @pytest.mark.parametrize("number", ["NMNM 501759", "NMNM-0501759"])
    def test_of_the_same_number_written_otherwise_stop_it(
        self, search: Search, dropbox: "Standin", operator: User, number: str
    ) -> None:
        dropbox.put(f"{BLM}/{number}/")
        self.other(number, operator)

        assert f"“{number}” lies right beside" in search().evidence["not_made"]

    def test_that_are_known_from_another_folder_stop_it(
        self, search: Search, dropbox: "Standin", operator: User
    ) -> None:
        dropbox.put(f"{BLM}/{self.NEXT}/")
        self.other(self.NEXT, operator, known_account="dbid:another", known_root="7")

        assert f"“{self.NEXT}” lies right beside" in search().evidence["not_made"]

    def test_whose_archive_was_not_found_there_stop_it(
        self, search: Search, dropbox: "Standin", operator: User
    ) -> None:
        dropbox.put(f"{BLM}/{self.NEXT}/")
        settled(operator, lease_number=self.NEXT, state="not_found")

        assert f"“{self.NEXT}” lies right beside" in search().evidence["not_made"]

    def test_do_not_hide_one_that_is_nobodys(self, search: Search, dropbox: "Standin", operator: User) -> None:
        """No more than five are named, and a wrong digit may have been any."""
        near = [f"NMNM 050175{digit}" for digit in "012345678"]
        dropbox.put(*(f"{BLM}/{number}/" for number in near))
        nobodys = search(wants=False).evidence["nearest"]
        hidden = next(number for number in near if number not in nobodys)
        for number in near:
            if number != hidden:
                self.other(number, operator)

        assert f"“{hidden}” lies right beside" in search().evidence["not_made"]

        self.other(hidden, operator)
        search()
        assert archives(dropbox) == WHOLE

    def test_stop_it_where_nobody_can_see_the_rest(
        self, search: Search, dropbox: "Standin", operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        near = [f"NMNM 050175{digit}" for digit in "01234"]
        dropbox.put(*(f"{BLM}/{number}/" for number in near))
        for number in near:
            self.other(number, operator)
        monkeypatch.setattr(archive_making, "all_near", lambda **_: None)

        assert search().evidence["not_made"].startswith("Nobody could see whether")

    def test_made_just_now_for_the_next_number_stop_nobody(
        self, search: Search, lease: Lease, dropbox: "Standin", operator: User
    ) -> None:
        """A batch of numbers that follow one another; the run of the one before may not have ended yet."""
        search()
        lease.pk, lease.lease_number = (
            settled(operator, lease_number=self.NEXT, state="searching", due_at=now()).pk,
            self.NEXT,
        )

        search()

        assert f"{BLM}/{self.NEXT}/" in dropbox.tree()

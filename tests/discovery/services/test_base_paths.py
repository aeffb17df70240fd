from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError

from core.base.clock import now
from discovery.dropbox import gateway_for
from discovery.errors import BasePathMissing, NotFound
from discovery.models import DropboxAccount
from discovery.services.base_paths import confirm_not_found
from leases.models import NOBODY, Lease, Origin
from tests.discovery.conftest import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


def confirm(user: User, *, was_there: bool = False) -> Origin:
    return confirm_not_found(
        gateway=gateway_for(user), path=ARCHIVE, answer=NotFound(), known=NOBODY if was_there else None
    )


class TestConfirmNotFound:
    def test_asks_once_and_remembers(self, dropbox: "Standin", operator: User) -> None:
        confirm(operator)
        confirm(operator)

        assert dropbox.calls() == {"files/get_metadata": 1}

    def test_looks_again_where_something_was_found_before(self, dropbox: "Standin", operator: User) -> None:
        confirm(operator)
        dropbox.delete(BLM)

        with pytest.raises(BasePathMissing):
            confirm(operator, was_there=True)

    def test_does_not_remember_that_it_is_missing(self, dropbox: "Standin", operator: User) -> None:
        dropbox.delete(BLM)
        with pytest.raises(BasePathMissing):
            confirm(operator)
        dropbox.put(f"{BLM}/")

        confirm(operator)

        assert dropbox.calls() == {"files/get_metadata": 2}

    def test_a_file_in_its_place_is_no_folder(self, dropbox: "Standin", operator: User) -> None:
        dropbox.delete(BLM)
        dropbox.put(BLM)

        with pytest.raises(BasePathMissing):
            confirm(operator)

    def test_asks_dropbox_while_the_cache_is_away(
        self, dropbox: "Standin", operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object, **__: object) -> None:
            raise RedisConnectionError

        monkeypatch.setattr(cache, "get", away)
        monkeypatch.setattr(cache, "set", away)

        confirm(operator)
        confirm(operator)

        assert dropbox.calls() == {"files/get_metadata": 2}


def account() -> DropboxAccount:
    return DropboxAccount.objects.get(user__username="olivia")


class TestAFolderThatIsNotThere:
    """Whose Dropbox lacks it is said, and who has seen it there."""

    @pytest.fixture
    def gone(self, operator: User, dropbox: "Standin") -> User:
        dropbox.delete(BLM)
        return operator

    def raised(self, user: User, *, known: Origin | None = None) -> BasePathMissing:
        with pytest.raises(BasePathMissing) as raised:
            confirm_not_found(gateway=gateway_for(user), path=ARCHIVE, answer=NotFound(), known=known)
        return raised.value

    def test_for_anybody_is_looked_for_at_another_path(self, gone: User) -> None:
        error = self.raised(gone)

        assert f"is not in the Dropbox of {account()}. Correct the agency's configuration, or" in str(error)
        assert "seen_by" not in error.evidence

    def test_for_one_is_left_to_who_has_found_the_archive_in_it(self, gone: User) -> None:
        ivan = User.objects.create_user("ivan")
        DropboxAccount.objects.create(user=ivan, account_id="dbid:i", display_name="Ivan", connected_at=now())

        error = self.raised(gone, known=Origin(base_path=BLM, account="dbid:i"))

        assert "The archive was found there with the Dropbox of Ivan, so it is probably not the path" in str(error)
        assert f"have the folder shared with {account()}" in str(error)
        assert "Correct" not in str(error)
        assert error.evidence["seen_by"] == "Ivan"

    def test_for_one_is_left_to_who_has_looked_for_another_lease_in_it(self, gone: User) -> None:
        Lease.objects.create(
            agency="BLM", lease_number="1", state="not_found", known_base_path=BLM, known_account="dbid:x"
        )

        error = self.raised(gone)

        assert "It was seen there with the Dropbox of another account (dbid:x)" in str(error)

    @pytest.mark.parametrize("is_known", [True, False])
    def test_for_who_saw_it_alone_is_nobody_elses(self, gone: User, is_known: bool) -> None:
        own = account().account_id
        Lease.objects.create(agency="BLM", lease_number="1", known_base_path=BLM, known_account=own)

        error = self.raised(gone, known=Origin(base_path=BLM, account=own) if is_known else None)

        assert "Correct the agency's configuration" in str(error)

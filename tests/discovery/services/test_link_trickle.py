"""Links to archives that were found without one, a few at a time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from discovery.duties import make_links
from discovery.services import link_trickle
from discovery.services.link_trickle import LISTED_FOR_S, WORTH_LISTING, calls_at_once, every_s, make_some
from leases.models import Lease
from statemachine import duties
from tests.factories import BLM, give_dropbox, settled
from tests.links import ask

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

CREATE, LIST_LINKS = "sharing/create_shared_link_with_settings", "sharing/list_shared_links"


@pytest.fixture(autouse=True)
def _switched_on(settings: Settings) -> None:
    settings.LINKS_PER_MINUTE = 60


def found(dropbox: "Standin", operator: User, numbers: Sequence[str]) -> list[CloudLocation]:
    """Archives that the index has told of, so that nobody has made a link to them."""
    account = DropboxAccount.objects.get(user=operator)
    dropbox.put(*(f"{BLM}/{number}/" for number in numbers))
    places = []
    for number in numbers:
        path = f"{BLM}/{number}"
        place = CloudLocation.objects.create(
            path=path, name=number, file_id=ask(dropbox, "files/get_metadata", path=path)["id"]
        )
        settled(
            operator,
            lease_number=number,
            state="done",
            runsheet_directory=place,
            known_account=account.account_id,
            known_root=account.root_namespace_id,
            known_at=now(),
        )
        places.append(place)
    dropbox.clear_journal()
    return places


def linked() -> set[str]:
    return set(CloudLocation.objects.exclude(share_url="").values_list("name", flat=True))


class TestLinks:
    def test_of_another_account_wait_where_one_has_taken_all_calls(
        self, operator: User, dropbox: "Standin", settings: Settings
    ) -> None:
        settings.LINKS_PER_MINUTE = 1
        other = User.objects.create_superuser("paul")
        give_dropbox(other, dropbox, "paul")
        found(dropbox, operator, ["NMNM 1"])
        found(dropbox, other, ["NMNM 2"])

        assert make_some() == 1

        assert len(linked()) == 1

    def test_are_made_a_few_at_a_time(self, operator: User, dropbox: "Standin", settings: Settings) -> None:
        settings.LINKS_PER_MINUTE = 12
        found(dropbox, operator, ["NMNM 1", "NMNM 2", "NMNM 3"])

        assert make_some() == 2
        assert len(linked()) == 2
        assert dropbox.calls() == {CREATE: 2}
        make_links()
        assert linked() == {"NMNM 1", "NMNM 2", "NMNM 3"}
        assert make_some() == 0

    def test_wait_while_anything_is_owed(self, operator: User, dropbox: "Standin") -> None:
        found(dropbox, operator, ["NMNM 1"])
        Lease.objects.create(agency="BLM", lease_number="NMNM 9")

        assert make_some() == 0
        assert dropbox.calls() == {}

    def test_that_exist_are_adopted_by_a_page_of_many(self, operator: User, dropbox: "Standin") -> None:
        numbers = [f"NMNM {each}" for each in range(WORTH_LISTING + 1)]
        places = found(dropbox, operator, numbers)
        for place in places[:-1]:
            ask(dropbox, CREATE, path=place.path)
        dropbox.clear_journal()

        assert make_some() == 2

        assert linked() == set(numbers)
        assert dropbox.calls() == {LIST_LINKS: 1, CREATE: 1}

    def test_are_looked_through_once_a_day(self, operator: User, dropbox: "Standin", settings: Settings) -> None:
        settings.LINKS_PER_MINUTE = 12
        found(dropbox, operator, [f"NMNM {each}" for each in range(WORTH_LISTING + 3)])

        make_some()
        make_some()

        assert dropbox.calls() == {LIST_LINKS: 1, CREATE: 3}
        assert timedelta(days=1).total_seconds() == LISTED_FOR_S

    def test_that_are_forbidden_are_not_asked_for_again(self, operator: User, dropbox: "Standin") -> None:
        (place,) = found(dropbox, operator, ["NMNM 1"])
        dropbox.policy("not_authorized")

        make_some()
        make_some()

        place.refresh_from_db()
        assert place.share_refusal
        assert dropbox.calls() == {CREATE: 1}

    def test_to_what_is_not_there_say_nothing_and_are_left_alone(self, operator: User, dropbox: "Standin") -> None:
        found(dropbox, operator, ["NMNM 1", "NMNM 2"])
        dropbox.delete(f"{BLM}/NMNM 1")

        make_some()
        make_some()

        gone = CloudLocation.objects.get(name="NMNM 1")
        assert (gone.is_gone, gone.awaits_link) == (False, True)
        assert linked() == {"NMNM 2"}
        assert dropbox.calls() == {CREATE: 2}

    def test_end_when_dropbox_asks_for_a_pause(self, operator: User, dropbox: "Standin") -> None:
        found(dropbox, operator, ["NMNM 1", "NMNM 2"])
        dropbox.fault(CREATE, status=429, headers={"Retry-After": "60"})

        assert make_some() == 1
        assert make_some() == 0

    def test_are_made_by_nobody_who_sees_other_folders(
        self, operator: User, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        found(dropbox, operator, ["NMNM 1"])
        Lease.objects.update(known_account="dbid:another")

        assert make_some() == 0

    def test_wait_while_redis_is_away(
        self, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found(dropbox, operator, ["NMNM 1"])

        def refused(_keys: list[str]) -> None:
            raise RedisError

        monkeypatch.setattr(cache, "get_many", refused)

        assert make_some() == 0


class TestHowMany:
    @pytest.mark.parametrize(
        ("per_minute", "ceiling", "calls"), [(60, 12, 10), (60, 1, 5), (6_000, 12, 60), (1, 0, 1), (600, 0, 100)]
    )
    def test_is_as_the_settings_say_and_no_more_than_half_of_the_ceiling(
        self, settings: Settings, per_minute: int, ceiling: int, calls: int
    ) -> None:
        settings.LINKS_PER_MINUTE, settings.DROPBOX_CALLS_PER_S = per_minute, ceiling

        assert calls_at_once() == calls

    def test_is_none_where_it_is_switched_off(self, settings: Settings) -> None:
        due = duties.named("archive_links")
        assert due is not None
        assert due.every_s() == every_s() == link_trickle.EVERY_S

        settings.LINKS_PER_MINUTE = 0

        assert due.every_s() == 0

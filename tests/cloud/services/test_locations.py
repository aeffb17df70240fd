from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from cloud.files import ShareLink
from cloud.models import CloudLocation
from cloud.services import locations
from cloud.services.locations import forget_link, record_location

pytestmark = pytest.mark.django_db

LINK = ShareLink(url="https://example.com/s/1", name="NMNM 1", file_id="id:1", is_public=True)


class TestRecordLocation:
    def test_remembers_a_new_place_with_all_that_the_link_tells(self) -> None:
        record_location(path="/a/nmnm 1", link=LINK)

        found = CloudLocation.objects.get()
        assert (found.provider, found.path, found.name, found.file_id) == ("dropbox", "/a/nmnm 1", "NMNM 1", "id:1")
        assert (found.share_url, found.is_public, found.is_directory) == (LINK.url, True, True)

    def test_done_twice_leaves_one_row(self) -> None:
        first = record_location(path="/a/NMNM 1", link=LINK)
        second = record_location(path="/A/nmnm 1", link=LINK)

        assert first == second

    def test_keeps_a_stored_link_when_no_new_one_was_made(self) -> None:
        record_location(path="/a/1", link=LINK)

        assert record_location(path="/a/1", link=None).share_url == LINK.url

    def test_keeps_the_reason_where_the_link_would_be(self) -> None:
        record_location(path="/a/1", link=LINK)

        found = record_location(path="/a/1", link=None, refusal="The team forbids links.")

        assert (found.share_url, found.share_refusal) == ("", "The team forbids links.")

    def test_a_later_link_takes_the_place_of_the_reason(self) -> None:
        record_location(path="/a/1", link=None, refusal="The team forbids links.")

        found = record_location(path="/a/1", link=LINK)

        assert (found.share_url, found.share_refusal) == (LINK.url, "")

    def test_names_a_place_without_a_link_by_its_path(self) -> None:
        assert record_location(path="/a/NMNM 1", link=None).name == "NMNM 1"

    def test_takes_the_row_of_a_worker_that_was_faster(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = record_location(path="/a/1", link=LINK)
        answers = [CloudLocation.objects.none(), CloudLocation.objects.all()]
        monkeypatch.setattr(locations, "locations_at", lambda _path: answers.pop(0))

        assert record_location(path="/a/1", link=None) == first


class TestForgetLink:
    def test_a_directory_that_is_gone_has_no_link(self) -> None:
        record_location(path="/a/1", link=LINK)

        forget_link(path="/A/1")

        found = CloudLocation.objects.get()
        assert (found.share_url, found.file_id, found.is_public) == ("", "", False)
        assert found.is_gone

    def test_a_directory_that_comes_back_is_no_longer_gone(self) -> None:
        record_location(path="/a/1", link=LINK)
        forget_link(path="/a/1")

        assert not record_location(path="/a/1", link=LINK).is_gone
        assert not record_location(path="/a/1", link=None, refusal="Forbidden.").is_gone

    def test_where_nothing_was_known_nothing_happens(self) -> None:
        forget_link(path="/a/1")

        assert not CloudLocation.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTwoWorkersRecordTheSamePlace:
    def test_they_share_one_row(self) -> None:
        barrier = Barrier(4)

        def record(_: int) -> int:
            barrier.wait()
            try:
                with transaction.atomic():
                    return record_location(path="/a/1", link=LINK).pk
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(record, range(4)))) == 1

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cloud.models import CloudLocation
from cloud.queries import location_at, locations_at

pytestmark = pytest.mark.django_db


def violates(constraint: str) -> pytest.RaisesExc:
    return pytest.raises(IntegrityError, match=constraint)


class TestCloudLocation:
    def test_is_the_same_in_any_case(self) -> None:
        CloudLocation.objects.create(path="/A/b", name="b")

        with violates("cloud_location_once"), transaction.atomic():
            CloudLocation.objects.create(path="/a/B", name="B")
        assert str(locations_at("/a/B").get()) == "/A/b"

    def test_may_be_at_the_same_path_elsewhere(self) -> None:
        CloudLocation.objects.create(path="/a", name="a")

        CloudLocation.objects.create(provider="box", path="/a", name="a")

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"path": "a"}, "cloud_location_absolute"),
            ({"size_bytes": -1}, "cloud_location_size"),
            ({"share_url": "https://e.com", "share_refusal": "no"}, "cloud_location_link_or_refusal"),
        ],
    )
    def test_refuses_what_cannot_be(self, values: dict[str, Any], constraint: str) -> None:
        with violates(constraint), transaction.atomic():
            CloudLocation.objects.create(**{"path": "/a", "name": "a", **values})

    @pytest.mark.parametrize(
        ("values", "good"),
        [
            ({"share_url": "https://e.com"}, True),
            ({"share_url": ""}, False),
            ({"share_url": "https://e.com", "share_expires_at": timezone.now() - timedelta(days=1)}, False),
            ({"share_url": "https://e.com", "share_expires_at": timezone.now() + timedelta(days=1)}, True),
        ],
    )
    def test_has_a_good_link_until_it_expires(self, values: dict[str, Any], good: bool) -> None:
        CloudLocation.objects.create(path="/a", name="a", **values)

        found = location_at("/A")
        assert found is not None
        assert found.has_link is good  # type: ignore[attr-defined]  # annotated

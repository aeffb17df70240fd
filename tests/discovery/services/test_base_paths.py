from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError

from discovery.dropbox import gateway_for
from discovery.errors import BasePathMissing, NotFound
from discovery.services.base_paths import confirm_not_found
from leases.models import NOBODY, Origin
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

"""Links that many open at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from core.base.clock import now
from documents.link_errors import LinkRevoked, LinkUsedUp
from documents.models import ShareLink
from documents.services import opening, shares
from tests.documents.making import Files
from tests.documents.sharing import linked

CONNECTIONS, TRIES, AT_MOST = 8, 40, 13


class TestManyAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_get_as_many_downloads_as_there_are(self, django_user_model: Any, files: Files, redis: Any) -> None:
        link = linked(django_user_model.objects.create_superuser("opal"), downloads_at_most=AT_MOST).link
        begin = threading.Barrier(CONNECTIONS)

        def fetch(number: int) -> bool:
            if number < CONNECTIONS:
                begin.wait(timeout=30)
            try:
                opening.use(link=ShareLink.objects.select_related("document").get(), at=now())
            except LinkUsedUp:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            told = list(pool.map(fetch, range(TRIES)))

        link.refresh_from_db()
        assert (told.count(True), link.downloads) == (AT_MOST, AT_MOST)


@pytest.mark.django_db
class TestUse:
    def test_is_refused_once_it_was_revoked_meanwhile(self, opal: User) -> None:
        link = linked(opal).link
        shares.revoke(link_id=link.pk, by=opal, at=now())

        with pytest.raises(LinkRevoked):
            opening.use(link=link, at=now())

    def test_is_seen_to_by_the_database_itself(self, opal: User) -> None:
        link = linked(opal, downloads_at_most=1).link

        with pytest.raises(IntegrityError, match="documents_link_is_not_fetched_more_often"), transaction.atomic():
            ShareLink.objects.filter(pk=link.pk).update(downloads=2)

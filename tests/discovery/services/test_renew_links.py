from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from cloud.errors import DropboxNotConnected, NoInitiatingUser
from cloud.models import CloudLocation
from cloud.services.accounts import connect_account
from discovery.services.demo_data import OPERATOR, REFRESH_TOKEN, renew_links
from dropbox_standin.client import Standin
from tests.factories import ARCHIVE

pytestmark = pytest.mark.django_db

OLD = "http://127.0.0.1:1/scl/fo/gone"


@pytest.fixture
def location(dropbox: Standin) -> CloudLocation:
    """A place whose link a stand-in made that no longer runs."""
    connect_account(user=User.objects.create_superuser(OPERATOR), refresh_token=REFRESH_TOKEN)
    return CloudLocation.objects.create(path=ARCHIVE, name="NMNM 0501759", share_url=OLD)


class TestRenewLinks:
    def test_stores_what_the_new_stand_in_gives(self, dropbox: Standin, location: CloudLocation) -> None:
        dropbox.put(f"{ARCHIVE}/")

        renew_links()

        assert CloudLocation.objects.get().share_url.startswith(dropbox.base_url)

    def test_forgets_a_link_to_what_is_gone(self, location: CloudLocation) -> None:
        renew_links()

        assert CloudLocation.objects.get().share_url == ""

    def test_asks_nothing_for_places_without_a_link(self, dropbox: Standin, location: CloudLocation) -> None:
        CloudLocation.objects.update(share_url="")
        dropbox.clear_journal()

        renew_links()

        assert dropbox.calls() == {}

    def test_needs_the_operator_and_a_connection(self, dropbox: Standin) -> None:
        with pytest.raises(NoInitiatingUser):
            renew_links()
        User.objects.create_superuser(OPERATOR)
        with pytest.raises(DropboxNotConnected):
            renew_links()


class TestLoadDemoDataCommand:
    def test_says_why_the_links_could_not_be_renewed(self, dropbox: Standin, olivia: User) -> None:
        errors = StringIO()

        call_command("load_demo_data", stderr=errors)

        assert "The stored share links could not be renewed" in errors.getvalue()

    def test_renews_them_when_the_data_is_there_already(self, dropbox: Standin, location: CloudLocation) -> None:
        dropbox.put(f"{ARCHIVE}/")
        errors = StringIO()

        call_command("load_demo_data", stderr=errors)

        assert CloudLocation.objects.get().share_url != OLD
        assert errors.getvalue() == ""

"""Making a directory: the one thing that is ever written at Dropbox."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud import errors
from cloud.dropbox import Gateway, gateway_for
from cloud.models import DropboxAccount
from cloud.services.accounts import REQUIRED_SCOPES
from tests.cloud.dropbox.conftest import union
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

MAKE = "files/create_folder_v2"


class TestMakeDirectory:
    def test_makes_it_by_one_call(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/")

        assert gateway.make_directory(path=ARCHIVE) is True

        assert f"{ARCHIVE}/" in dropbox.tree()
        assert dropbox.calls() == {MAKE: 1}

    def test_done_twice_says_that_it_is_there(self, gateway: Gateway, dropbox: "Standin") -> None:
        gateway.make_directory(path=ARCHIVE)

        assert gateway.make_directory(path=ARCHIVE) is False

    def test_says_that_a_file_has_its_name(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(ARCHIVE)

        with pytest.raises(errors.NotMade, match="Rename or move that file"):
            gateway.make_directory(path=ARCHIVE)

    def test_says_that_the_account_may_only_read(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(MAKE, status=409, body=union("path", "no_write_permission"))

        with pytest.raises(errors.NotMade, match="may only read the folder"):
            gateway.make_directory(path=ARCHIVE)

    @pytest.mark.parametrize("tag", ["too_many_write_operations", "other"])
    def test_is_tried_again_where_it_may_work_later(self, gateway: Gateway, dropbox: "Standin", tag: str) -> None:
        dropbox.fault(MAKE, status=409, body=union("path", tag))

        with pytest.raises(errors.DropboxUnavailable):
            gateway.make_directory(path=ARCHIVE)

    def test_with_a_connection_that_only_reads_leaves_it_as_good_as_it_was(
        self, operator: User, dropbox: "Standin"
    ) -> None:
        dropbox.scopes("olivia", REQUIRED_SCOPES)

        with pytest.raises(errors.MayNotWrite, match="allow it to write") as caught:
            gateway_for(operator).make_directory(path=ARCHIVE)

        assert caught.value.evidence["scope"] == "files.content.write"
        assert DropboxAccount.objects.get().needs_reconnect_reason == ""

    def test_names_what_the_app_itself_lacks(self, gateway: Gateway, dropbox: "Standin") -> None:
        text = "Your app (ID: 1) does not have the required scope 'files.content.write'."
        dropbox.fault(MAKE, status=400, body=text, headers={"Content-Type": "text/plain"})

        with pytest.raises(errors.MayNotWrite, match="app lacks the permission"):
            gateway.make_directory(path=ARCHIVE)

    @pytest.mark.parametrize("path", ["", "/", "relative"])
    def test_is_of_no_root(self, gateway: Gateway, path: str) -> None:
        with pytest.raises(ValueError, match="below the root"):
            gateway.make_directory(path=path)

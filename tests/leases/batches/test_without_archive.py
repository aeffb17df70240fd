"""The preview of an import says which numbers have no archive, and what comes near them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage.models import StorageRoot
from tests import factories
from tests.factories import configured, indexed, watched
from tests.leases.batches.asking import send

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

FILE = "Agency,Lease Number\nBLM,NMNM 0501759\nBLM,NMNM 0050951\nBLM,NMNM 4444444\n"


@pytest.fixture
def archives(operator: User) -> None:
    """What the importer's own Dropbox was read to hold."""
    account = factories.account(user=operator)
    account.save()
    configured()
    indexed(watched(account), {"NMNM 0501759": [], "NMNM 0059051": ["Master Documents.pdf"]})


@pytest.mark.usefixtures("archives")
class TestPreview:
    def test_says_how_many_have_none_and_leads_to_them(self, console: Client) -> None:
        answer = send(console, FILE)

        preview = answer.context["preview"]
        assert "2 of 3 numbers have no archive; 1 has a near one." in answer.text
        assert '<a href="?number=1&amp;agency=0&amp;first_row=2&amp;show=unfound">See which</a>.' in answer.text
        assert [(tab.label, tab.count, tab.is_chosen) for tab in preview.tabs][:2] == [
            ("No archive", 2, True),
            ("All rows", 3, False),
        ]

    def test_names_what_comes_near_beside_each(self, console: Client) -> None:
        text = send(console, FILE).text

        assert "There is no archive of this name. Nearest: NMNM 0059051 (has a report)." in text
        assert "There is no archive of this name, and none that comes near." in text
        assert text.count("There is no archive") == 2

    def test_names_it_beside_all_rows_too(self, console: Client) -> None:
        answer = send(console, FILE)

        everything = console.get(answer.request["PATH_INFO"] + answer.context["preview"].url(show="all"))

        assert len(everything.context["preview"].page.object_list) == 3
        assert everything.text.count("There is no archive") == 2

    def test_says_nothing_where_all_have_one(self, console: Client) -> None:
        answer = send(console, "Agency,Lease Number\nBLM,NMNM 0501759\n")

        assert "no archive" not in answer.text
        assert "No archive" not in [tab.label for tab in answer.context["preview"].tabs]


@pytest.mark.usefixtures("archives")
def test_what_is_not_known_is_said(console: Client) -> None:
    """Else it would look as if each had one."""
    text = send(console, f"{FILE}NMSLO,K0-1\n").text

    assert "2 of 3 numbers have no archive; 1 has a near one." in text
    assert "Of 1 number of NMSLO it is not known just now whether there is an archive." in text


@pytest.mark.usefixtures("archives")
def test_no_more_than_that_is_said_where_it_is_known_of_none(console: Client) -> None:
    StorageRoot.objects.update(read_at=None)

    text = send(console, FILE).text

    assert "Of 3 numbers of BLM it is not known just now whether there is an archive." in text
    assert "no archive" not in text
    assert "See which" not in text


def test_nothing_is_said_where_nobody_reads_them(console: Client) -> None:
    text = send(console, FILE).text

    assert "no archive" not in text
    assert "whether there is an archive" not in text

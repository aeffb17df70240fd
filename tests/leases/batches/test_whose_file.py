"""A file that was chosen is the person's who has chosen it, until it is imported."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from leases.admin.imports import NOT_YOURS
from leases.imports import keep_upload
from leases.models import Batch, Lease, Upload
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

PAGES = ("leases_batch_preview", "leases_batch_preview_left_out")
CONFIRMED = {"number": "1", "agency": "0", "first_row": "2", "expected": "1"}


@pytest.fixture
def upload(olivia: User) -> Upload:
    return keep_upload(name="a.csv", content=b"agency,lease number\nBLM,NMNM 1\n", user=olivia)


def page_of(upload: Upload, name: str = PAGES[0]) -> str:
    return reverse(f"admin:{name}", args=[upload.pk])


class TestAFile:
    @pytest.mark.parametrize("name", PAGES)
    def test_is_shown_to_who_has_chosen_it(self, client: Client, olivia: User, upload: Upload, name: str) -> None:
        client.force_login(in_role("Operator"))
        assert NOT_YOURS in client.get(page_of(upload, name)).text

        client.force_login(olivia)
        assert client.get(page_of(upload, name)).status_code == 200

    def test_is_imported_by_nobody_else(self, client: Client, upload: Upload) -> None:
        client.force_login(in_role("Operator"))

        assert client.post(page_of(upload), CONFIRMED).status_code == 403
        assert not Lease.objects.exists()

    def test_whose_person_is_gone_is_nobodys(self, client: Client, upload: Upload) -> None:
        Upload.objects.update(created_by=None)
        client.force_login(in_role("Operator"))

        assert client.get(page_of(upload)).status_code == 403

    def test_leads_everybody_to_its_batch_once_it_is_imported(self, client: Client, upload: Upload) -> None:
        batch = Batch.objects.create(kind=Batch.Kind.IMPORT, title="a.csv", size=1)
        Upload.objects.update(batch=batch)
        client.force_login(in_role("Operator"))

        assert client.get(page_of(upload))["Location"] == reverse("admin:leases_batch_change", args=[batch.pk])

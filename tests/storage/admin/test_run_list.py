"""The list of runs: what each came to, and what it can be narrowed to."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from storage.models import IndexRun, RunState
from tests.storage.admin.conftest import NO_STATIC, made, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis"), NO_STATIC]

LIST = "/admin/storage/indexrun/"


def listed(client: Client, query: str = "") -> list[int]:
    return [run.pk for run in client.get(LIST + query).context["cl"].result_list]


class TestList:
    def test_tells_of_each_what_it_was_and_what_it_came_to(self, viewer: Client) -> None:
        olga = User.objects.create_user("olga")
        made(RunState.DONE, mode="full", prefix="7/", initiated_by=olga, counts={"records_created": 3, "renamed": 1})
        made(RunState.REFUSED, plan_is_whole=False, occasion="start")

        text = text_of(viewer.get(LIST))

        assert "Done documents/7/ Full olga just now 3 created, 1 renamed" in text
        assert "Refused documents Audit At the start of the system just now –" in text  # noqa: RUF001

    def test_can_be_narrowed(self, viewer: Client) -> None:
        first = made(RunState.DONE, mode="sync")
        other = made(RunState.FAILED, root="attic", failure_code="crashed", failure_message="Every try was broken off.")

        assert listed(viewer) == [other.pk, first.pk]
        for query, found in (
            ("?mode__exact=sync", first),
            ("?root__name=attic", other),
            ("?state__exact=done", first),
            ("?failure_code=crashed", other),
        ):
            assert listed(viewer, query) == [found.pk], query

    def test_leads_to_a_new_run_and_to_the_other_pages_of_storage(self, viewer: Client, operator: Client) -> None:
        assert "New run" not in text_of(viewer.get(LIST))
        text = operator.get(LIST).text
        assert f'<a class="button" href="{LIST}add/">New run</a>' in text
        assert 'href="/admin/storage/storageroot/">Roots</a>' in text
        assert 'href="/admin/storage/storedfile/">Files</a>' in text

    def test_offers_nobody_to_delete_a_run(self, administrator: Client) -> None:
        run = made()

        assert "delete_selected" not in administrator.get(LIST).text
        assert administrator.post(f"{LIST}{run.pk}/delete/", {"post": "yes"}).status_code == 403
        assert IndexRun.objects.exists()

    def test_can_be_taken_away(self, viewer: Client) -> None:
        made(RunState.REFUSED, mode="sync", refusal="121 are missing.", counts={"records_missed": 121})

        [heading, row] = viewer.get(f"{LIST}download/csv/").getvalue().decode("utf-8-sig").splitlines()

        assert heading.endswith("Root,Mode,Refused,Differences")
        assert row.endswith("documents,Sync,121 are missing.,121 missing")

    def test_costs_as_much_for_many(self, viewer: Client) -> None:
        for _ in range(30):
            made(RunState.DONE, counts={"records_created": 3})
        viewer.get(LIST)

        with CaptureQueriesContext(connection) as asked:
            viewer.get(LIST)

        assert len(asked) < 15

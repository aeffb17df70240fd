"""The demo is a judge, so it must be able to find against a lease."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from redis import Redis

from cloud.models import CloudLocation
from discovery.services.demo_data import BASE_PATHS
from discovery.services.demo_examples import EXAMPLES, End, account_of, differences, end_of, set_up, start_examples
from dropbox_standin.client import Standin
from dropbox_standin.seeds import DEMO
from leases.models import AgencyStorageConfig, Lease
from leases.services import create_lease
from statemachine.models import TransitionLog


@pytest.fixture(autouse=True)
def _empty_redis(redis: Redis) -> None: ...


class TestExamples:
    def test_are_one_for_every_outcome(self) -> None:
        assert [example.outcome for example in EXAMPLES] == [
            "report found",
            "directory without report",
            "empty directory",
            "only subfolders",
            "not found",
            "a number without its zeros",
            "a report with a no-break blank",
            "a colleague who cannot see it",
            "report beyond the first page",
            "agency not configured",
            "user without Dropbox",
            "link forbidden by team policy",
            "two 503s and then fine",
            "a 429 with Retry-After",
        ]

    def test_are_named_as_in_the_stand_ins_archives(self) -> None:
        numbers = {example.outcome: example.lease_number for example in EXAMPLES}

        assert numbers == {
            "report found": DEMO.report_found,
            "directory without report": DEMO.no_report,
            "empty directory": DEMO.empty,
            "only subfolders": DEMO.only_subfolders,
            "not found": DEMO.not_found,
            "a number without its zeros": DEMO.without_zeros,
            "a report with a no-break blank": DEMO.no_break_blank,
            "a colleague who cannot see it": DEMO.hidden_from_paul,
            "report beyond the first page": DEMO.beyond_first_page,
            "agency not configured": DEMO.ordinary_nmslo[0],
            "user without Dropbox": DEMO.ordinary_blm[0],
            "link forbidden by team policy": DEMO.link_forbidden,
            "two 503s and then fine": DEMO.twice_unavailable,
            "a 429 with Retry-After": DEMO.rate_limited,
        }

    def test_know_where_their_archives_lie(self) -> None:
        assert EXAMPLES[0].path == "/Federal Workspace/^Runsheet Workspace/Runsheet Archive/NMNM 0501759"


class TestStartExamples:
    def test_makes_each_lease_once_for_its_own_person(self, db: None, dropbox: Standin) -> None:
        set_up()

        started = start_examples(begins_last=False) | start_examples(begins_last=True)

        assert sorted(example.outcome for example in started.values()) == sorted(each.outcome for each in EXAMPLES)
        assert set(Lease.objects.values_list("state", flat=True)) == {"searching"}
        assert Lease.objects.get(initiated_by__username="newcomer").lease_number == DEMO.ordinary_blm[0]
        assert list(AgencyStorageConfig.objects.values_list("agency", "runsheet_archive_base_path")) == [
            ("BLM", BASE_PATHS["BLM"])
        ]


class TestDifferences:
    def test_are_none_when_all_is_as_it_must_be(self) -> None:
        end = End(state="done", report=True, link=True, dropbox_calls=2)

        assert differences(expected=end, found=end) == []

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"state": "failed"}, "state is failed, not done"),
            ({"failure_code": "bug"}, "failure code is bug, not "),
            ({"report": False}, "report is False, not True"),
            ({"link": False}, "link is False, not True"),
            ({"tries": 2}, "tries is 2, not 1"),
            ({"dropbox_calls": 3}, "dropbox calls is 3, not 2"),
            ({"nearest": "NMNM 2"}, "nearest is NMNM 2, not "),
        ],
    )
    def test_name_everything_that_is_otherwise(self, changed: dict[str, Any], sentence: str) -> None:
        expected = End(state="done", report=True, link=True, dropbox_calls=2)

        assert differences(expected=expected, found=replace(expected, **changed)) == [sentence]


class TestEndOf:
    def test_takes_the_tries_from_the_log(self, olivia: User) -> None:
        lease = create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
        log = TransitionLog.objects.of(lease).get()
        TransitionLog.objects.create(
            **{
                name: getattr(log, name)
                for name in ("record_type", "record_id", "transition", "from_state", "to_state", "actor_kind", "lasted")
            },
            generation=99,
            tries=4,
        )

        assert end_of(lease, dropbox_calls=7) == End(state="searching", tries=4, dropbox_calls=7)

    def test_of_a_lease_without_a_history_has_no_tries(self, db: None) -> None:
        assert end_of(Lease(pk=1), dropbox_calls=0).tries == 0


class TestAccountOf:
    def test_finds_against_a_lease_that_ended_otherwise(self, olivia: User) -> None:
        lease = create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        account = account_of(lease, EXAMPLES[0], dropbox_calls=2)

        assert account["as_it_should"] is False
        assert "state is searching, not done" in account["differences"]

    def test_tells_of_a_lease_that_ended_as_it_must(self, olivia: User) -> None:
        place = CloudLocation(path="/a", share_url="https://example.com/s")
        example = replace(EXAMPLES[0], end=End(state="done", report=True, link=True, tries=0, dropbox_calls=2))
        lease = Lease(
            pk=1, state="done", runsheet_report_found=True, matching_files=["a.pdf"], runsheet_directory=place
        )

        account = account_of(lease, example, dropbox_calls=2)

        assert account["as_it_should"] is True
        assert (account["share_url"], account["seconds"]) == ("https://example.com/s", 0.0)

"""Numbers that differ from another only in blanks, case or dashes: one lease written twice, most likely."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from leases import services
from leases.duplicates import doubts_about
from leases.models import Lease
from tests.leases.batches.asking import confirm, send

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def file_of(*numbers: str) -> str:
    return "agency,lease\n" + "".join(f"BLM,{number}\n" for number in numbers)


class TestWarning:
    @pytest.mark.parametrize("number", ["B01234", "b0 1234", "B0_1234", "B0\N{EN DASH}1234", "B 0-12 34"])
    def test_names_the_lease_that_there_is(self, console: Client, operator: User, number: str) -> None:
        there = services.create_lease(agency="BLM", lease_number="B0-1234", created_by=operator)

        answer = send(console, file_of(number))

        assert "BLM already has B0-1234, which differs only in blanks or dashes." in answer.text
        assert f'<a href="/admin/leases/lease/{there.pk}/change/">Open it</a>' in answer.text
        assert "It is doubtful: see whether it is meant." in answer.text

    def test_names_the_other_row_of_each(self, console: Client) -> None:
        answer = send(console, file_of("NMNM 1", "NMNM-1", "NMNM 2"))

        assert "Differs only in blanks or dashes from NMNM-1 in row 3." in answer.text
        assert "Differs only in blanks or dashes from NMNM 1 in row 2." in answer.text
        assert "2 of those that can be imported are doubtful: see whether they are meant." in answer.text

    def test_keeps_nobody_from_importing(self, console: Client) -> None:
        confirm(console, send(console, file_of("NMNM 1", "NMNM-1")))

        assert Lease.objects.count() == 2

    def test_is_not_of_case_alone_which_is_the_same_lease(self, console: Client) -> None:
        answer = send(console, file_of("NMNM 1", "nmnm 1"))

        assert "This lease stands in row 2 already." in answer.text
        assert "looks like" not in answer.text

    def test_is_not_of_another_agency_s_lease(self, console: Client, operator: User) -> None:
        services.create_lease(agency="NMSLO", lease_number="B0-1234", created_by=operator)

        assert "looks like" not in send(console, file_of("B01234")).text

    def test_is_not_beside_a_problem(self, console: Client, operator: User) -> None:
        services.create_lease(agency="BLM", lease_number="B0-1", created_by=operator)
        services.create_lease(agency="BLM", lease_number="B01", created_by=operator)

        answer = send(console, file_of("B0-1"))

        assert "BLM already has this lease." in answer.text
        assert "looks like" not in answer.text


class TestTab:
    def test_comes_after_the_problems_and_before_all(self, console: Client) -> None:
        answer = send(console, file_of("NMNM 1", "NMNM-1", "a/b"))
        tabs = answer.context["preview"].tabs

        assert [(tab.label, tab.count, tab.is_chosen) for tab in tabs] == [
            ("Problems", 1, True),
            ("Doubtful", 2, False),
            ("All rows", 3, False),
            ("No leases", 1, False),
        ]
        similar = console.get(answer.request["PATH_INFO"] + tabs[1].url).context["preview"]
        assert [row.lease_number for row in similar.page] == ["NMNM 1", "NMNM-1"]
        assert similar.shown == "similar"

    def test_is_shown_first_where_nothing_is_wrong(self, console: Client) -> None:
        preview = send(console, file_of("NMNM 1", "NMNM-1")).context["preview"]

        assert [(tab.label, tab.is_chosen) for tab in preview.tabs] == [
            ("Doubtful", True),
            ("All rows", False),
            ("No leases", False),
        ]

    def test_that_holds_nothing_leads_to_the_first_that_does(self, console: Client) -> None:
        answer = send(console, file_of("NMNM 1", "a/b"))

        preview = console.get(answer.request["PATH_INFO"], {"show": "similar"}).context["preview"]

        assert preview.shown == ""


class TestCosts:
    def test_are_those_of_one_question(
        self, console: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        answer = send(console, file_of(*[f"NMNM {n}" for n in range(150)], *[f"NMNM-{n}" for n in range(150)]))

        with django_assert_max_num_queries(15):
            preview = console.get(answer.request["PATH_INFO"]).context["preview"]

        assert preview.similar_count == 300


class TestOfZeros:
    def test_name_the_lease_or_the_row(self, console: Client, operator: User) -> None:
        services.create_lease(agency="BLM", lease_number="NMNM 0014321", created_by=operator)

        answer = send(console, file_of("NMNM 14321", "VB-0514-1", "VB-514-1", "VB-0514-0001"))

        assert "BLM already has NMNM 0014321, which differs only in zeros." in answer.text
        assert answer.text.count("Differs only in zeros from VB-0514-1 in row 3 and from 1 other like it.") == 2

    def test_are_told_beside_what_only_looks_right(self, console: Client, operator: User) -> None:
        services.create_lease(agency="BLM", lease_number="VB-0514", created_by=operator)

        answer = send(console, file_of("VB\N{EN DASH}514"))

        assert "(en dash) only looks like “-”; type it again by hand." in answer.text
        assert "BLM already has VB-0514, which differs only in zeros and blanks or dashes." in answer.text


class TestDoubts:
    @pytest.mark.parametrize(
        "number", ["NMNM 14321", "NMNM0014321", "'NMNM 14321", "N\N{CYRILLIC CAPITAL LETTER EM}NM 14321", "NMNM  14321"]
    )
    def test_name_another_lease(self, operator: User, number: str) -> None:
        services.create_lease(agency="BLM", lease_number="NMNM 0014321", created_by=operator)

        assert "BLM already has NMNM 0014321, which differs only in" in doubts_about(agency="BLM", number=number)[-1]

    def test_say_how_many_more_there_are(self, operator: User) -> None:
        there = [
            services.create_lease(agency="BLM", lease_number=number, created_by=operator).pk
            for number in ("NMNM 0501759", "NMNM O501759", "NMNM 501759", "nmnm0501759")
        ]

        told = [doubts_about(agency="BLM", number="NMNM 0501759", besides=pk)[-1] for pk in (None, there[0])]

        assert told[0].endswith(", and 3 others like it.")
        assert told[1].endswith(", and 2 others like it.")

    def test_are_none_about_the_lease_itself(self, operator: User) -> None:
        there = services.create_lease(agency="BLM", lease_number="NMNM 0014321", created_by=operator)

        assert doubts_about(agency="BLM", number="NMNM 0014321", besides=there.pk) == []
        assert "already has" not in "".join(doubts_about(agency="NMSLO", number="NMNM 14321"))

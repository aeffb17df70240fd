"""Words for agencies: said once by somebody, remembered for everybody; nothing is taken for granted."""

import pytest
from django.contrib.auth.models import User

from leases import agency_words
from leases.agency_words import agency_of, fold, known_words, likely_agency, own_names, remember
from leases.errors import TooManyWords
from leases.models import Agency, AgencyWord
from statemachine.errors import TransitionForbidden

pytestmark = pytest.mark.django_db


class TestOwnNames:
    @pytest.mark.parametrize(
        ("cell", "agency"),
        [
            ("BLM", "BLM"),
            (" b.l.m. ", "BLM"),
            ("bureau of  land management", "BLM"),
            ("NMSLO (New Mexico State Land Office)", "NMSLO"),
            ("\uff22\uff2c\uff2d", "BLM"),
            ("B\u200bLM", "BLM"),
            ("Federal", "Federal"),
            ("", ""),
        ],
    )
    def test_are_known_however_they_are_written(self, cell: str, agency: str) -> None:
        assert agency_of(cell, own_names()) == agency


class TestRemember:
    def test_holds_for_everybody_whatever_the_case(self, olivia: User) -> None:
        remember(words={"U.S.A.": "BLM", "State": "NMSLO"}, user=olivia)

        words = known_words()

        assert [agency_of(cell, words) for cell in ("usa", "STATE ", "BLM", "x")] == ["BLM", "NMSLO", "BLM", "x"]
        word = AgencyWord.objects.get(word="usa")
        assert (word.said_by, word.said_at is not None, str(word)) == (olivia, True, "usa: BLM")

    def test_can_be_said_otherwise_and_taken_back(self, olivia: User) -> None:
        remember(words={"State": "BLM", "Federal": "BLM"}, user=olivia)

        remember(words={"state": "NMSLO", "FEDERAL": ""}, user=olivia)

        assert dict(AgencyWord.objects.values_list("word", "agency")) == {"state": "NMSLO"}

    def test_keeps_nothing_that_is_no_word_or_no_agency(self, olivia: User) -> None:
        remember(words={"": "BLM", "...": "BLM", "x" * 101: "BLM", "y": "XYZ", "blm": "NMSLO"}, user=olivia)

        assert not AgencyWord.objects.exists()
        assert agency_of("BLM", known_words()) == "BLM"

    def test_is_for_who_may_make_leases(self, viewer: User) -> None:
        with pytest.raises(TransitionForbidden):
            remember(words={"State": "NMSLO"}, user=viewer)

        assert not AgencyWord.objects.exists()

    def test_ends_where_nobody_would_look_through(self, olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(agency_words, "MOST", 2)

        with pytest.raises(TooManyWords):
            remember(words={"a": "BLM", "b": "BLM", "c": "BLM"}, user=olivia)

        assert not AgencyWord.objects.exists()

    def test_outlives_who_has_said_it(self, olivia: User) -> None:
        remember(words={"State": "NMSLO"}, user=olivia)

        olivia.delete()

        assert known_words()["state"] == "NMSLO"


@pytest.mark.parametrize(
    ("word", "agency"),
    [
        ("Federal", Agency.BLM),
        ("USA", Agency.BLM),
        ("United States of America", Agency.BLM),
        ("U.S. Bureau of Land Management", Agency.BLM),
        ("State", Agency.NMSLO),
        ("SLO", Agency.NMSLO),
        ("State Land Office", Agency.NMSLO),
        ("State of New Mexico", Agency.NMSLO),
        ("Anna Smith", ""),
        ("State of Texas", ""),
    ],
)
def test_what_a_word_likely_means_is_offered(word: str, agency: str) -> None:
    assert likely_agency(word) == agency
    assert fold(word) not in own_names()

"""What only the database refuses is told in the words of the rule that was broken."""

import pytest
from django.db import IntegrityError

from leases import services
from leases.errors import InvalidLease
from leases.models import Lease


class TestWhatTheDatabaseRefuses:
    def test_is_told_in_the_rule_s_own_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "broken_constraint", lambda _: "leases_lease_number_is_a_name")

        said = services._translated(IntegrityError(), Lease(agency="BLM", lease_number="a/b"))

        assert isinstance(said, InvalidLease)
        assert str(said) == "A lease number is one folder name: no slashes, no “..”, no blanks around it."

    def test_is_left_as_it_is_where_no_rule_of_ours_was_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        error = IntegrityError()
        monkeypatch.setattr(services, "broken_constraint", lambda _: "another")

        assert services._translated(error, Lease()) is error

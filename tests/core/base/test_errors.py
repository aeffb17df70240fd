"""A failure's class says everything that is said of it."""

import pytest

from cloud.errors import CONFIGURED, AtCeiling, LinkExists, NeedsReconnect, TokenRejected
from core.base.errors import RunsheetError, Temporary, codes_where, failure_of, mended_by, words_for


class TestFailureOf:
    def test_finds_the_class_that_names_the_code(self) -> None:
        assert failure_of("connect_dropbox") is NeedsReconnect
        assert failure_of(LinkExists.code).__name__ == "DropboxUnavailable"

    def test_makes_do_with_a_code_that_nobody_knows(self) -> None:
        assert failure_of("of_yesterday") is RunsheetError
        assert words_for("of_yesterday") == "of yesterday"

    def test_refuses_a_code_that_another_failure_has(self) -> None:
        with pytest.raises(TypeError, match="that of NeedsReconnect; take another"):
            type("Second", (Temporary,), {"code": "connect_dropbox"})

        assert failure_of("connect_dropbox") is NeedsReconnect

    def test_knows_a_new_failure_by_its_class_alone(self) -> None:
        class NoInk(Temporary):
            """The printer has no ink."""

            code = "no_ink_for_this_test"
            words = "no ink"
            mended_by = frozenset({"refilled"})

        assert failure_of("no_ink_for_this_test") is NoInk
        assert (words_for(NoInk.code), mended_by("refilled")) == ("no ink", (NoInk.code,))


class TestCodesWhere:
    def test_names_each_code_once(self) -> None:
        assert codes_where(lambda failure: issubclass(failure, NeedsReconnect)) == (TokenRejected.code,)

    def test_leaves_out_a_kind_that_says_otherwise_than_what_it_is_a_kind_of(self) -> None:
        assert AtCeiling.code not in codes_where(lambda failure: failure.ails)

    def test_knows_what_goes_on_at_an_event(self) -> None:
        assert {"configuration_missing", "base_path_missing", "unsafe_path"} <= set(mended_by(CONFIGURED))
        assert mended_by("of no app") == ()

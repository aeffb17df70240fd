import time

import pytest

from core.base.patterns import PatternRefused, compiled

# Each takes a backtracking engine longer than anybody waits for a text of this length.
GREEDY = ["(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", ".*.*.*.*.*=.*x"]


class TestCompiled:
    @pytest.mark.parametrize("text", ["Master Documents.pdf", "the MASTER DOCUMENTS"])
    def test_matches_anywhere_in_any_case(self, text: str) -> None:
        assert compiled("master documents")(text)

    def test_says_when_it_does_not_match(self) -> None:
        assert not compiled("^master")("a master")

    def test_knows_the_upper_case_of_other_letters(self) -> None:
        assert compiled("résumé")("RÉSUMÉ.pdf")

    @pytest.mark.parametrize("pattern", GREEDY)
    def test_no_pattern_takes_long_for_a_long_name(self, pattern: str) -> None:
        matches = compiled(pattern)
        before = time.process_time()

        matches("a" * 100_000 + "!")

        assert time.process_time() - before < 1

    @pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?!a)b", r"(a)\1", r"\uD800", "\ud800"])
    def test_refuses_what_it_cannot_match(self, pattern: str) -> None:
        with pytest.raises(PatternRefused, match=r".+\.$"):
            compiled(pattern)

    @pytest.mark.parametrize("pattern", ["(?:a{1000}){1000}", r"(?:[\p{L}\p{N}]{100}){9}", "((((a{9}){9}){9}){9}){9}"])
    def test_refuses_what_would_fill_the_memory(self, pattern: str) -> None:
        with pytest.raises(PatternRefused):
            compiled(pattern)

    def test_reads_a_name_that_no_encoding_has_a_place_for(self) -> None:
        assert compiled("master")("\ud800 master")

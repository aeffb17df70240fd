"""A pattern and a text in whatever typography."""

import pytest

from core.patterns import PatternRefused, compiled, compiled_as_it_looks, pattern_as_it_looks

NBSP, THIN, SOFT, ZERO = "\u00a0", "\u2009", "\u00ad", "\u200b"


class TestPatternAsItLooks:
    @pytest.mark.parametrize(
        ("pattern", "folded"),
        [
            (".*master documents.*", ".*master documents.*"),
            (f"master{NBSP}documents", "master documents"),
            (f"master {THIN} documents", "master documents"),
            (r"master\s+documents", "master documents"),
            (r"master\s\s*documents", "master documents"),
            (r"master\s*documents", "master ?documents"),
            ("master {2,}documents", "master documents"),
            ("master {0,3}documents", "master ?documents"),
            ("master +?documents", "master documents"),
            (r"master[ \t]+documents", "master documents"),
            (r"master[[:space:]]documents", "master documents"),
            (r"master\x{a0}documents", "master documents"),
            (r"master\ documents", "master documents"),
            (f"mas{SOFT}ter{ZERO}", "master"),
            (f"mas{SOFT}?ter", "master"),
            ("\uff4d\uff41ster", "master"),
            ("a\uff0eb", r"a\.b"),
            ("a\uff0a", r"a\*"),
            ("a\u2013b", r"a\-b"),
            ("owner\u2019s", r"owner\'s"),
            ("\ufb01nal", "final"),
            ("\ufb01+nal", "(?:fi)+nal"),
            ("\u041caster", "master"),
            ("re\u0301sume\u0301", "r\u00e9sum\u00e9"),
            ("[a\u2013\u2014]b", r"[a\-\-]b"),
            ("[^\u2019x]", r"[^\'x]"),
            ("[\u00ad]x", "[\u00ad]x"),
            ("[\u0410-\u042f]", "[\u0410-\u042f]"),
            ("[]a]", "[]a]"),
            (r"\Qa.b  c\E+", r"a\.b c+"),
            (r"\x2e", r"\x2e"),
            (r"\x{2e}", r"\."),
            (r"\p{Lu}\pL\W\S\d\bx", r"\p{Lu}\pL\W\S\d\bx"),
            (r"(?P<one>a)(?i:b)(?-i)c|^d$", r"(?P<one>a)(?i:b)(?-i)c|^d$"),
            (r"a{2}?b*?[[:alpha:]]{3,}", r"a{2}?b*?[[:alpha:]]{3,}"),
        ],
    )
    def test_folds_characters_and_no_syntax(self, pattern: str, folded: str) -> None:
        assert pattern_as_it_looks(pattern) == folded
        compiled(folded)

    def test_done_twice_says_the_same(self) -> None:
        pattern = f"master{NBSP} {THIN}*[{NBSP}\u2013x]+\ufb01\\s?"

        assert pattern_as_it_looks(pattern_as_it_looks(pattern)) == pattern_as_it_looks(pattern)


class TestCompiledAsItLooks:
    @pytest.mark.parametrize(
        "name",
        [
            "Master Documents.pdf",
            f"Master{NBSP}Documents.pdf",
            f"Master {THIN} Documents.pdf",
            "Master  Documents.pdf",
            f"Mas{SOFT}ter Docu{ZERO}ments.pdf",
            "\uff2d\uff41\uff53\uff54\uff45\uff52\u3000Documents.pdf",
            "\u041caster Documents.pdf",
            "Master\u3000Documents.pdf",
            "\ufeffMaster Documents.pdf",
        ],
    )
    @pytest.mark.parametrize(
        "pattern",
        [
            ".*master documents.*",
            f"master{NBSP}documents",
            r"master\s+documents",
            r"^master documents\.pdf$",
            r"\Qmaster documents\E",
            r"master[ _-]documents",
            r"master\s\s*documents",
        ],
    )
    def test_finds_what_a_reader_reads(self, pattern: str, name: str) -> None:
        assert compiled_as_it_looks(pattern)(name)

    @pytest.mark.parametrize(
        ("pattern", "name"),
        [
            ("master  documents", "Master  Documents.pdf"),
            (r"\x{a0}", f"a{NBSP}b"),
            (r"[\x{2000}-\x{200f}]", f"a{THIN}b"),
            ("(?-i)Master", "Master"),
            ("^ master", " master"),
            ("\u2013", "a\u2013b"),
            ("[\u2013-\u2014]", "a\u2013b"),
        ],
    )
    def test_loses_nothing_that_matches_as_it_stands(self, pattern: str, name: str) -> None:
        assert compiled(pattern)(name)
        assert compiled_as_it_looks(pattern)(name)

    @pytest.mark.parametrize(
        "name", ["MasterDocuments.pdf", "Master.pdf", "Master_Documents.pdf", "Mester Documents.pdf"]
    )
    def test_takes_nothing_else_for_it(self, name: str) -> None:
        assert not compiled_as_it_looks(".*master documents.*")(name)

    @pytest.mark.parametrize("pattern", [f"({ZERO}|master)", f"a|{SOFT}", f"^{ZERO}"])
    def test_what_nobody_sees_in_a_pattern_does_not_make_a_report_of_every_file(self, pattern: str) -> None:
        assert not compiled_as_it_looks(pattern)("Zoning.pdf")

    def test_a_pattern_that_minds_the_case_is_asked_of_no_other_case(self) -> None:
        assert not compiled_as_it_looks("(?-i:master) documents")("MASTER documents")
        assert compiled_as_it_looks("(?-i:master) documents")("master Documents")

    def test_a_pattern_that_folding_breaks_is_asked_as_it_is(self) -> None:
        assert compiled_as_it_looks("[\ufb01-\ufb02]x")("\ufb01x")

    def test_refuses_what_is_no_pattern(self) -> None:
        with pytest.raises(PatternRefused):
            compiled_as_it_looks("(")

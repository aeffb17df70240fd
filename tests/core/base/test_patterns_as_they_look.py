"""A pattern and a text in whatever typography."""

import unicodedata

import pytest

from core.base.folding import FILLERS, FORMATS_SEEN
from core.base.patterns import PatternRefused, compiled, compiled_as_it_looks
from tests.characters import EVERY_CHARACTER

NBSP, THIN, SOFT, ZERO = "\u00a0", "\u2009", "\u00ad", "\u200b"
BLANKS = [char for char in EVERY_CHARACTER if unicodedata.category(char) in {"Zs", "Zl", "Zp"}]
BLANKS += ["\t", "\n", "\v", "\f", "\r", *FILLERS]
# Controls, formats, and the marks and places for marks that Unicode calls ignorable.
UNSEEN = [char for char in EVERY_CHARACTER if unicodedata.category(char) in {"Cc", "Cf"} and char not in FORMATS_SEEN]
UNSEEN = [char for char in UNSEEN if char not in BLANKS]
UNSEEN += ["\u034f", "\u17b4", "\u17b5", "\u180b", "\u180c", "\u180d", "\u180f", "\u2065"]
UNSEEN += map(chr, [*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)])
# Of those that lie side by side, one stands for all.
FIRST_UNSEEN = [char for char in UNSEEN if chr(ord(char) - 1 if ord(char) else 0x10FFFF) not in UNSEEN]


def spellings(char: str) -> list[str]:
    """How a pattern may write a character."""
    number = ord(char)
    ways = [
        char,
        f"\\x{{{number:x}}}",
        f"[{char}]",
        f"[{char}{char}]",
        f"[\\x{{{number:x}}}]",
        f"\\U{number:08x}",
        f"\\Q{char}\\E",
    ]
    ways += [f"[{char}-{char}]", f"(?:{char})", f"({char}|{char})", f"{char}+", f"[{char}]{{1}}"]
    ways += [f"\\u{number:04X}", f"[\\u{number:04X}]"] if number <= 0xFFFF else []
    ways += [f"\\x{number:02X}", f"[\\x{number:02x}]"] if number <= 0xFF else []
    ways += [f"\\{number:03o}", f"[\\{number:03o}]"] if number <= 0o777 else []
    name = unicodedata.name(char, "")
    return [*ways, f"\\N{{{name}}}", f"[\\N{{{name}}}]"] if name else ways


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

    def test_a_range_of_letters_stays_one(self) -> None:
        assert compiled_as_it_looks("[\ufb01-\ufb02]x")("\ufb01x")
        assert not compiled_as_it_looks("[\u0410-\u042f]")("Zoning.pdf")
        assert not compiled_as_it_looks(r"[^\x00-\x7F]")("Zoning.pdf")
        assert not compiled_as_it_looks(r"[\x80-\xFF]|[\x{80}-\x{10FFFF}]")("Zoning - 2.pdf")

    @pytest.mark.parametrize("char", BLANKS)
    def test_no_blank_decides(self, char: str) -> None:
        plain, odd = "Master Documents.pdf", f"Master{char}Documents.pdf"

        assert compiled_as_it_looks(".*master documents.*")(odd)
        for way in spellings(char):
            assert compiled_as_it_looks(f"Master{way}Documents")(plain), way
            assert compiled_as_it_looks(f"Master{way}Documents")(odd), way
            assert not compiled_as_it_looks(f"Master{way}Documents")("MasterDocuments.pdf"), way

    @pytest.mark.matrix
    def test_nothing_that_nobody_sees_decides_in_a_name(self) -> None:
        matches = compiled_as_it_looks(".*master documents.*")

        hidden = [
            f"U+{ord(char):04X}"
            for char in UNSEEN
            if not all(map(matches, [f"Master {char}Documents.pdf", f"{char}Mas{char}{char}ter Documents"]))
        ]

        assert hidden == []

    @pytest.mark.parametrize("char", FIRST_UNSEEN)
    def test_nothing_that_nobody_sees_decides_in_a_pattern(self, char: str) -> None:
        for way in spellings(char):
            matches = compiled_as_it_looks(f"Mas{way}ter Docu{way}ments")
            assert matches("Master Documents.pdf"), way
            assert matches(f"Mas{char}ter{NBSP}Documents.pdf"), way
            assert not matches("Zoning.pdf"), way
            assert not compiled_as_it_looks(f"master ({way}|documents)")("Master Plan.pdf"), way
            assert not compiled_as_it_looks(way)("Zoning.pdf"), way

    @pytest.mark.parametrize("char", sorted(FORMATS_SEEN))
    def test_a_format_that_is_drawn_stays(self, char: str) -> None:
        assert not compiled_as_it_looks(".*master documents.*")(f"Mas{char}ter Documents.pdf")

    @pytest.mark.parametrize(
        ("pattern", "name"),
        [
            (r"master\xA0documents", "Master Documents"),
            (r"master\240documents", f"Master{THIN}Documents"),
            (r"master\N{NBSP}documents", "Master Documents"),
            (r"master\N{NO-BREAK SPACE}\u2009documents", "Master Documents"),
            ("a[\u2010-\u2015]b", "a-b"),
            (r"a[\x{2010}-\x{2015}]b", "a-b"),
            (r"a[\u2010-\u2015]b", "a\u2212b"),
            (r"master[\x{2000}-\x{200a}]+documents", "Master Documents"),
            (r"master[\x{2000}-\x{206f}]documents", "Master Documents"),
            (r"mas[\x{200b}-\x{200f}]ter", "Master"),
            ("[\uff2d-\uff2f]aster", "Master"),
            ("[\u2018-\u201f]a[\u2018-\u201f]", '"a"'),
            (f"mas[{ZERO}{SOFT}]ter", "Master"),
            (f"master {ZERO} documents", "Master Documents"),
            (f"master {ZERO}* {SOFT}documents", "Master Documents"),
            (f"master[ _{ZERO}]documents", "Master Documents"),
            (f"[{ZERO}^a]x", "^x"),
            (r"master\p{Cf}documents", "MasterDocuments"),
            (r"master\p{Cf}* documents", f"Master{NBSP}Documents"),
            (r"master[\p{Cf}[:cntrl:]]documents", "MasterDocuments"),
            (r"mas[^\x{200b}]er", "Master"),
            (r"\p{Pi}master documents\p{Pf}", f"\u201cMaster{NBSP}Documents\u201d.pdf"),
            ("[\u0410-\u042f]\u0416 master documents", f"\u042f\u0416 Master{NBSP}Documents"),
            (r"\p{Cyrillic}+ master documents", f"\u0410\u0412 Master{NBSP}Documents"),
            (r"a[ _]{2}b", f"a{NBSP}{NBSP}b"),
            ("documents $", f"Master Documents{NBSP}"),
            ("(?-i:Master) Documents", f"Master{NBSP}{NBSP}Documents"),
            (f"(?-i:Mas{SOFT}ter){NBSP}Documents", "Master Documents"),
            ("(?-i)A\u2013B", "A-B"),
            ("[\ufb01x]nal", "\ufb01nal"),
            ("[\ufb01x]nal", "final"),
            (r"re\x{301}sume\u0301", "r\u00e9sum\u00e9"),
            ("e[\u0301]", "e\u0301"),
            ("(?P<n>\u0338a)", "\u0338a"),
            ("master\\pN\u0301", "Master1\u0301"),
            ("\u212bngstrom", "\u00c5ngstrom"),
            (f"(?s){ZERO}|a.b", "a\nb"),
            (f"((?s){ZERO}|a.b)c", f"A\nB{SOFT}c"),
            (r"\Q[a]\E{2}", "[a]]"),
            (r"a\Q\E{2}b", f"aa{SOFT}b"),
            ("ab{01}", f"ab{ZERO}{{01}}"),
            (r"\07", "a\ab"),
        ],
    )
    def test_reads_whatever_is_written_in_a_pattern(self, pattern: str, name: str) -> None:
        assert compiled_as_it_looks(pattern)(name)

    @pytest.mark.parametrize(
        ("pattern", "name"),
        [
            (f"master ({ZERO}|documents)", "Master Plan.pdf"),
            (f"master (?:x|(?P<odd>{ZERO}|[{SOFT}]+))", "Master Plan.pdf"),
            (f"master ({ZERO}.*|documents)", "Master Plan.pdf"),
            (f"master (^{ZERO}|\\b{SOFT}|documents)", "Master Plan.pdf"),
            (f"a|(b|{ZERO}$)", "Zoning.pdf"),
            (f".{ZERO}", "Zoning.pdf"),
            (f"{ZERO}.*", "Zoning.pdf"),
            (f"\\w+{ZERO}", "Zoning.pdf"),
            (f"[a-z]+{ZERO}", "Zoning.pdf"),
            (r"\p{Cf}", "Zoning.pdf"),
            (r"[\x80-\x9f]", "Zoning.pdf"),
            (r"[[:cntrl:]]", "Zoning.pdf"),
            (f"((?-i)Master |{ZERO})Plan", "master Plan"),
            ("[\ufb01]nal", "Inal"),
        ],
    )
    def test_does_not_find_everything(self, pattern: str, name: str) -> None:
        assert not compiled_as_it_looks(pattern)(name)

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [
            ("(", r"missing \): \(\."),
            (r"\N{NO SUCH BLANK}", "there is no character of the name “NO SUCH BLANK”\\."),
            (r"\N{LATIN SMALL LETTER R WITH TILDE}", "there is no character of the name"),
            (r"\N", r"invalid escape sequence"),
            (r"\N{", r"invalid escape sequence"),
            (r"\u12", r"invalid escape sequence"),
            (r"\uD800", r"it is no text\."),
            (r"[\x{D800}]", r"it is no text\."),
            (r"\U00110000", r"invalid escape sequence"),
            ("(?:[\ufb01-\ufb02]{1000}){99}", r".+\.$"),
        ],
    )
    def test_refuses_what_it_cannot_ask(self, pattern: str, reason: str) -> None:
        with pytest.raises(PatternRefused, match=reason):
            compiled_as_it_looks(pattern)

    def test_leaves_what_is_quoted(self) -> None:
        assert compiled_as_it_looks(r"\Q\u0041\E")(r"a\u0041")
        assert compiled_as_it_looks(r"\\u0041")(r"a\u0041")

    def test_reads_a_name_that_no_encoding_has_a_place_for(self) -> None:
        assert compiled_as_it_looks("master documents")(f"\ud800 Master{NBSP}Documents")

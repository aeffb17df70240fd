"""How a pattern is rewritten."""

import pytest

from core.base.folded_patterns import folded_pattern
from core.base.folding import char_as_it_looks
from core.base.patterns import compiled

NBSP, THIN, SOFT, ZERO = "\u00a0", "\u2009", "\u00ad", "\u200b"


class TestFoldedPattern:
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
            ("[a\u2013\u2014]b", r"[a\-]b"),
            ("[^\u2019x]", r"[^\'x]"),
            ("[\u00ad]x", "x"),
            ("[\u0410-\u042f]", "[\u0410-\u042f]"),
            ("[]a]", r"[\]a]"),
            (r"\Qa.b  c\E+", r"a\.b c+"),
            (r"\x2e", r"\x2e"),
            (r"\x{2e}", r"\x{2e}"),
            (r"\p{Lu}\pL\W\S\d\bx", r"\p{Lu}\pL\W\S\d\bx"),
            (r"(?P<one>a)(?i:b)(?-i)c|^d$", r"(?P<one>a)(?i:b)(?-i)c|^d$"),
            (r"a{2}?b*?[[:alpha:]]{3,}", r"a{2}?b*?[[:alpha:]]{3,}"),
            (r"a*(?s){2}", r"(?:a*){2}(?s)"),
            (r"a{2}\Q\E?", r"(?:a{2})?"),
            (f"(|{ZERO})a", "a"),
            (f"a({SOFT}|{ZERO})+b", "ab"),
            (f"({SOFT}.*)b", "(.*)b"),
            (r"[\x{2010}-\x{2016}]", r"[\x{2010}-\x{2016}\-]"),
            (r"[\x{2010}-\x{2015}\x{a0}x]", r"[\- x]"),
            (r"[\x{2000}-\x{200a}]+", " "),
            (r"[\x{200b}-\x{200f}\x{2020}-\x{2028}]", r"[\x{2020}-\x{2028} ]"),
            ("[\ufb01x]", "(?:[x]|fi)"),
            (r"[\x{2010}-\x{2212}]", r"""(?:[\x{2010}-\x{2212}\-\'\" ]|\'\')"""),
            (r"[\x{20a0}-\x{20bf}]", r"[\x{20a0}-\x{20bf}]"),
            (r"[\x{a0}-\x{ff}]", r"[\x{a0}-\x{ff}]"),
            ("[^\ufb01x]", "[^x\ufb01]"),
            (f"[^{ZERO}]", f"[^{ZERO}]"),
            ("[\uff21-\uff3a]", "[A-Z]"),
            (r"[[:alpha:]\p{Cf}]", "[[:alpha:]]"),
        ],
    )
    def test_folds_characters_and_no_syntax(self, pattern: str, folded: str) -> None:
        assert folded_pattern(pattern, char_as_it_looks) == folded
        compiled(folded)

    def test_done_twice_says_the_same(self) -> None:
        pattern = f"master{NBSP} {THIN}*[{NBSP}\u2013x]+\ufb01\\s?"

        assert folded_pattern(folded_pattern(pattern, char_as_it_looks) or "", char_as_it_looks) == folded_pattern(
            pattern, char_as_it_looks
        )

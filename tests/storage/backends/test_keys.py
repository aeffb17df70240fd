import pytest

from storage.backends.errors import BadKey
from storage.backends.keys import LONGEST_KEY_BYTES, LONGEST_PART_BYTES, check_key, check_prefix

GOOD = [
    "17/documents/4/1/deed.pdf",
    "a",
    "a.b/..c/d..",
    "straße/рецепт/文書.pdf",
    "with blank/and #?%&=+.txt",
    "n" * LONGEST_PART_BYTES,
    "/".join(["p" * 127] * 8),
]
BAD = [
    ("", "it is empty"),
    ("/", "it begins with a slash"),
    ("/a", "it begins with a slash"),
    ("a/", "it ends with a slash"),
    ("a//b", "a part of it is empty, “.” or “..”"),
    (".", "a part of it is empty, “.” or “..”"),
    ("a/./b", "a part of it is empty, “.” or “..”"),
    ("../a", "a part of it is empty, “.” or “..”"),
    ("a/..", "a part of it is empty, “.” or “..”"),
    ("a\\b", "it has a backslash"),
    ("a\0b", "it has a control character"),
    ("a\nb", "it has a control character"),
    ("a\x7f", "it has a control character"),
    ("a\x85b", "it has a control character"),
    ("a\udcffb", "it is no Unicode text"),
    ("é" * 128, "a part of it has more than 255 bytes"),
    ("/".join(["p" * 128] * 8), "it has more than 1,024 bytes"),
]


class TestCheckKey:
    @pytest.mark.parametrize("key", GOOD, ids=ascii)
    def test_lets_pass_what_every_place_takes(self, key: str) -> None:
        assert len(key.encode()) <= LONGEST_KEY_BYTES
        assert check_key(key) == key

    @pytest.mark.parametrize(("key", "reason"), BAD, ids=lambda each: ascii(each)[:30])
    def test_refuses_the_rest_and_says_why(self, key: str, reason: str) -> None:
        with pytest.raises(BadKey) as refusal:
            check_key(key)

        sentence = str(refusal.value)
        assert sentence.startswith("Nothing can be stored under '")
        assert sentence.endswith(f": {reason}.")
        assert sentence.isprintable()

    def test_does_not_repeat_a_name_without_end(self) -> None:
        with pytest.raises(BadKey) as refusal:
            check_key("x" * 1_000_000)

        assert len(str(refusal.value)) < 250


class TestCheckPrefix:
    @pytest.mark.parametrize("prefix", ["", "17/", "17/documents/4/1/de", "a/b"])
    def test_lets_pass_what_keys_can_begin_with(self, prefix: str) -> None:
        assert check_prefix(prefix) == prefix

    @pytest.mark.parametrize("prefix", ["/", "//", "a//", "../", "a/./", "a\\", "a\n"])
    def test_refuses_what_none_can_begin_with(self, prefix: str) -> None:
        with pytest.raises(BadKey, match=r"^No name in storage begins with "):
            check_prefix(prefix)

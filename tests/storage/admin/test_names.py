"""How a path is shown."""

import pytest

from storage.admin.names import name_of, visible


class TestVisible:
    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("7/Deed of 1902.pdf", "7/Deed of 1902.pdf"),
            ("7/Ångström – Vertrag.pdf", "7/Ångström – Vertrag.pdf"),  # noqa: RUF001
            ("7/עברית.pdf", "7/עברית.pdf"),
            ("a\nb\tc\x00\x7f\x9b", r"a\nb\tc\x00\x7f\x9b"),
            ("a\u202eb\u2066c\u200ed", r"a\u202eb\u2066c\u200ed"),
            ("a\u00adb\u00a0c\ufeff\u2028", r"a\xadb\xa0c\ufeff\u2028"),
            ("a\u3164b\u2800", r"a\u3164b\u2800"),
            ("می\u200cشود 👩\u200d🚀", "می\u200cشود 👩\u200d🚀"),
            ("\ud800", r"\ud800"),
        ],
    )
    def test_leaves_what_is_seen_and_names_what_is_not(self, text: str, seen: str) -> None:
        assert visible(text) == seen


def test_a_name_is_escaped_and_stands_for_itself() -> None:
    assert name_of("<b>\u202e") == '<bdi class="exact">&lt;b&gt;\\u202e</bdi>'

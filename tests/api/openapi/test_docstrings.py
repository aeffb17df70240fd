"""What a client is told of the docstrings of the house."""

from typing import Any

from api.openapi.docstrings import attributes_of, describe, raised_by, text_of

DOCSTRING = """A file, or a folder,
    as it is known.

    Nobody opens it.

    Attributes:
        size: in bytes; empty for
            a folder.
        name: without its path.

    Raises:
        RootUnknown, SearchTooLong,
            PermissionDenied: nothing was looked for.
        RunGone: there is none; see `Refused: x`.
    """


class TestDocstrings:
    def test_have_a_text_before_their_sections(self) -> None:
        assert text_of(DOCSTRING) == "A file, or a folder, as it is known.\n\nNobody opens it."

    def test_tell_of_attributes(self) -> None:
        assert attributes_of(DOCSTRING) == {"size": "in bytes; empty for a folder.", "name": "without its path."}

    def test_tell_what_is_raised(self) -> None:
        assert raised_by(DOCSTRING) == {"RootUnknown", "SearchTooLong", "PermissionDenied", "RunGone"}

    def test_may_have_no_sections(self) -> None:
        assert (text_of("A file."), attributes_of("A file."), raised_by("A file.")) == ("A file.", {}, set())


class TestDescribe:
    def test_gives_each_property_its_words(self) -> None:
        schema: dict[str, Any] = {
            "description": DOCSTRING,
            "properties": {"size": {}, "name": {"description": "Ours."}},
        }

        describe(schema)

        assert schema == {
            "description": "A file, or a folder, as it is known.\n\nNobody opens it.",
            "properties": {
                "size": {"description": "in bytes; empty for a folder."},
                "name": {"description": "Ours."},
            },
        }

    def test_leaves_alone_what_says_nothing_of_them(self) -> None:
        schema = {"description": "A\n  file."}

        describe(schema)

        assert schema == {"description": "A\n  file."}

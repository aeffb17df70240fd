import pytest

from discovery.services.program_remains import TOLD_AT_MOST, is_remains, told_of_remains


class TestIsRemains:
    @pytest.mark.parametrize(
        "name", ["desktop.ini", "Thumbs.db", ".DS_Store", "~WRL0001.tmp", "~$a.xlsx", ".dropbox", "a.pdf.part"]
    )
    def test_knows_what_programs_leave(self, name: str) -> None:
        assert is_remains(name)

    @pytest.mark.parametrize("name", ["Master Documents.pdf", "desktop.ini.pdf", "part.pdf", "a~$b.docx", "$~a.pdf"])
    def test_knows_nothing_else(self, name: str) -> None:
        assert not is_remains(name)


class TestToldOfRemains:
    def test_is_nothing_of_none(self) -> None:
        assert told_of_remains(()) == {}

    def test_names_them(self) -> None:
        assert told_of_remains(("~$a", "~$b")) == {"passed_over": ["~$a", "~$b"]}

    def test_is_bounded(self) -> None:
        told = told_of_remains([f"~${n}" for n in range(30_000)])["passed_over"]

        assert len(told) == TOLD_AT_MOST + 1
        assert told[-1] == "and 29980 more"

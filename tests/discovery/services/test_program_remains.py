import pytest
from pytest_django.fixtures import Settings

from discovery.services.program_remains import TOLD_AT_MOST, is_remains, told_of_remains

# What a program leaves, and beside it what somebody may have called a report.
REMAINS = [
    # Owner and lock files, backups and unsaved copies of office programs.
    ("~$Master Documents.docx", "\uff5e$Master Documents.docx"),
    ("\ufeff~$Master Documents.docx", "$~Master Documents.docx"),
    (".~lock.Master Documents.odt#", "lock.Master Documents.odt"),
    ("~Master Documents.tmp", "~Master Documents.pdf"),
    ("~WRL0001 Master Documents.tmp", "Master Documents tmp.pdf"),
    ("Master Documents.doc~RF1a2b3c.TMP", "Master Documents RF1a2b3c.doc"),
    ("Backup of Master Documents.wbk", "Backup of Master Documents.docx"),
    ("AutoRecovery save of Master Documents.asd", "AutoRecovery save of Master Documents.docx"),
    ("Master Documents.laccdb", "Master Documents.accdb"),
    ("Master Documents.ldb", "Master Documents ldb.mdb"),
    ("Master Documents.dwl", "Master Documents dwl.dwg"),
    ("Master Documents.dwl2", "Master Documents.dwg"),
    ("Master Documents.pdf.temp", "Master Documents temp.pdf"),
    # Editors.
    (".#Master Documents.pdf", "#Master Documents.pdf"),
    ("#Master Documents.pdf#", "#12 Master Documents #3.pdf"),
    ("#Master Documents.docx#", "#1 Master Documents #"),
    ("Master Documents.pdf~", "Master Documents~.pdf"),
    ("Master Documents.docx~", "Master Documents ~"),
    ("Master Documents.bak~", "Master Documents.bak~.pdf"),
    (".Master Documents.pdf.swp", "Master Documents swp.pdf"),
    (".Master Documents.pdf.swo", "Master Documents.swo"),
    (".Master Documents.pdf.swn", "Master Documents.swm"),
    (".Master Documents.txt.kate-swp", "Master Documents kate-swp.txt"),
    # Systems that save, keep elsewhere, or point to another place.
    ("Master Documents.pdf.sb-1a2b3c4d-XyZaBc", "Master Documents.sb-1a2b3c4d-XyZaBc.pdf"),
    ("._Master Documents.pdf", "_Master Documents.pdf"),
    (".Master Documents.pdf.icloud", "Master Documents icloud.pdf"),
    ("Master Documents.pdf - Shortcut.lnk", "Master Documents lnk.pdf"),
    ("Master Documents.url", "Master Documents url.pdf"),
    ("Master Documents.webloc", "Master Documents.webloc.pdf"),
    ("Master Documents.website", "Master Documents website.pdf"),
    ("Master Documents.desktop", "Master Documents desktop.pdf"),
    # Downloads that have not ended.
    ("Master Documents.pdf.crdownload", "crdownload Master Documents.pdf"),
    ("Master Documents.pdf.crswap", "Master Documents.crswap.pdf"),
    ("Master Documents.pdf.PART", "Master Documents.part.pdf"),
    ("Master Documents.pdf.part1", "Master Documents.part1.pdf"),
    ("Master Documents.pdf.part07", "Master Documents.part1.rar"),
    ("Master Documents.pdf.part123", "Master Documents.part 2"),
    ("Master Documents.doc.part1", "Master Documents.part1"),
    ("Master Documents.doc.part12", "Master Documents.Part12"),
    ("Master Documents.docx.Part1", "Master Documents Vol. 1.part2"),
    ("Master Documents.docx.part12", "Master Documents.Vol.part2"),
    ("Master Documents.pdf.part.met", "Master Documents.part2 Smith et al.pdf"),
    ("Master Documents.pdf.partial", "Master Documents partial.pdf"),
    ("Master Documents.pdf.download", "Master Documents download.pdf"),
    ("Master Documents.pdf.opdownload", "Master Documents.opdownload.pdf"),
    ("Master Documents.pdf.fdmdownload", "Master Documents fdmdownload.pdf"),
    ("Master Documents.pdf.filepart", "Master Documents filepart.pdf"),
    ("Master Documents.pdf.aria2", "Master Documents aria2.pdf"),
    ("Master Documents.pdf.aria2__temp", "Master Documents aria2__temp.pdf"),
    ("Master Documents.pdf.!ut", "Master Documents!ut.pdf"),
    ("Master Documents.pdf.!qB", "Master Documents!qb"),
    ("Master Documents.pdf.!bt", "Master Documents.!"),
    ("Master Documents.pdf.bc!", "Master Documents ABC!"),
    ("Master Documents.pdf.xltd", "Master Documents.xls"),
    # Copying and synchronising.
    (".syncthing.Master Documents.pdf.tmp", "syncthing.Master Documents.pdf"),
    ("Master Documents.pdf.tmp.drivedownload", "Master Documents drivedownload.pdf"),
    ("Master Documents.pdf.driveupload", "Master Documents.driveupload.pdf"),
    (".unison.Master Documents.pdf.1a2b.unison.tmp", "unison.Master Documents.pdf"),
]


class TestIsRemains:
    @pytest.mark.parametrize(
        "name", ["desktop.ini", "Thumbs.db", ".DS_Store", "~WRL0001.tmp", "~$a.xlsx", ".dropbox", "a.pdf.part"]
    )
    def test_knows_what_programs_leave(self, name: str) -> None:
        assert is_remains(name)

    @pytest.mark.parametrize(("remains", "report"), REMAINS)
    def test_tells_remains_of_a_report_from_a_report(self, remains: str, report: str) -> None:
        assert is_remains(remains)
        assert not is_remains(report)

    def test_knows_each_form_by_what_it_is_for(self, settings: Settings) -> None:
        names = [remains for remains, _ in REMAINS] + ["desktop.ini", "thumbs.db", "ehthumbs.db"]
        names += [".ds_store", ".dropbox", ".dropbox.attr", ".goutputstream-Master Documents", ".~Master Documents.pdf"]

        idle = []
        for form in settings.RUNSHEET_PROGRAM_REMAINS.copy():
            settings.RUNSHEET_PROGRAM_REMAINS = [form]
            if not any(map(is_remains, names)):
                idle.append(form)

        assert idle == []

    @pytest.mark.parametrize(
        "name",
        [
            "Master Documents.pdf",
            "desktop.ini.pdf",
            "part.pdf",
            "a~$b.docx",
            "$~a.pdf",
            "\uff5e$Master Documents.pdf",
            "Master Documents\uff0etmp",
            "Master Documents",
            "Master Documents No. 12~",
            "Master Documents.part1.rar",
            "Master Documents.bak",
            "Master Documents.gdoc",
            "Master Documents.part123",
            "# Master Documents.pdf#",
            "#1 Master Documents#",
            "#1 Master Documents.pdf #",
            "#1 Smith v. Jones Master Documents#",
            ".Master Documents.pdf.backup",
            ".Master Documents.pdf.201405",
            ".Master Documents.pdf.aB3xYz",
            ".Master Documents.swf",
        ],
    )
    def test_knows_nothing_else(self, name: str) -> None:
        assert not is_remains(name)


class TestToldOfRemains:
    def test_is_nothing_of_none(self) -> None:
        assert told_of_remains(()) == {}

    def test_names_them(self) -> None:
        assert told_of_remains(("~$a", "~$b")) == {"passed_over": ["~$a", "~$b"], "passed_over_count": 2}

    def test_is_bounded(self) -> None:
        told = told_of_remains([f"~${n}" for n in range(30_000)])

        assert len(told["passed_over"]) == TOLD_AT_MOST + 1
        assert told["passed_over"][-1] == "… and 29,980 more"
        assert told["passed_over_count"] == 30_000

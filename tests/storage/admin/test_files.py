"""The list of files."""

import json
import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from core.base.clock import now
from storage.backends.stored import nanoseconds
from storage.models import StorageRoot, StoredFile
from tests.storage.admin.conftest import Put

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/storage/storedfile/"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# What is asked of the list, and the index that answers it.
USED: list[tuple[dict[str, str], str]] = [
    ({}, "storage_file_once"),
    ({"in": "documents/7/", "q": "x"}, "storage_file_once"),
    ({"q": "7/scans/"}, "storage_file_once"),
    ({"state__exact": "missing"}, "storage_not_present"),
    ({"state__exact": "quarantined"}, "storage_not_present"),
    ({"type": "folder"}, "storage_directories"),
    ({"owner": "7"}, "storage_file_once"),
]


def keys(console: Client, **asked: Any) -> list[str]:
    """What the list holds, in its order."""
    answer = console.get(LIST, asked)
    assert answer.status_code == 200, answer["Location"]
    return [file.key for file in answer.context["cl"].result_list]


class TestFolder:
    def test_shows_what_lies_directly_in_it(self, console: Client, put: Put) -> None:
        for key in ("7/", "7/a/", "7/a/x.pdf", "7/b.pdf", "70/", "8/"):
            put(key)

        assert keys(console, **{"in": "documents/"}) == ["7/", "70/", "8/"]
        assert keys(console, **{"in": "documents/7/"}) == ["7/a/", "7/b.pdf"]
        assert keys(console, **{"in": "documents/7"}) == ["7/a/", "7/b.pdf"]
        assert keys(console, **{"in": "documents/9/"}) == []

    def test_shows_all_below_it_once_something_is_looked_for(self, console: Client, put: Put) -> None:
        for key in ("7/", "7/a/", "7/a/x.pdf", "7/b.pdf", "70/x.pdf"):
            put(key, content_type="application/pdf" if key.endswith("pdf") else "")

        assert keys(console, **{"in": "documents/7/", "q": "x"}) == ["7/a/x.pdf"]
        assert keys(console, **{"in": "documents/7/", "type": "pdf"}) == ["7/a/x.pdf", "7/b.pdf"]
        assert keys(console, **{"in": "documents/", "q": "x"}) == ["7/a/x.pdf", "70/x.pdf"]

    def test_leads_to_the_folders_above_and_into_those_that_it_holds(self, console: Client, put: Put) -> None:
        row = put("7/a/")
        put("7/a/b & c/")

        text = console.get(LIST, {"in": "documents/7/a/"}).text

        for path, name in (("documents/", "documents"), ("documents/7/", "7"), ("documents/7/a/", "a")):
            assert f'<a href="{LIST}?in={path.replace("/", "%2F")}"><bdi>{name}</bdi></a>' in text
        assert f'href="{LIST}{row.pk}/change/">About this folder' in text
        assert f'<a href="{LIST}?in=documents%2F7%2Fa%2Fb+%26+c%2F"><bdi class="exact">b &amp; c</bdi>/</a>' in text
        assert "field-folder" not in text

    def test_without_a_row_is_shown_above_the_files(self, console: Client, put: Put) -> None:
        put("7/scans/2024/x.pdf")
        put("7/y.pdf")

        answer = console.get(LIST, {"in": "documents/7/"})

        assert [folder.path for folder in answer.context["cl"].folders] == ["documents/7/scans/"]
        assert f'<a href="{LIST}?in=documents%2F7%2Fscans%2F"><bdi>scans</bdi>/</a>' in answer.text
        assert [file.key for file in answer.context["cl"].result_list] == ["7/y.pdf"]

    def test_can_be_sorted(self, console: Client, put: Put) -> None:
        for key, size in (("7/a", 5), ("7/b", 9), ("7/c", 7), ("7/d/e", 8)):
            put(key, size=size)

        by_size = str(console.get(LIST).context["cl"].list_display.index("size_in_words") - 1)

        assert keys(console, **{"in": "documents/7/", "o": f"-{by_size}"}) == ["7/b", "7/c", "7/a"]

    def test_of_an_unknown_root_is_said(self, console: Client, root: StorageRoot) -> None:
        for wrong in ("nowhere/", "", "7/"):
            answer = console.get(LIST, {"in": wrong}, follow=True)
            assert answer.status_code == 200
            assert ("cannot be narrowed" in answer.text) == bool(wrong)

    def test_becomes_a_file_of_just_what_it_shows(self, console: Client, put: Put) -> None:
        for key in ("7/a", "7/b/", "7/b/c", "8/d"):
            put(key)

        file = console.get(f"{LIST}download/json/", {"in": "documents/7/"})

        assert [row["Path"] for row in json.loads(file.getvalue())] == ["7/a", "7/b/"]


class TestSearch:
    def test_finds_parts_of_names_in_any_case(self, console: Client, put: Put) -> None:
        for key in ("7/Deed of 1902.pdf", "7/DEED/letter", "7/Übertrag.pdf", "7/100%_sure.txt"):
            put(key)

        assert keys(console, q="deed") == ["7/Deed of 1902.pdf"]
        assert keys(console, q="902 EED") == ["7/Deed of 1902.pdf"]
        assert keys(console, q="übertr") == ["7/Übertrag.pdf"]
        assert keys(console, q="0%_s") == ["7/100%_sure.txt"]
        assert keys(console, q="1%s") == []
        assert keys(console, q='"of 1902"') == ["7/Deed of 1902.pdf"]
        assert keys(console, q='"1902 of"') == []

    def test_finds_by_the_beginning_of_a_path(self, console: Client, put: Put) -> None:
        for key in ("7/scans/", "7/scans/a b.pdf", "7/scanner/c", "8/7/scans/d"):
            put(key)

        assert keys(console, q="7/scans/") == ["7/scans/", "7/scans/a b.pdf"]
        assert keys(console, q="/7/scans/a b") == ["7/scans/a b.pdf"]
        assert keys(console, q="7/SCANS/") == []

    @pytest.mark.parametrize("text", ["a " * 11, "a" * 501])
    def test_of_what_nobody_types_is_refused(self, console: Client, root: StorageRoot, text: str) -> None:
        assert "cannot be narrowed" in console.get(LIST, {"q": text}, follow=True).text


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"type": "folder"}, ["7/"]),
            ({"type": "any-file"}, ["7/a.pdf", "7/b.png", "7/c.txt", "7/d.csv", "7/e.xlsx", "7/f.bin"]),
            ({"type": "pdf"}, ["7/a.pdf"]),
            ({"type": "image"}, ["7/b.png"]),
            ({"type": "text"}, ["7/c.txt"]),
            ({"type": "spreadsheet"}, ["7/d.csv", "7/e.xlsx"]),
            ({"type": "other-file"}, ["7/f.bin"]),
            ({"state__exact": "missing"}, ["7/b.png"]),
            ({"state__exact": "quarantined"}, ["7/c.txt"]),
            ({"size": "empty"}, ["7/a.pdf"]),
            ({"size": "up-to-1-mb"}, ["7/b.png"]),
            ({"size": "1-to-100-mb"}, ["7/c.txt"]),
            ({"size": "100-mb-to-1-gb"}, ["7/d.csv"]),
            ({"size": "more-than-1-gb"}, ["7/f.bin", "7/e.xlsx"]),
            ({"changed": "today"}, ["7/a.pdf"]),
            ({"changed": "week"}, ["7/a.pdf", "7/b.png"]),
            ({"changed": "month"}, ["7/a.pdf", "7/b.png", "7/c.txt"]),
            ({"changed": "year"}, ["7/a.pdf", "7/b.png", "7/c.txt", "7/d.csv"]),
            ({"changed": "earlier"}, ["7/e.xlsx", "7/", "7/f.bin"]),
            ({"type": "image", "state__exact": "present"}, []),
        ],
    )
    def test_narrow_the_list(self, console: Client, put: Put, asked: dict[str, str], found: list[str]) -> None:
        rows = (
            ("7/", "", 0, 900, "present"),
            ("7/a.pdf", "application/pdf", 0, 0, "present"),
            ("7/b.png", "image/png", 10**6, 2, "missing"),
            ("7/c.txt", "text/plain", 10**6 + 1, 9, "quarantined"),
            ("7/d.csv", "text/csv", 10**9, 99, "present"),
            ("7/e.xlsx", SHEET, 10**9 + 1, 400, "present"),
            ("7/f.bin", "", 10**12, 999, "present"),
        )
        for key, content_type, size, days, state in rows:
            at = nanoseconds(now() - timedelta(days=days))
            put(key, content_type=content_type, size=size, modified_ns=at, state=state)

        assert keys(console, **asked) == found

    def test_tell_whose_a_file_is(self, console: Client, put: Put) -> None:
        nina = User.objects.create_user("nina")
        put(f"{nina.pk}/a", owner=nina)
        put("0/b")

        assert keys(console, owner=nina.pk) == [f"{nina.pk}/a"]
        assert keys(console, owner="nobody") == ["0/b"]
        assert keys(console, owner=nina.pk + 1) == []
        assert f"No. {nina.pk + 99}" in console.get(LIST, {"owner": nina.pk + 99}).text

    @pytest.mark.parametrize("asked", [{"owner": "x"}, {"changed": "x"}, {"size": "x"}, {"type": "x"}, {"key": "7/"}])
    def test_that_mean_nothing_are_said(self, console: Client, root: StorageRoot, asked: dict[str, str]) -> None:
        assert "cannot be narrowed" in console.get(LIST, asked, follow=True).text


class TestRows:
    def test_say_what_one_looks_for(self, console: Client, put: Put) -> None:
        nina = User.objects.create_user("nina")
        file = put("7/Deed.pdf", size=1_500_000, content_type="application/pdf", owner=nina)
        put("7/gone.pdf", state="missing", missing_since=now() - timedelta(hours=3))

        text = console.get(LIST).text

        assert f'<a href="{LIST}{file.pk}/change/"><bdi class="exact">Deed.pdf</bdi></a>' in text
        assert f'<a href="{LIST}?in=documents%2F7%2F"><bdi class="exact">documents/7/</bdi></a>' in text
        assert '<span title="1,500,000 bytes">1.5 MB</span>' in text
        assert '<span title="application/pdf">PDF</span>' in text
        assert ">nina<" in text
        assert "Missing, <time" in text

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ('" onmouseover="alert(1)', "&quot; onmouseover=&quot;alert(1)"),
            ("annual\u202egpj.exe", "annual\\u202egpj.exe"),
            ("two\nlines\ttab\x07", "two\\nlines\\ttab\\x07"),
            ("\u200b\u2066hidden", "\\u200b\\u2066hidden"),
            ("é" * 127, "é" * 127),
            ("{{ name }}{% now %}", "{{ name }}{% now %}"),
        ],
    )
    def test_show_any_name_as_what_it_is(self, console: Client, put: Put, name: str, shown: str) -> None:
        file = put(f"7/{name}")
        folder = put(f"7/{name}x/")

        texts = [
            console.get(LIST).text,
            console.get(LIST, {"in": f"documents/7/{name}x/"}).text,
            console.get(f"{LIST}{file.pk}/change/").text,
            console.get(f"{LIST}{folder.pk}/change/").text,
        ]

        for text in texts:
            assert shown in text
            seen = re.sub(r'<input type="hidden"[^>]*>', "", text)  # which brings back what was asked for
            assert name == shown or name not in seen

    def test_are_told_to_whoever_may_see_them(self, client: Client, put: Put) -> None:
        put("7/a")
        client.force_login(User.objects.create_user("staff", is_staff=True))

        assert client.get(LIST).status_code == 403
        assert client.get(f"{LIST}download/csv/").status_code == 403


class TestFiles:
    def test_hold_what_the_list_shows(self, console: Client, put: Put) -> None:
        nina = User.objects.create_user("nina")
        put("7/=1+1.pdf", size=9, content_type="application/pdf", owner=nina, sha256="0" * 64)
        put("7/sub/")

        csv = console.get(f"{LIST}download/csv/").getvalue().decode("utf-8-sig").splitlines()
        book = load_workbook(BytesIO(console.get(f"{LIST}download/xlsx/").getvalue()))

        assert csv[0].startswith(
            "Root,Path,Name,Type,Media type,Size in bytes,Changed,State,Missing since,Owner,SHA-256,"
        )
        assert csv[1].startswith("documents,7/=1+1.pdf,'=1+1.pdf,PDF,application/pdf,9,1969-12-31 17:00:00-07:00,")
        assert book.active
        assert [cell.value for cell in book.active[3]][:6] == ["documents", "7/sub/", "sub", "Folder", None, None]

    def test_of_ticked_rows(self, console: Client, put: Put) -> None:
        put("7/a")
        ticked = put("7/b")

        file = console.post(LIST, {"action": "download_json", "_selected_action": [ticked.pk], "index": 0})

        assert [row["Path"] for row in json.loads(file.getvalue())] == ["7/b"]


class TestCosts:
    @pytest.mark.parametrize("asked", [{}, {"in": "documents/7/"}, {"q": "deed"}, {"owner": "1"}, {"changed": "year"}])
    def test_are_the_same_for_many_as_for_few(self, console: Client, root: StorageRoot, asked: dict[str, str]) -> None:
        def fill(numbers: range) -> None:
            StoredFile.objects.bulk_create(
                StoredFile(root=root, key=f"7/deed {number:05}", name=f"deed {number:05}") for number in numbers
            )

        def cost() -> int:
            with CaptureQueriesContext(connection) as asked_for:
                assert console.get(LIST, asked).status_code == 200
            return len(asked_for)

        fill(range(1))
        few = cost()
        fill(range(1, 500))

        assert cost() == few <= 15

    def test_are_those_of_as_many_as_can_be_turned_to(
        self, console: Client, root: StorageRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("console.records.change_list.COUNTED_AT_MOST", 60)
        monkeypatch.setattr("storage.admin.file_list.COUNTED_AT_MOST", 60)
        StoredFile.objects.bulk_create(StoredFile(root=root, key=f"7/{number:03}", name="x") for number in range(70))

        for asked in ("", "&in=documents/7/"):
            answer = console.get(f"{LIST}?p=2{asked}")
            assert answer.context["cl"].result_count == 60
            assert [file.key for file in answer.context["cl"].result_list] == [
                f"7/{number:03}" for number in range(50, 60)
            ]
            assert "There are more than these 60." in answer.text
            assert "Select all 60" not in answer.text
        assert len(json.loads(console.get(f"{LIST}download/json/").getvalue())) == 70

    @pytest.mark.long
    def test_are_kept_low_by_an_index(self, console: Client, root: StorageRoot) -> None:
        StoredFile.objects.bulk_create(
            StoredFile(root=root, key=f"{top}/{number:04}", name="x") for top in range(10) for number in range(1_000)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE storage_storedfile")

        for asked, index in USED:
            found = console.get(LIST, asked).context["cl"].queryset.values("pk")[:10_001]
            assert index in found.explain(), asked

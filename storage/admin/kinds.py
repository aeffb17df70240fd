"""What a file is, in the words that people look for it by."""

from collections.abc import Mapping

from django.db.models import Q

PDF = "application/pdf"
# What opens in a program for tables.
SPREADSHEETS = (
    "application/vnd.ms-excel",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "application/vnd.ms-excel.sheet.macroenabled.12",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/csv",
    "text/tab-separated-values",
)
IS_FILE = Q(is_directory=False)
IS_IMAGE, IS_TEXT = Q(content_type__startswith="image/"), Q(content_type__startswith="text/")
IS_SPREADSHEET = Q(content_type__in=SPREADSHEETS)
CHOICES: Mapping[str, Q] = {
    "Folder": Q(is_directory=True),
    "Any file": IS_FILE,
    "PDF": Q(content_type=PDF),
    "Image": IS_IMAGE,
    "Text": IS_TEXT & ~IS_SPREADSHEET,
    "Spreadsheet": IS_SPREADSHEET,
    "Other file": IS_FILE & ~Q(content_type=PDF) & ~IS_IMAGE & ~IS_TEXT & ~IS_SPREADSHEET,
}


def kind_of(content_type: str, *, is_directory: bool) -> str:
    """Which of the choices it is, in a few words."""
    family = content_type.partition("/")[0]
    if is_directory:
        return "Folder"
    if content_type == PDF:
        return "PDF"
    if content_type in SPREADSHEETS:
        return "Spreadsheet"
    return {"image": "Image", "text": "Text"}.get(family, "Other file")

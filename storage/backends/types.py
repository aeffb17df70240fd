"""What a file holds, as its name says. Everywhere the same, whatever a host knows beside that."""

from functools import lru_cache
from mimetypes import MimeTypes

OFFICE = "application/vnd.openxmlformats-officedocument"
# What land records come in, and Python does not know by itself; as registered at IANA, or as its maker says.
ALSO = {
    ".docx": f"{OFFICE}.wordprocessingml.document",
    ".dwg": "image/vnd.dwg",
    ".dxf": "image/vnd.dxf",
    ".gpx": "application/gpx+xml",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".msg": "application/vnd.ms-outlook",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".shp": "application/vnd.shp",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
}
_types = MimeTypes()
for ending, media_type in ALSO.items():
    _types.add_type(media_type, ending)


@lru_cache(maxsize=4096)
def _of_ending(ending: str) -> str:
    return _types.guess_type(f"it.{ending.lower()}")[0] or ""


def type_of(name: str) -> str:
    """The media type; empty if the name does not tell."""
    _, dot, ending = name.rpartition(".")
    return _of_ending(ending) if dot else ""

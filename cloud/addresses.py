"""What people paste instead of a Dropbox path: the address of a folder at Dropbox, or where it lies on their computer."""

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from django.core.exceptions import ValidationError

# Of a path with characters that take nine in an address, and what stands before and behind it.
ADDRESS_LENGTH = 5_000
DROPBOX_HOSTS = frozenset({"dropbox.com", "www.dropbox.com"})
# What stands before a folder's path in the address bar: of one's own Dropbox, of a team's, of the other of two.
FOLDERS = frozenset({"home", "work", "personal"})
SHARED = frozenset({"s", "sh", "scl", "l", "t", "request", "transfer"})
FILE = "preview"

ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://|(?://)?(?:www\.)?dropbox\.com(?::\d+)?(?:/|$)", re.IGNORECASE)
# Folders of a computer: a drive or a server of Windows, a file's address, somebody's home; with what follows.
DRIVE = re.compile(r"[a-z]:[\\/]|\\\\", re.IGNORECASE)
AT_HOME = re.compile(r"~/|/(?:Users|home)/[^/]+/|/Volumes/[^/]+/")
FILE_ADDRESS = re.compile(r"file:/*(?=[a-z]:)|file://(?:localhost)?(?=/)", re.IGNORECASE)
# What the folder of the Dropbox program is called there: “Dropbox”, “Dropbox (Acme)”, “Acme Dropbox”, “Dropbox-Acme”.
PROGRAMS_FOLDER = re.compile(r"(?:.+ )?Dropbox|Dropbox ?\(.+\)|Dropbox-.+", re.IGNORECASE)

HOW = "Open the folder at www.dropbox.com and paste its address, or write its path from the top."
SHARE_LINK = f"This is a share link, which does not say where the folder lies. {HOW}"
NO_FOLDER = f"This address at Dropbox is not that of a folder. {HOW}"
OF_A_FILE = f"This is the address of a file. {HOW}"
ELSEWHERE = f"This is an address, but not one at Dropbox. {HOW}"
UNREADABLE = f"This address is not complete or was copied wrongly. {HOW}"
ON_A_COMPUTER = f"This is a folder on a computer, and none of its parts is the Dropbox folder. {HOW}"


def address_of(path: str) -> str:
    """Where a browser finds the folder of a path, if whoever looks is logged in at Dropbox and sees it."""
    return f"https://www.dropbox.com/home{quote(path)}"


def address_of_file(path: str) -> str:
    """The same of a file: its folder, with the file shown above it."""
    folder, _, name = path.rpartition("/")
    return f"{address_of(folder)}?{FILE}={quote(name, safe='')}"


def path_behind(text: str) -> str:
    """The Dropbox path that pasted text stands for; whatever is no address and no folder of a computer, as it is.

    Asked about its own answer, it gives the same.

    Raises:
        ValidationError: it is an address or a folder of a computer, but of no folder in Dropbox.
    """
    pasted = text.strip().strip("\"'<>\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}").strip()
    if ADDRESS.match(pasted):
        return path_behind(_of_address(pasted))
    inside = _inside_dropbox(_local(pasted))
    return text if inside is None else path_behind(inside)


def _of_address(pasted: str) -> str:
    address = _split(pasted)
    if address.hostname not in DROPBOX_HOSTS:
        raise _refused(ELSEWHERE)
    kind, _, rest = address.path.lstrip("/").partition("/")
    if kind in SHARED:
        raise _refused(SHARE_LINK)
    if kind == FILE:
        raise _refused(OF_A_FILE)
    if kind not in FOLDERS:
        raise _refused(NO_FOLDER)
    return f"/{_decoded(rest)}"


def _split(pasted: str) -> SplitResult:
    try:
        return urlsplit(pasted if "//" in pasted.partition(".")[0] else f"//{pasted}")
    except ValueError:  # such as half of an IPv6 address
        raise _refused(UNREADABLE) from None


def _decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise _refused(UNREADABLE) from None


def _local(pasted: str) -> str:
    """The address of a file as the folder that it names; anything else as it is."""
    found = FILE_ADDRESS.match(pasted)
    return _decoded(pasted[found.end() :]) if found else pasted


def _inside_dropbox(path: str) -> str | None:
    """What follows the Dropbox program's folder; None if it is no folder of a computer.

    A path in Dropbox may begin with “Users” or “home”, too, so that such a one is a computer's only if it holds that folder.
    """
    is_windows = DRIVE.match(path)
    found = is_windows or AT_HOME.match(path)
    if not found:
        return None
    parts = re.split(r"[\\/]+" if is_windows else "/+", path[found.end() :])
    at = next((at for at, part in enumerate(parts) if PROGRAMS_FOLDER.fullmatch(part)), None)
    if at is not None:
        return "/" + "/".join(parts[at + 1 :])
    if is_windows or path.startswith("~"):
        raise _refused(ON_A_COMPUTER)
    return None


def _refused(sentence: str) -> ValidationError:
    return ValidationError(sentence, code="base_path")

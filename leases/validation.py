"""What a lease number and a base path may look like; each refusal is one sentence that says what to do."""

import unicodedata

from django.core.exceptions import ValidationError

LEASE_NUMBER_LENGTH = 100
BASE_PATH_LENGTH = 500


def validate_lease_number(number: str) -> None:
    """A lease number is one component of a path, as Dropbox would store it.

    Raises:
        ValidationError: with the one thing to change.
    """
    problem = _lease_number_problem(number)
    if problem:
        raise ValidationError(problem, code="lease_number")


def _lease_number_problem(number: str) -> str:
    if not number:
        return "Enter a lease number, for example NMNM 0501759."
    if len(number) > LEASE_NUMBER_LENGTH:
        return f"A lease number has at most {LEASE_NUMBER_LENGTH} characters; this one has {len(number)}."
    if not number.isprintable():
        return "A lease number must not contain control characters or invisible characters; type it again by hand."
    if number != number.strip():
        return "Remove the blanks before and after the lease number."
    for forbidden in ("/", "\\", ".."):
        if forbidden in number:
            return f"A lease number must not contain “{forbidden}”."
    if number == ".":
        return "A lease number must not be a single dot."
    return ""


def normalise_text(text: str) -> str:
    """One spelling for text that looks the same (NFC), as Dropbox keeps it."""
    return unicodedata.normalize("NFC", text)


def normalise_base_path(path: str) -> str:
    """One leading slash, none at the end, none doubled.

    Raises:
        ValidationError: with the one thing to change.
    """
    path = normalise_text(path)
    problem = _base_path_problem(path)
    if problem:
        raise ValidationError(problem, code="base_path")
    return "/" + "/".join(part.strip(" ") for part in path.split("/") if part.strip(" "))


def _base_path_problem(path: str) -> str:
    if not path.strip(" /"):
        return "Enter the path of a Dropbox folder, for example /State Workspace/Runsheet Archive."
    if len(path) > BASE_PATH_LENGTH:
        return f"A path has at most {BASE_PATH_LENGTH} characters; this one has {len(path)}."
    if not path.startswith("/"):
        return f"A path begins with a slash: write “/{path}”."
    if "\\" in path:
        return "Write a path with “/”, not with “\\”."
    if not path.isprintable():
        return "A path must not contain control characters or invisible characters; type it again by hand."
    if any(part.strip(" ") in {".", ".."} for part in path.split("/")):
        return "A path must not contain “.” or “..” as a part; write the full path."
    return ""

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
    forbidden = next((each for each in ("/", "\\", "..") if each in number), "")
    return _first(
        (not number, "Enter a lease number, for example NMNM 0501759."),
        (
            len(number) > LEASE_NUMBER_LENGTH,
            f"A lease number has at most {LEASE_NUMBER_LENGTH} characters; this one has {len(number)}.",
        ),
        (
            not number.isprintable(),
            "A lease number must not contain control characters or invisible characters; type it again by hand.",
        ),
        (number != number.strip(), "Remove the blanks before and after the lease number."),
        (forbidden, f"A lease number must not contain “{forbidden}”."),
        (number == ".", "A lease number must not be a single dot."),
    )


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
    return _first(
        (not path.strip(" /"), "Enter the path of a Dropbox folder, for example /State Workspace/Runsheet Archive."),
        (
            len(path) > BASE_PATH_LENGTH,
            f"A path has at most {BASE_PATH_LENGTH} characters; this one has {len(path)}.",
        ),
        (not path.startswith("/"), f"A path begins with a slash: write “/{path}”."),
        ("\\" in path, "Write a path with “/”, not with “\\”."),
        (
            not path.isprintable(),
            "A path must not contain control characters or invisible characters; type it again by hand.",
        ),
        (
            any(part.strip(" ") in {".", ".."} for part in path.split("/")),
            "A path must not contain “.” or “..” as a part; write the full path.",
        ),
    )


def _first(*problems: tuple[object, str]) -> str:
    """What is wrong first, or nothing."""
    return next((sentence for wrong, sentence in problems if wrong), "")

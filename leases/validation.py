"""What a lease number and a base path may look like; each refusal is one sentence that says what to do."""

import re
import unicodedata

from django.core.exceptions import ValidationError

from cloud.addresses import path_behind
from core.base.folding import without_unseen
from leases.lookalikes import has_invisible, look_alikes, without_look_alikes

LEASE_NUMBER_LENGTH = 100
BASE_PATH_LENGTH = 500
# What spreadsheets put around text so that it stays text, and do not show: an apostrophe before it, or ="…".
_GUARDS = (re.compile(r'=?"([^"]+)"'), re.compile("['\u2018\u2019\u201b\u02bc](.*?)['\u2019]?"))
_AROUND = " " + "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
# Dropbox takes them as they stand, but whoever decodes them once too often would see a dot or a slash.
PERCENT_CODE = re.compile(r"%(?:u|[0-9a-f]{2})", re.IGNORECASE)


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
    posing = look_alikes(number[: LEASE_NUMBER_LENGTH + 1])
    return _first(
        (not number, "Enter a lease number, for example NMNM 0501759."),
        (
            len(number) > LEASE_NUMBER_LENGTH,
            f"A lease number has at most {LEASE_NUMBER_LENGTH} characters; this one has {len(number)}.",
        ),
        (
            has_invisible(number),
            "A lease number must not contain control characters or invisible characters; type it again by hand.",
        ),
        (number != number.strip(), "Remove the blanks before and after the lease number."),
        (forbidden, f"A lease number must not contain “{forbidden}”."),
        (number == ".", "A lease number must not be a single dot."),
        (posing, f"A lease number must not contain “{posing[:1]}”, which only looks like a dot or a slash."),
        (
            PERCENT_CODE.search(number),
            "A lease number must not contain percent codes such as “%2F”; write it as the folder is named.",
        ),
    )


def normalise_text(text: str) -> str:
    """One spelling for text that looks the same (NFC), as Dropbox keeps it."""
    return unicodedata.normalize("NFC", text)


def normalise_number(text: str) -> str:
    """What was typed, pasted or read as a lease number, in the one spelling that all ways in keep it in.

    Nobody sees what it changes: blanks of every kind become ordinary ones, forms of full width others; what has no width,
    control characters and blanks around it, and the guards of spreadsheets go. What is doubtful stays
    (`leases.lookalikes.doubts_about_characters`). It need not be valid afterwards.
    """
    number = without_unseen(text).strip(_AROUND)
    while guarded := next(filter(None, (guard.fullmatch(number) for guard in _GUARDS)), None):
        number = guarded[1].strip(_AROUND)
    return number


def normalise_lease_number(text: str) -> str:
    """The one way in for a lease number, whoever gives it: form, file, command or program.

    Raises:
        ValidationError: with the one thing to change.
    """
    number = normalise_number(text)
    validate_lease_number(number)
    return number


def is_number(name: str) -> bool:
    """Whether a lease may have it for its number, written just so: else its archive would not be found again."""
    try:
        return normalise_lease_number(name) == name
    except ValidationError:
        return False


def normalise_base_path(path: str) -> str:
    """One leading slash, none at the end, none doubled; of a pasted address, the path that it stands for.

    Raises:
        ValidationError: with the one thing to change.
    """
    given, path = path, normalise_text(path_behind(path))
    problem = _base_path_problem(path)
    if problem:
        raise ValidationError(problem, code="base_path")
    tidy = "/" + "/".join(part.strip(" ") for part in path.split("/") if part.strip(" "))
    # Once tidied up, it may turn out to be a folder of a computer.
    return tidy if tidy == given else normalise_base_path(tidy)


def _base_path_problem(path: str) -> str:
    path_start = path[: BASE_PATH_LENGTH + 1]
    posing = [char for char in look_alikes(path_start) if without_look_alikes(char) in {"/", "\\"}]
    return _first(
        (not path.strip(" /"), "Enter the path of a Dropbox folder, for example /State Workspace/Runsheet Archive."),
        (
            len(path) > BASE_PATH_LENGTH,
            f"A path has at most {BASE_PATH_LENGTH} characters; this one has {len(path)}.",
        ),
        (not path.startswith("/"), f"A path begins with a slash: write “/{path}”."),
        ("\\" in path, "Write a path with “/”, not with “\\”."),
        (
            has_invisible(path),
            "A path must not contain control characters or invisible characters; type it again by hand.",
        ),
        (
            any(_is_dots(part) for part in path_start.split("/")),
            "A path must not contain “.” or “..” as a part; write the full path.",
        ),
        (posing, f"A path must not contain “{''.join(posing[:1])}”, which only looks like a slash."),
        (
            PERCENT_CODE.search(path),
            "A path must not contain percent codes such as “%2F”; write it as the folder is named.",
        ),
    )


def _is_dots(part: str) -> bool:
    plain = without_look_alikes(part).strip(" ")
    return bool(plain) and not plain.strip(".")


def archive_path(*, base_path: str, lease_number: str) -> str:
    """Where a lease's archive lies: directly in the base path, or nowhere.

    Both were checked when they were saved; whatever reached the database another way is checked here.

    Raises:
        ValidationError: the path would lead to another folder.
    """
    if normalise_base_path(base_path) != base_path:
        raise ValidationError("The base path is not written as it is kept; save the configuration again.")
    if normalise_text(lease_number) != lease_number:
        raise ValidationError("The lease number is not written as it is kept; save the lease again.")
    validate_lease_number(lease_number)
    return f"{base_path}/{lease_number}"


def _first(*problems: tuple[object, str]) -> str:
    """What is wrong first, or nothing."""
    return next((sentence for wrong, sentence in problems if wrong), "")

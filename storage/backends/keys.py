"""What a file may be called in storage: the same for every back-end, so that what is moved from one to another stays whole."""

from storage.backends.errors import BadKey

# S3 and Google take 1,024 bytes, Azure as many characters; a file system 255 bytes for each part.
LONGEST_KEY_BYTES = 1_024
LONGEST_PART_BYTES = 255
# Where a disk keeps what is being written; no file's place.
INCOMING = ".incoming"
# The same in keys; object stores keep there what comes in parts.
HIDDEN = f"{INCOMING}/"


def check_key(key: str) -> str:
    """The key, if every back-end takes it as it stands.

    Args:
        key: parts with `/` between them, such as `17/documents/4/1/deed.pdf`; a folder has no key here.

    Raises:
        BadKey: it is empty or too long, begins or ends with a slash, has a part that is empty, `.` or `..`, a backslash,
            a control character, or what is no Unicode text; or it lies in `INCOMING`.
    """
    if reason := _reason_against(key):
        raise BadKey(f"Nothing can be stored under {_shown(key)}: {reason}.")
    return key


def check_prefix(prefix: str) -> str:
    """The beginning of keys, if there can be any that begin so; empty for all of them.

    Raises:
        BadKey: there can be none.
    """
    if prefix and (reason := _reason_against(f"{prefix}x")):
        raise BadKey(f"No name in storage begins with {_shown(prefix)}: {reason}.")
    return prefix


def _reason_against(key: str) -> str:
    """Why a key is none, to stand behind a colon; empty if it is one."""
    try:
        length = len(key.encode())
        longest_part = max(len(part.encode()) for part in key.split("/"))
    except UnicodeEncodeError:
        return "it is no Unicode text"
    found = {
        "it is empty": not key,
        f"it has more than {LONGEST_KEY_BYTES:,} bytes": length > LONGEST_KEY_BYTES,
        f"a part of it has more than {LONGEST_PART_BYTES} bytes": longest_part > LONGEST_PART_BYTES,
        "it begins with a slash": key.startswith("/"),
        "it ends with a slash": key.endswith("/"),
        "it has a backslash": "\\" in key,
        "it has a control character": not _is_without_control(key),
        f"{INCOMING} is kept for what is being written": key.partition("/")[0] == INCOMING,
        "a part of it is empty, “.” or “..”": not {"", ".", ".."}.isdisjoint(key.split("/")),
    }
    return next((reason for reason, applies in found.items() if applies), "")


def _is_without_control(key: str) -> bool:
    return all(" " <= each < "\x7f" or each > "\x9f" for each in key)


def _shown(key: str) -> str:
    return ascii(key if len(key) <= 100 else f"{key[:100]}…")  # noqa: PLR2004 - what fits a line

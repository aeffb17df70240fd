"""A secret out of the environment: in a variable, or in a file that `…_FILE` names, as compose, systemd and Kubernetes hand them out."""

import os
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# A key of Google's has 2,400 bytes. What is larger is another file.
LARGEST_BYTES = 100_000


def secret(name: str) -> str:
    """The value of a variable, or what stands in the file that `…_FILE` names; empty if neither says anything.

    Blanks around it are none of it: whoever writes a file with an editor or `echo` leaves the end of a line there.

    Raises:
        ImproperlyConfigured: both say something, or the file cannot be read or is none that holds a secret. What stands in it is not repeated.
    """
    value, path = os.environ.get(name, "").strip(), os.environ.get(f"{name}_FILE", "")
    try:
        found = _text(Path(path)).strip() if path else ""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {reason}.") from None
    if value and found:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; only one of them can be meant.")
    return value or found


def _text(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        # It would be waited for, and be empty for the next program that reads it.
        raise ValueError("it is no file, but a pipe or the like")
    with path.open("rb") as file:
        found = file.read(LARGEST_BYTES + 1)
    if len(found) > LARGEST_BYTES:
        raise ValueError(f"it has more than {LARGEST_BYTES:,} bytes, which no secret has")
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None

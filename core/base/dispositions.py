"""Under which name a file is kept (RFC 6266)."""

import re
import unicodedata

from django.utils.http import content_disposition_header

BEYOND = re.compile(r"[^ -~]|[\"\\%]")


def disposition(name: str, *, is_shown: bool = False) -> str:
    """The header Content-Disposition.

    A name with letters beyond ASCII stands there twice: curl and others read none of it else.

    Args:
        name: of the file; without what would end a header.
    """
    said = str(content_disposition_header(as_attachment=not is_shown, filename=name) or "attachment")
    kind, is_beyond, encoded = said.partition("; filename*=")
    if not is_beyond:
        return said
    letters = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return f'{kind}; filename="{BEYOND.sub("_", letters)}"; filename*={encoded}'

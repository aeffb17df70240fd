"""Files that a program has left behind while somebody worked, or that it has not finished: no report, whatever their names."""

import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings

from core.base.folding import UNSEEN, fold_case
from leases.queries import PASSED_OVER_COUNT
from statemachine.evidence import listed

# Of so many the evidence names each; a directory may hold thousands.
TOLD_AT_MOST = 20
_WITHOUT_UNSEEN = dict.fromkeys(map(ord, UNSEEN))


def is_remains(name: str) -> bool:
    """Whether a file's name has the form of one of `RUNSHEET_PROGRAM_REMAINS`.

    No program writes forms of full width, so that with such a tilde a name is somebody's own.
    """
    plain = fold_case(unicodedata.normalize("NFC", name.translate(_WITHOUT_UNSEEN))).strip()
    return any(fnmatchcase(plain, fold_case(form)) for form in settings.RUNSHEET_PROGRAM_REMAINS)


def told_of_remains(names: Sequence[str]) -> dict[str, Any]:
    """What the evidence says of names that would be reports' if no program had left them."""
    if not names:
        return {}
    return {"passed_over": listed(list(names[:TOLD_AT_MOST]), count=len(names)), PASSED_OVER_COUNT: len(names)}

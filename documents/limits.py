"""What is written down in storage of how much room somebody has, where that was said: one small file for each person and agency."""

import re
from typing import Annotated, Literal

from django.contrib.auth.models import User
from pydantic import AwareDatetime, Field, ValidationError

from core.base.clock import now
from documents import sidecars
from documents.errors import SidecarBroken, SidecarElsewhere
from documents.models import Quota
from documents.sidecars import Large, Number, SaidPerson

# No document and no person is called so, and the index passes over what begins so.
FOLDER = ".runsheet-quotas/"
PEOPLE, AGENCIES = f"{FOLDER}people/", f"{FOLDER}agencies/"
_AGENCY = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)


class SaidLimit(sidecars.Shape):
    """The limit of one person, or of one agency.

    Attributes:
        user_id: None: it is an agency's.
        person: by whom the number is known again.
    """

    format: Literal[1]
    user_id: Number | None
    person: SaidPerson | None
    agency: Annotated[str, Field(max_length=20)]
    limit_bytes: Large
    written_at: AwareDatetime

    @property
    def key(self) -> str:
        """Where it lies."""
        return key_of(user_id=self.user_id, agency=self.agency)


def key_of(*, user_id: int | None, agency: str) -> str:
    """Where the limit of a person or of an agency lies."""
    return f"{PEOPLE}{user_id}.json" if user_id is not None else f"{AGENCIES}{_file_of(agency)}.json"


def of(quota: Quota, person: User | None) -> SaidLimit:
    """What is to be said of one that has a limit of its own."""
    return SaidLimit.model_validate(
        {
            "format": sidecars.FORMAT,
            "user_id": quota.user_id,
            "person": SaidPerson.model_validate(person) if person else None,
            "agency": quota.agency,
            "limit_bytes": quota.limit_bytes,
            "written_at": now(),
        }
    )


def read(key: str, content: bytes) -> SaidLimit:
    """What stands there, if it has its seal: whoever could lay a file there must not give themselves room.

    Raises:
        SidecarBroken, SidecarNewer, SidecarElsewhere: it is not believed.
    """
    payload, is_sealed = sidecars.unsealed(content)
    if not is_sealed:
        raise SidecarBroken("It was not written here, or was changed since. Say anew how much room there is.")
    try:
        said = SaidLimit.model_validate_json(sidecars.plain(payload))
    except ValidationError as error:
        raise SidecarBroken(sidecars.why_invalid(error)) from error
    if (said.user_id is None) == (said.agency == "") or said.key != key:
        raise SidecarElsewhere("It speaks of somebody else. Put it back where it was, then look again.")
    return said


def _file_of(agency: str) -> str:
    """What a file is called; an agency has a short name by itself."""
    return agency if _AGENCY.fullmatch(agency) else agency.encode().hex()

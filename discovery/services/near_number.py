"""What comes near one number, for whoever asks without a lease: by the index of the person's own Dropbox, and no call to it."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from discovery.services.near_index import fresh_index, nearest_in
from discovery.services.several_leases import agency_named
from leases.errors import InvalidLease
from leases.neighbours import Near
from leases.validation import normalise_lease_number


@dataclass(frozen=True, slots=True, kw_only=True)
class NearNumber:
    """What is known of a number.

    Attributes:
        number: as it is kept.
        has_archive: None: that is not known without asking Dropbox.
        nearest: the archives that come near it, without its own; None: they are not known.
        read_at: so it was at this instant; None where nothing is known.
    """

    agency: str
    number: str
    has_archive: bool | None = None
    nearest: tuple[Near, ...] | None = None
    read_at: datetime | None = None


def look_near(*, agency: str, number: str, user: User) -> NearNumber:
    """Whether there is an archive of this number, and which come near it.

    Raises:
        UnknownAgency, InvalidLease: nobody was asked.
    """
    agency = agency_named(agency)
    try:
        number = normalise_lease_number(number)
    except ValidationError as error:
        raise InvalidLease(str(error.messages[0])) from error
    index = fresh_index(agency=agency, user=user)
    if index is None:
        return NearNumber(agency=agency, number=number)
    archives = index.archives([number])
    archive = archives.get(number)
    return NearNumber(
        agency=agency,
        number=number,
        # A file of that name is for Dropbox to tell about.
        has_archive=(archive.is_directory or None if archive else False) if number in archives else None,
        nearest=nearest_in(index, [number])[number],
        read_at=index.read_at,
    )

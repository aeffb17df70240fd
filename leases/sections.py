"""What stands on a lease's page below what is known of it; put there by whoever has something that belongs to leases."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.utils.safestring import SafeString

from leases.models import Lease

# Empty: nothing for this person.
type Section = Callable[[Lease, User], SafeString | str]

_SECTIONS: dict[str, Section] = {}


def put(name: str, section: Section) -> None:
    """Put this onto every lease's page, instead of what was put there under the same name."""
    _SECTIONS[name] = section


def of(lease: Lease, user: User) -> list[SafeString | str]:
    """What the person sees there of the lease."""
    return [piece for piece in (section(lease, user) for section in _SECTIONS.values()) if piece]

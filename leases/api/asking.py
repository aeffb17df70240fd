"""Who asks, what they may, and at which version of a lease they have looked."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse

from api import etags
from leases.api.shapes import beside
from leases.models import Lease
from statemachine.errors import RecordGone
from statemachine.rights import require
from statemachine.transitions import locked

SEE = "leases.view_lease"
# What a lease's answer shows of others, so that it takes one statement.
SHOWN_WITH = (
    "runsheet_directory",
    "documents_directory",
    "misc_index_directory",
    "created_by",
    "initiated_by",
)


def asking(request: HttpRequest, *rights: str) -> User:
    """Who asks, if they may do all of that.

    Raises:
        TransitionForbidden: naming what is lacking.
    """
    user = request.auth  # type: ignore[attr-defined]  # set by whoever has found out who asks
    assert isinstance(user, User)
    require(user, *rights)
    return user


def here(request: HttpRequest, name: str, *args: int | str) -> str:
    """The address of another operation of the same interface."""
    space = request.resolver_match.namespace if request.resolver_match else ""
    return reverse(f"{space}:{name}", args=args)


def there(lease_id: int) -> Lease:
    """The lease with all that is shown of it.

    Raises:
        RecordGone: there is none.
    """
    lease = Lease.objects.select_related(*SHOWN_WITH).filter(pk=lease_id).first()
    if lease is None:
        raise RecordGone
    return lease


def version_of(lease: Lease) -> str:
    """The ETag of what is answered of a lease."""
    return etags.etag_of(lease, *beside(lease))


@contextmanager
def as_seen(request: HttpRequest, lease_id: int, *, must_say: bool = True) -> Iterator[Lease]:
    """The lease as who asks has seen it, to which something is done in the body; nobody comes between.

    Args:
        must_say: which version is meant; else whoever says nothing means the lease as it is.

    Raises:
        RecordGone: there is none.
        PreconditionMissing, PreconditionFailed: nothing was done.
    """
    with locked(Lease, lease_id) as lease:
        if must_say or "If-Match" in request.headers:
            etags.require_match(request, lease, *beside(lease))
        yield lease

"""Where in the console the records are that somebody is told of."""

from django.urls import reverse
from django.utils.http import urlencode

from console.notices.models import Noticed
from console.records.links import NOBODY, STARTED_BY, address_of


def page_of(record: Noticed) -> str:
    """The address of a record's page, below the console's."""
    return reverse(address_of(type(record), "change"), args=[record.pk])


def list_of_failed(machine: type[Noticed], reason: str, *, user_id: int | None) -> str:
    """The address of the list of the records that failed for the reason: the person's, or those that nobody started."""
    told = sorted(machine.told_states())
    narrowed = {"state__exact": told[0]} if len(told) == 1 else {"state__in": ",".join(told)}
    return _list(machine, **narrowed, failure_code=reason, **_whose(user_id))


def list_of_waiting(machine: type[Noticed], reason: str, *, user_id: int) -> str:
    """The address of the list of those and of what is still tried again for the same reason."""
    return _list(machine, failure_code=reason, **_whose(user_id))


def _whose(user_id: int | None) -> dict[str, str]:
    return {STARTED_BY: NOBODY if user_id is None else str(user_id)}


def _list(machine: type[Noticed], **narrowed: str) -> str:
    return f"{reverse(address_of(machine, 'changelist'))}?{urlencode(narrowed)}"

"""Who speaks for a folder that an account does not see: whoever saw it last, and is not known to miss it as well."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from cloud.dropbox import Gateway
from cloud.models import DropboxAccount
from core.base.folding import is_same_path
from core.base.redis_keys import cache_key
from discovery.errors import BasePathMissing, BasePathOutOfSight
from leases.models import Lease, Origin
from leases.queries import last_answers, last_failures, missed_by

logger = logging.getLogger(__name__)

# While thousands fail for one wrong path, what all records say of it is read once in this time.
REMEMBERED_S = 30
MISSED = (BasePathMissing.code, BasePathOutOfSight.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An account has seen the folder.

    Attributes:
        account_id: Dropbox's own.
        at: for the last time; None if that is not known.
    """

    account_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """Who has seen a folder that the account of a run does not see.

    Attributes:
        own: that account itself; it needs nobody to tell it that the folder was there.
        witness: the one of the others that may still see it; None where there is an own one.
    """

    own: Sighting | None = None
    witness: Sighting | None = None


def sightings_of(folder: str, *, lease: Lease | None, gateway: Gateway, known: Origin | None) -> Sightings:
    """Who has seen the folder of an agency's archives.

    Only who is connected now is a witness, and only if it has not missed the folder since: otherwise two people would send
    each other around while the path is wrong. Reads the records once in `REMEMBERED_S`, so it may be behind by as much.

    Args:
        lease: whose archive is looked for; without it, nobody is known to have missed the folder.
        known: whom it is known from that the archive lay there; it is heard first.
    """
    seen = _seen(folder)
    if known and known.account:
        seen.setdefault(known.account, None)
    own = gateway.account.account_id
    if own in seen:
        return Sightings(own=Sighting(account_id=own, at=seen[own]))
    missed = _missed(folder, lease) if lease else {}
    people = DropboxAccount.objects.at_hand().filter(account_id__in=seen)
    others = [
        Sighting(account_id=account_id, at=seen[account_id])
        for account_id in set(people.values_list("account_id", flat=True))
        if _is_newer(seen[account_id], than=missed.get(account_id))
    ]
    return Sightings(witness=_best(others, first=known.account if known else ""))


def _best(sightings: Iterable[Sighting], *, first: str) -> Sighting | None:
    def rank(each: Sighting) -> tuple[bool, float, str]:
        return each.account_id == first, each.at.timestamp() if each.at else 0.0, each.account_id

    return max(sightings, key=rank, default=None)


def _is_newer(seen: datetime | None, *, than: datetime | None) -> bool:
    return than is None or (seen is not None and seen > than)


def _seen(folder: str) -> dict[str, datetime | None]:
    """When each account last gave an answer for the folder."""
    rows = _once(cache_key("folder-seen", folder.encode().hex()), lambda: _answers_for(folder))
    return {account: datetime.fromisoformat(at) if at else None for account, at in rows}


def _answers_for(folder: str) -> list[tuple[str, str]]:
    latest: dict[str, datetime | None] = {}
    for answer in last_answers():
        if is_same_path(answer.base_path, folder):
            latest[answer.account] = _later(latest.get(answer.account), answer.at)
    return [(account, at.isoformat() if at else "") for account, at in latest.items()]


def _missed(folder: str, lease: Lease) -> Mapping[str, datetime | None]:
    """When a run of each account last missed the folder: one of the agency's records, or an earlier one of this."""
    rows = _once(cache_key("folder-missed", lease.agency), lambda: _failures_in(lease.agency))
    latest: dict[str, datetime | None] = {account: datetime.fromisoformat(at) for account, at in rows}
    for account, path, at in missed_by(lease):
        if is_same_path(path, folder):
            latest[account] = _later(latest.get(account), at)
    return latest


def _failures_in(agency: str) -> list[tuple[str, str]]:
    failed = last_failures(agency, codes=MISSED)
    people = DropboxAccount.objects.filter(user__in=failed).values_list("account_id", "user_id")
    # By time, so that of two people with one account the later failure stands.
    return sorted(((account, failed[user].isoformat()) for account, user in people), key=lambda each: each[1])


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at), default=None)


def _once(key: str, read: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    try:
        if (remembered := cache.get(key)) is not None:
            return [(name, at) for name, at in remembered]
        cache.set(key, found := read(), timeout=REMEMBERED_S)
    except RedisError as error:
        logger.warning("base path: the cache does not answer (%s); the records are read instead", error)
        return read()
    return found

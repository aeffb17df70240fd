"""Share links to archives that were found without one: made a few at a time, while nothing else is to be done.

Nobody waits for them. What the account has made before is adopted, a page of links by one call; what is not among those may
have a link all the same, and Dropbox hands it out when it is asked to make one.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import QuerySet
from redis.exceptions import RedisError

from cloud.dropbox import Gateway, gateway_for
from cloud.errors import LinkRefused, NotFound
from cloud.files import ShareLink
from cloud.models import CloudLocation, DropboxAccount
from cloud.services.locations import record_location
from core.base.clock import now
from core.base.errors import RunsheetError
from core.base.redis_keys import cache_key
from leases.models import Lease

logger = logging.getLogger(__name__)

EVERY_S = 10
AWAITING: Mapping[str, Any] = {"share_checked_at__isnull": True, "share_url": "", "share_refusal": ""}
MINUTE_S = 60
# So few are asked for one by one, which takes no more calls than looking for them among all links.
WORTH_LISTING = 10
# An account's own links are looked through once in this time.
LISTED_FOR_S = 24 * 3_600
ALL_LISTED = "all"
# A link that could not be made is left alone for so long.
LEFT_ALONE_S = 3_600
# Of those that are left alone, others are behind them in the line.
LOOKED_AT = 200


def every_s() -> float:
    """How often there is something to make; 0: never."""
    return EVERY_S if settings.LINKS_PER_MINUTE else 0


def calls_at_once() -> int:
    """How many calls one time may take: never more than half of what an account is asked at most."""
    wanted = max(1, settings.LINKS_PER_MINUTE * EVERY_S // MINUTE_S)
    ceiling: int = settings.DROPBOX_CALLS_PER_S
    return min(wanted, max(1, ceiling * EVERY_S // 2)) if ceiling else wanted


def make_some() -> int:
    """Adopt or make a few links with the Dropbox of who found the archives; how many calls that took."""
    left = calls_at_once()
    try:
        for account in _accounts():
            if left > 0:
                left -= _make_for(account, calls=left)
    except RedisError as error:
        logger.warning("links: the cache does not answer (%s); they are made later", error)
    return calls_at_once() - left


def _accounts() -> list[DropboxAccount]:
    """One person for each Dropbox account and root that has found something to which there is no link."""
    wanted = _awaiting().values_list("known_account", "known_root").distinct()
    people = DropboxAccount.objects.at_hand().select_related("user").defer("refresh_token", "access_token")
    by_sight = {(each.account_id, each.root_namespace_id): each for each in people.order_by("-pk")}
    return [by_sight[seen] for seen in wanted if seen in by_sight]


def _awaiting() -> QuerySet[Lease]:
    places = CloudLocation.objects.filter(**AWAITING)
    return Lease.objects.filter(runsheet_directory__in=places).order_by()


def _make_for(account: DropboxAccount, *, calls: int) -> int:
    """Make links to what this account has found; how many calls that took."""
    waiting = _places_of(account)
    taken = 0
    try:
        gateway = gateway_for(account.user) if waiting else None
        while gateway and waiting and taken < calls and not _is_anything_owed():
            taken += 1
            cursor = _next_page(account) if len(waiting) > WORTH_LISTING else None
            waiting = _made(gateway, waiting) if cursor is None else _adopted(gateway, waiting, cursor=cursor)
    except (RunsheetError, ImproperlyConfigured) as error:
        logger.info("links: none are made with the Dropbox of %s just now (%s)", account, type(error).__name__)
    return taken


def _places_of(account: DropboxAccount) -> list[CloudLocation]:
    """What was found with this account and has no link; some of it, the newest first."""
    mine = _awaiting().filter(known_account=account.account_id, known_root=account.root_namespace_id)
    newest = list(mine.order_by("-known_at").values_list("runsheet_directory", flat=True)[:LOOKED_AT])
    places = CloudLocation.objects.in_bulk(newest)
    alone = cache.get_many([_left_alone(pk) for pk in places])
    return [places[pk] for pk in dict.fromkeys(newest) if _left_alone(pk) not in alone]


def _is_anything_owed() -> bool:
    return Lease.objects.filter(due_at__isnull=False).exists()


# --- What the account has made before -------------------------------------------------------------------------------


def _next_page(account: DropboxAccount) -> str | None:
    """Where its links are to be read on, "" at the beginning; None if all were read not long ago."""
    cursor = cache.get(_listed(account), "")
    return None if cursor == ALL_LISTED else str(cursor)


def _adopted(gateway: Gateway, waiting: Sequence[CloudLocation], *, cursor: str) -> list[CloudLocation]:
    """Keep those links of a page that lead to archives without one; what still waits."""
    page = gateway.own_links(cursor=cursor)
    cache.set(_listed(gateway.account), page.cursor or ALL_LISTED, timeout=LISTED_FOR_S)
    at = now()
    links = {
        each.file_id: each for each in page.links if each.url and (each.expires_at is None or each.expires_at > at)
    }
    places = CloudLocation.objects.filter(**AWAITING).filter(file_id__in=[name for name in links if name])
    adopted = set()
    for place in places:
        _keep(place, links[place.file_id])
        adopted.add(place.pk)
    return [place for place in waiting if place.pk not in adopted]


# --- New ones -------------------------------------------------------------------------------------------------------


def _made(gateway: Gateway, waiting: Sequence[CloudLocation]) -> list[CloudLocation]:
    """Make the first of them; the others."""
    place, *others = waiting
    try:
        _keep(place, gateway.create_share_link(path=place.path))
    except LinkRefused as refusal:
        with transaction.atomic():
            record_location(path=place.path, link=None, refusal=refusal.reason, checked_at=now())
    except NotFound:
        # It has gone, or is out of sight; that is not for this to say.
        cache.set(_left_alone(place.pk), 1, timeout=LEFT_ALONE_S)
    return others


def _keep(place: CloudLocation, link: ShareLink) -> None:
    with transaction.atomic():
        record_location(path=place.path, link=link, checked_at=now())


def _left_alone(pk: int) -> str:
    return cache_key("link-left-alone", pk)


def _listed(account: DropboxAccount) -> str:
    return cache_key("links-listed", account.account_id, account.root_namespace_id)

"""Where a click on “Open in Dropbox” leads: the stored share link, a new one, or a sentence why there is none."""

import logging
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q

from cloud.dependants import Opening
from cloud.dropbox import Gateway, gateway_for
from cloud.dropbox.connection import done_within
from cloud.errors import LinkRefused, NotFound
from cloud.models import CloudLocation, DropboxAccount
from cloud.queries import take_link_check
from cloud.services.locations import forget_link, record_location
from core.base.clock import now
from core.base.errors import RunsheetError
from core.base.statement_limits import lock_waits
from discovery.errors import ArchiveOutOfSight, BasePathMissing
from discovery.services.base_paths import confirm_not_found
from discovery.services.share_links import TRUSTED_FOR, link_that_leads_there
from leases.models import NOBODY, Origin
from leases.queries import origin_of_location

logger = logging.getLogger(__name__)

# Who could not check leaves it to the next who opens it after this.
TROUBLE_LASTS = timedelta(minutes=10)
# Somebody waits for the page; no call to Dropbox is begun after this.
LONGEST_S = 8.0
# Who renews the account's token holds it for as long as Dropbox takes.
LOCKS_AT_MOST_S = 2.0

NO_LINK = "No share link is stored for this archive. Run its lease again."
GONE = (
    "The folder “{path}” is no longer there: it was moved, renamed or deleted in Dropbox. Move it back, or run its lease "
    "again to have that recorded."
)
OUT_OF_SIGHT = (
    "The stored share link leads nowhere any more, and your Dropbox does not see the folder “{path}”, so no new link could "
    "be made. Let somebody whose Dropbox sees it run its lease again."
)
NOT_YET = (
    "Nobody has made a share link to this archive yet. Let somebody open it who may run discovery and whose Dropbox sees the "
    "folder “{path}”; the link is made then."
)
NOT_NOW = (
    "No share link could be made just now: {why} Open it again in a minute, or look for “{path}” in Dropbox itself."
)
NONE = (
    "There is no share link to this archive. {reason} Look for “{path}” in Dropbox itself, or ask the Dropbox team's "
    "administrator to allow share links."
)
OUT_OF_YOUR_SIGHT = (
    "Nobody has made a share link to this archive yet, and your Dropbox does not see the folder “{path}”. Let somebody open it "
    "whose Dropbox sees it."
)
REFUSED = (
    "The stored share link leads nowhere any more, and there is no new one. {reason} Look for “{path}” in Dropbox itself, "
    "or ask the Dropbox team's administrator to allow share links."
)


def open_archive(*, location: CloudLocation, user: User) -> Opening:
    """Look, at most once a day, whether the share link still leads to the archive; make a new one if it does not.

    The opener's own Dropbox is used. Who has none, sees other folders than who found the archive, or cannot be served by
    Dropbox now or soon, gets the link as it is stored. Where nobody has made a link yet, the first who opens it does.
    """
    if location.is_gone:
        return Opening(why_not=GONE.format(path=location.path))
    known = origin_of_location(location) or NOBODY
    may_check = user.has_perm("leases.run_discovery") and _sees_the_same(known, user)
    if location.share_url:
        return _opened_again(location, known, user) if may_check else Opening(url=location.share_url)
    if location.share_refusal or known == NOBODY:
        return Opening(why_not=location.share_refusal or NO_LINK)
    return _first_opened(location, known, user) if may_check else Opening(why_not=NOT_YET.format(path=location.path))


def _opened_again(location: CloudLocation, known: Origin, user: User) -> Opening:
    """The link as it is stored, or a new one if Dropbox says that it leads nowhere; whoever cannot check leaves it."""
    if not _is_check_due(location):
        return Opening(url=location.share_url)
    try:
        with done_within(LONGEST_S), lock_waits(LOCKS_AT_MOST_S):
            return _checked(location, known, gateway_for(user))
    except (BasePathMissing, ArchiveOutOfSight):
        _check_again_after(timedelta(0), location)  # or the next one would be sent to a link that is dead
        return Opening(why_not=OUT_OF_SIGHT.format(path=location.path))
    except (RunsheetError, ImproperlyConfigured) as error:
        logger.warning("the share link to %s could not be checked (%s)", location.path, type(error).__name__)
        _check_again_after(TROUBLE_LASTS, location)
        return Opening(url=location.share_url)


def _first_opened(location: CloudLocation, known: Origin, user: User) -> Opening:
    """Make the link that nobody has made yet; two people at once get the same one from Dropbox."""
    path = location.path
    try:
        with done_within(LONGEST_S), lock_waits(LOCKS_AT_MOST_S):
            return _with_new_link(path, known, gateway_for(user), refused=NONE)
    except (BasePathMissing, ArchiveOutOfSight):
        return Opening(why_not=OUT_OF_YOUR_SIGHT.format(path=path))
    except (RunsheetError, ImproperlyConfigured) as error:
        logger.warning("no share link to %s could be made (%s)", path, type(error).__name__)
        return Opening(why_not=NOT_NOW.format(why=error, path=path))


def _sees_the_same(known: Origin, user: User) -> bool:
    """Whether the opener's paths begin where those of the finder begin; else it may be another folder."""
    same = Q(account_id=known.account) | Q(root_namespace_id=known.path_root)
    return DropboxAccount.objects.filter(same, user=user).exists()


def _is_check_due(location: CloudLocation) -> bool:
    at = now()
    has_expired = location.share_expires_at is not None and location.share_expires_at <= at
    return take_link_check(location, before=at - TRUSTED_FOR, at=at) or has_expired


def _checked(location: CloudLocation, known: Origin, gateway: Gateway) -> Opening:
    try:
        if link_that_leads_there(url=location.share_url, path=location.path, gateway=gateway):
            return Opening(url=location.share_url)
    except NotFound as error:
        return _gone(location.path, error, known, gateway)
    opening = _with_new_link(location.path, known, gateway, refused=REFUSED)
    logger.info("the share link to %s was dead", location.path)
    return opening


def _with_new_link(path: str, known: Origin, gateway: Gateway, *, refused: str) -> Opening:
    try:
        link = gateway.create_share_link(path=path)
    except LinkRefused as refusal:
        with transaction.atomic():
            record_location(path=path, link=None, refusal=refusal.reason, checked_at=now())
        return Opening(why_not=refused.format(reason=refusal.reason, path=path))
    except NotFound as error:
        return _gone(path, error, known, gateway)
    with transaction.atomic():
        record_location(path=path, link=link, checked_at=now())
    logger.info("a new share link to %s is stored", path)
    return Opening(url=link.url)


def _gone(path: str, error: NotFound, known: Origin, gateway: Gateway) -> Opening:
    confirm_not_found(gateway=gateway, path=path, answer=error, known=known)
    forget_link(path=path)
    return Opening(why_not=GONE.format(path=path))


def _check_again_after(delay: timedelta, location: CloudLocation) -> None:
    CloudLocation.objects.filter(pk=location.pk).update(share_checked_at=now() - TRUSTED_FOR + delay)

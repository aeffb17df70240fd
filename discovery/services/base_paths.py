"""Is the folder that holds all archives there at all, and does this account see the whole of it?

If it is not (a typing error, an account outside the team), Dropbox says `path/not_found` for every lease, and every
"not found" would be false (docs/decisions/0004-base-path-before-not-found.md).
"""

import logging

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from cloud.dropbox import Gateway
from cloud.errors import NotFound
from core.base.redis_keys import cache_key
from discovery.errors import BasePathMissing, BasePathOutOfSight
from discovery.services.judging import (
    confirm_full_sight,
    confirm_may_negate,
    name_of,
    namespace_of,
    seen_by,
)
from discovery.services.witnesses import Sighting, sightings_of
from leases.models import Lease, Origin
from leases.queries import MISSING_FOLDER

logger = logging.getLogger(__name__)

# One further call per account and base path in this time keeps "not found" at one call while thousands are imported.
REMEMBERED_S = 30


def confirm_not_found(
    *, gateway: Gateway, path: str, answer: NotFound, known: Origin | None, lease: Lease | None = None
) -> Origin:
    """Make sure that it is the path which is not there, and that this account may say so.

    Args:
        known: whom it is known from that something lay there; nothing that is remembered is believed then.
        lease: whose archive should lie at the path; its history tells who has missed the folder.

    Returns:
        Whom the answer "not found" comes from.

    Raises:
        BasePathMissing: the account cannot see the folder that should hold it.
        ArchiveOutOfSight: the account sees only a part of that folder, or cannot judge what another one has seen.
        Temporary, Permanent: as the gateway says.
    """
    base_path = path.rpartition("/")[0]
    try:
        namespace = _namespace_of(base_path, gateway=gateway, known=known, answer=answer, lease=lease)
    except NotFound:
        raise _missing(base_path, answer, gateway=gateway, known=known, lease=lease) from answer
    if known:
        confirm_may_negate(known, gateway=gateway, path=path, namespace=namespace, evidence=answer.evidence)
    return Origin(
        base_path=base_path,
        account=gateway.account.account_id,
        path_root=gateway.account.root_namespace_id,
        namespace=namespace,
    )


def _namespace_of(
    base_path: str, *, gateway: Gateway, known: Origin | None, answer: NotFound, lease: Lease | None
) -> str:
    """The shared folder in which the account sees the base path, all of it; empty where it is in none."""
    account = gateway.account
    key = cache_key("base-path", account.account_id, account.root_namespace_id, base_path.encode().hex())
    if known is None and (remembered := _remembered(key)) is not None:
        return remembered
    found = gateway.metadata(path=base_path)
    if not found.is_directory:
        raise _missing(base_path, answer, gateway=gateway, known=known, lease=lease) from answer
    confirm_full_sight(found, gateway=gateway, path=base_path, evidence=answer.evidence)
    namespace = namespace_of(found, account=account)
    _remember(key, namespace)
    return namespace


def _missing(
    base_path: str, answer: NotFound, *, gateway: Gateway, known: Origin | None, lease: Lease | None
) -> BasePathMissing:
    """Whose Dropbox lacks it, and who may still see it; where there is nobody, the path has to be corrected."""
    seen = sightings_of(base_path, lease=lease, gateway=gateway, known=known)
    evidence = answer.evidence | {MISSING_FOLDER: base_path}
    folder = f"The folder “{base_path}”, which should hold the archive,"
    if seen.witness:
        name = name_of(seen.witness.account_id)
        return BasePathOutOfSight(
            f"{folder} is not in the Dropbox of {gateway.account}. It was last seen there with the Dropbox of "
            f"{name}{_day(seen.witness, before=', on ')}. Let somebody run it whose Dropbox sees the folder, or have the "
            f"folder shared with {gateway.account}; then run it again. If {name} no longer sees it either, the path is "
            "wrong: correct the agency's configuration.",
            evidence=evidence | seen_by(seen.witness.account_id),
        )
    cure = "Correct the agency's configuration, or connect an account that can see the folder; then run it again."
    if seen.own:
        return BasePathMissing(
            f"{folder} is no longer in the Dropbox of {gateway.account}, where it was "
            f"{_day(seen.own, before='last seen on ') or 'seen before'}. It was renamed, moved or deleted, or is no longer "
            f"shared with that account. {cure}",
            evidence=evidence,
        )
    return BasePathMissing(f"{folder} is not in the Dropbox of {gateway.account}. {cure}", evidence=evidence)


def _day(sighting: Sighting, *, before: str) -> str:
    return f"{before}{timezone.localtime(sighting.at):%Y-%m-%d}" if sighting.at else ""


def _remembered(key: str) -> str | None:
    try:
        found = cache.get(key)
    except RedisError as error:
        logger.warning("base path: the cache does not answer (%s); Dropbox is asked instead", error)
        return None
    return found if isinstance(found, str) else None


def _remember(key: str, namespace: str) -> None:
    try:
        cache.set(key, namespace, timeout=REMEMBERED_S)
    except RedisError as error:
        logger.warning("base path: the cache does not answer (%s); Dropbox will be asked again", error)

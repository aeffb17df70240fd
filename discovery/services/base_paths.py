"""Is the folder that holds all archives there at all, and does this account see the whole of it?

If it is not (a typing error, an account outside the team), Dropbox says `path/not_found` for every lease, and every
"not found" would be false (docs/decisions/0004-base-path-before-not-found.md).
"""

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

from discovery.dropbox import Gateway
from discovery.errors import BasePathMissing, BasePathOutOfSight, NotFound
from discovery.services.judging import (
    confirm_full_sight,
    confirm_may_negate,
    name_of,
    namespace_of,
    seen_by,
)
from leases.models import Origin
from leases.queries import account_that_saw

logger = logging.getLogger(__name__)

# One further call per account and base path in this time keeps "not found" at one call while thousands are imported.
REMEMBERED_S = 30


def confirm_not_found(*, gateway: Gateway, path: str, answer: NotFound, known: Origin | None) -> Origin:
    """Make sure that it is the path which is not there, and that this account may say so.

    Args:
        known: whom it is known from that something lay there; nothing that is remembered is believed then.

    Returns:
        Whom the answer "not found" comes from.

    Raises:
        BasePathMissing: the account cannot see the folder that should hold it.
        ArchiveOutOfSight: the account sees only a part of that folder, or cannot judge what another one has seen.
        Temporary, Permanent: as the gateway says.
    """
    base_path = path.rpartition("/")[0]
    try:
        namespace = _namespace_of(base_path, gateway=gateway, known=known, answer=answer)
    except NotFound:
        raise _missing(base_path, answer, gateway=gateway, known=known) from answer
    if known:
        confirm_may_negate(known, gateway=gateway, path=path, namespace=namespace, evidence=answer.evidence)
    return Origin(
        base_path=base_path,
        account=gateway.account.account_id,
        path_root=gateway.account.root_namespace_id,
        namespace=namespace,
    )


def _namespace_of(base_path: str, *, gateway: Gateway, known: Origin | None, answer: NotFound) -> str:
    """The shared folder in which the account sees the base path, all of it; empty where it is in none."""
    key = f"base-path:{gateway.account.account_id}:{gateway.account.root_namespace_id}:{base_path.encode().hex()}"
    if known is None and (remembered := _remembered(key)) is not None:
        return remembered
    found = gateway.metadata(path=base_path)
    if not found.is_directory:
        raise _missing(base_path, answer, gateway=gateway, known=known) from answer
    confirm_full_sight(found, gateway=gateway, path=base_path, evidence=answer.evidence)
    namespace = namespace_of(found, account=gateway.account)
    _remember(key, namespace)
    return namespace


def _missing(base_path: str, answer: NotFound, *, gateway: Gateway, known: Origin | None) -> BasePathMissing:
    """Whose Dropbox lacks it; and where another account has seen it, who could run it, as the path is right then."""
    own = gateway.account.account_id
    is_anothers = known is not None and known.account not in {"", own}
    witness = known.account if known and is_anothers else account_that_saw(base_path, but=own)
    lacks = f"The folder “{base_path}”, which should hold the archive, is not in the Dropbox of {gateway.account}."
    if not witness:
        cure = "Correct the agency's configuration, or connect an account that can see the folder; then run it again."
        return BasePathMissing(f"{lacks} {cure}", evidence=answer.evidence)
    return BasePathOutOfSight(
        f"{lacks} {'The archive was found there' if is_anothers else 'It was seen there'} with the Dropbox of "
        f"{name_of(witness)}, so it is probably not the path that is wrong. Let somebody run it whose Dropbox sees the "
        f"folder, or have the folder shared with {gateway.account}; then run it again.",
        evidence=answer.evidence | seen_by(witness),
    )


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

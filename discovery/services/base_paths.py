"""Is the folder that holds all archives there at all?

If it is not (a typing error, an account outside the team), Dropbox says `path/not_found` for every lease, and every
"not found" would be false (docs/decisions/0004-base-path-before-not-found.md).
"""

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

from discovery.dropbox import Gateway
from discovery.errors import BasePathMissing, NotFound

logger = logging.getLogger(__name__)

# One further call per account and base path in this time keeps "not found" at one call while thousands are imported.
REMEMBERED_S = 30


def confirm_not_found(*, gateway: Gateway, path: str, answer: NotFound, was_there: bool) -> None:
    """Make sure that it is the path which is not there, and not the folder that should hold it.

    Args:
        was_there: it was found before, so that nothing that is remembered is believed.

    Raises:
        BasePathMissing: the account cannot see the folder.
        Temporary, Permanent: as the gateway says.
    """
    base_path = path.rpartition("/")[0]
    if not _base_path_exists(gateway, base_path, look=was_there):
        raise BasePathMissing(
            f"The folder “{base_path}”, which should hold the archive, is not in this Dropbox. Correct the agency's "
            "configuration, or connect an account that can see the folder; then run it again.",
            evidence=answer.evidence,
        ) from answer


def _base_path_exists(gateway: Gateway, base_path: str, *, look: bool) -> bool:
    key = f"base-path:{gateway.account.account_id}:{gateway.account.root_namespace_id}:{base_path.encode().hex()}"
    if not look and _remembered(key):
        return True
    try:
        found = gateway.metadata(path=base_path)
    except NotFound:
        return False
    if found.is_directory:
        _remember(key)
    return found.is_directory


def _remembered(key: str) -> bool:
    try:
        return bool(cache.get(key))
    except RedisError as error:
        logger.warning("base path: the cache does not answer (%s); Dropbox is asked instead", error)
        return False


def _remember(key: str) -> None:
    try:
        cache.set(key, 1, timeout=REMEMBERED_S)
    except RedisError as error:
        logger.warning("base path: the cache does not answer (%s); Dropbox will be asked again", error)

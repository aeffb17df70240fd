"""Whether workers begin anything new: RQ's look at one key in Redis."""

from rq import suspension

from core.base.redis_client import ask


def suspend() -> None:
    """Let none begin anything until `resume`. What has begun is ended.

    Raises:
        RedisError: Redis does not answer.
    """
    ask(suspension.suspend)


def resume() -> bool:
    """Let them go on; whether they were suspended.

    Raises:
        RedisError: Redis does not answer.
    """
    return bool(ask(suspension.resume))

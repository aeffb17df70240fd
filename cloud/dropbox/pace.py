"""How fast one Dropbox account is asked, by all workers on all hosts together: its pause, and a ceiling.

Both are kept in Redis, by Redis' clock. A Redis that is away holds nobody up: the pause also stands in the database,
where each job reads it when it begins, and without Redis hardly a job begins.
"""

import logging
import time

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from cloud.dropbox.connection import time_left_s
from cloud.errors import AccountPaused, AtCeiling
from core.base.redis_client import ask
from core.base.redis_keys import redis_key
from core.ops import tally

logger = logging.getLogger(__name__)

# Who would have to wait longer gives the worker free for other accounts.
LONGEST_WAIT_S = 5.0

# One slot for each call, the newest first, as many as the ceiling allows in a second: a call may be made one second
# after the one that stands that many places before it. Answers with the milliseconds to wait; negative: a pause.
_TAKE_SLOT = """
local pause = redis.call('PTTL', KEYS[1])
if pause > 0 then return -pause end
local ceiling, longest = tonumber(ARGV[1]), tonumber(ARGV[2])
if ceiling == 0 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot = now
local before = redis.call('LINDEX', KEYS[2], ceiling - 1)
if before then slot = math.max(now, tonumber(before) + 1000) end
if slot - now <= longest then
    redis.call('LPUSH', KEYS[2], string.format('%.0f', slot))
    redis.call('LTRIM', KEYS[2], 0, ceiling - 1)
    redis.call('PEXPIRE', KEYS[2], slot - now + 2000)
end
return slot - now
"""


def wait_turn(account_id: str) -> None:
    """Wait until the account may be asked once more; not for longer than somebody who waits allows (`done_within`).

    Raises:
        AccountPaused: Dropbox asked everybody who uses this account to wait.
        AtCeiling: too many others are waiting already.
    """
    longest_s = min(LONGEST_WAIT_S, time_left_s())
    try:
        wait_ms = ask(lambda redis: _take_slot(redis, account_id, longest_s))
    except RedisError as error:
        logger.warning("account=%s: Redis does not tell its pace (%s)", account_id, error)
        return
    evidence = {"account": account_id}
    if wait_ms < 0:
        raise AccountPaused(retry_after_s=-wait_ms / 1000, evidence=evidence)
    if wait_ms > longest_s * 1000:
        raise AtCeiling(retry_after_s=wait_ms / 1000, evidence=evidence)
    if wait_ms:
        tally.observe("dropbox_wait_seconds", wait_ms / 1000)
        time.sleep(wait_ms / 1000)


def pause(account_id: str, *, pause_s: float) -> None:
    """Let nobody ask the account for so long; a longer pause stands. Best effort: the database has it too."""
    pause_ms = max(1, round(pause_s * 1000))
    try:
        ask(lambda redis: _pause(redis, account_id, pause_ms))
    except RedisError as error:
        logger.warning("account=%s: Redis did not take the pause (%s)", account_id, error)
    tally.count("dropbox_pauses")


def _take_slot(redis: Redis, account_id: str, longest_s: float) -> int:
    keys = (redis_key("pause", account_id), redis_key("pace", account_id))
    ceiling, longest_ms = settings.DROPBOX_CALLS_PER_S, round(longest_s * 1000)
    return int(redis.eval(_TAKE_SLOT, len(keys), *keys, ceiling, longest_ms))


def _pause(redis: Redis, account_id: str, pause_ms: int) -> None:
    key = redis_key("pause", account_id)
    with redis.pipeline() as pipeline:
        pipeline.set(key, 1, nx=True, px=pause_ms)
        pipeline.pexpire(key, pause_ms, gt=True)
        pipeline.execute()

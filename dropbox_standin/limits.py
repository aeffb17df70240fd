"""A token bucket for each account, for 429s that come by themselves."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from dropbox_standin.wire import TooManyRequests

# How a 429 tells its delay: `json` in header and body, `header` in the header of a JSON answer, `text` in that of a text.
STYLES = ("json", "header", "text")


@dataclass
class Bucket:
    tokens: float
    filled_at: float


@dataclass
class RateLimit:
    """`per_second` calls for each account, `burst` at once; the answer's Retry-After is what the bucket needs."""

    per_second: float
    burst: int
    style: str = "json"
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def take(self, account_id: str) -> None:
        """Count one call.

        Raises:
            TooManyRequests: the bucket is empty.
        """
        now = time.monotonic()
        bucket = self.buckets.setdefault(account_id, Bucket(self.burst, now))
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.filled_at) * self.per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            wait_s = math.ceil((1 - bucket.tokens) / self.per_second)
            raise TooManyRequests(retry_after_s=wait_s, style=self.style)
        bucket.tokens -= 1

"""`files/list_folder/longpoll`: waiting until a cursor has news."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import OpenRoute
from dropbox_standin.wire import Answer, answer_json

if TYPE_CHECKING:
    from dropbox_standin.world import World

LONGEST_S = 480


@dataclass
class Longpolls:
    """How they behave.

    Attributes:
        cap_s: they wait no longer than this, so that tests need not wait 30 seconds.
        jitter_s: up to this is added to the time asked for, as the real service adds up to 90 seconds.
        backoff_s: what each answer asks the client to wait before the next one.
        vague: any change that the account could see wakes them, be it outside of the folder.
    """

    cap_s: float | None = None
    jitter_s: float = 0.0
    backoff_s: int | None = None
    vague: bool = False


async def longpoll(world: World, arguments: dict[str, Any]) -> Answer:
    """Wait until the cursor has news, for `timeout` seconds at most."""
    cursor, knobs = world.cursors.get(arguments["cursor"], account_id=None), world.longpolls
    account = cursor.watch.view.account
    told_before = world.told_to(account)

    def has_news() -> bool:
        return world.cursors.has_news(cursor) or (knobs.vague and world.told_to(account) != told_before)

    wait_s = arguments["timeout"] + world.rng.uniform(0, knobs.jitter_s)
    until = time.monotonic() + min(wait_s, wait_s if knobs.cap_s is None else knobs.cap_s)
    while not has_news() and (left_s := until - time.monotonic()) > 0 and not world.closed:
        await world.wait_for_news(at_most_s=left_s)
    backoff = {} if knobs.backoff_s is None else {"backoff": knobs.backoff_s}
    return answer_json({"changes": has_news(), **backoff})


ROUTES = (
    OpenRoute(
        "files/list_folder/longpoll",
        longpoll,
        {"cursor": args.string(), "timeout": args.integer(30, LONGEST_S, default=30)},
    ),
)

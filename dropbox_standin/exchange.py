"""What every call goes through, whatever its route: latency, faults, request ids, the journal."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.responses import Response

from dropbox_standin.faults import Broken, Fault
from dropbox_standin.journal import Entry
from dropbox_standin.wire import Answer, BadRequest, WireError, timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dropbox_standin.world import World

# These kinds end a connection or slow it down: they work on the transport and not on the answer.
BREAKING = frozenset({"reset", "close", "truncate", "dribble"})


def begin(world: World, route: str) -> Entry:
    """The journal's entry for a call that has just arrived."""
    return Entry(
        seq=world.journal.next_seq(),
        at=timestamp(world.clock.now()),
        monotonic_s=time.monotonic(),
        route=route,
        request_id=world.new_request_id(),
    )


async def exchange(world: World, entry: Entry, work: Callable[[], Awaitable[Answer]]) -> Response:
    """Serve one call, or let it go wrong as was ordered."""
    fault = world.faults.take(entry.route, entry.path)
    wait_s = world.settings.latency_s + (fault.delay_s if fault else 0)
    await _pause(until=entry.monotonic_s + wait_s)
    served = await _serve(world, entry, work) if fault is None or fault.serves else None
    answer = _answer(fault, served)
    headers = {**answer.headers, "X-Dropbox-Request-Id": entry.request_id}
    entry.fault = fault.kind if fault else None
    entry.status = None if fault and fault.kind in {"reset", "close"} else answer.status
    entry.duration_s = round(time.monotonic() - entry.monotonic_s, 6)
    world.journal.record(entry)
    if fault is not None and fault.kind in BREAKING:
        return Broken(fault, answer, headers)
    return Response(answer.body, answer.status, headers, answer.content_type)


async def _pause(*, until: float) -> None:
    """Wait in full: the loop's timer counts in whole milliseconds and may wake a little early."""
    while (left_s := until - time.monotonic()) > 0:  # noqa: ASYNC110 - there is no event to wait for, only time
        await asyncio.sleep(left_s)


async def _serve(world: World, entry: Entry, work: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        return await work()
    except BadRequest as error:
        return BadRequest(f'Error in call to API function "{entry.route}": {error.reason}').answer(world.rng)
    except WireError as error:
        return error.answer(world.rng)


def _answer(fault: Fault | None, served: Answer | None) -> Answer:
    if fault is not None:
        return fault.answer(served)
    if served is None:
        raise AssertionError("a call without a fault is always served")
    return served

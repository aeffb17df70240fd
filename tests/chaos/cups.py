"""`python -m tests.chaos.cups --seed N [--cups 200]`: slices and sets while workers are killed in the middle of them.

Cups of one pot are filled together, and each is drunk in sips (tests/cups). Workers are killed and stopped, whole pools too,
and Valkey forgets everything. Then each cup must have its history, each sip of it exactly once.
"""

import argparse
import faulthandler
import logging
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from redis.exceptions import RedisError

from bench.breakable import House, Plan, breakable, send
from core.local.processes import stop_signals
from core.local.servers import LOCAL
from tests.chaos.telling import counted, say

BUILDING = Plan(skews_s=(0.0, 3.0), workers=2, settings_module="tests.chaos.cups_settings", queue="cups")
POTS, BAD = 5, 20
LIMIT_S = 130
BLOWS = ("kill", "kill", "kill", "stop", "pool", "flush")
BLOW_EVERY_S = 1.0
STOPPED_S = 5.0  # longer than a claim
EXPECTED = ["fill", "filled", "drunk"]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests.chaos.cups", description="Break workers in the middle of slices and sets."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cups", type=int, default=200)
    parser.add_argument("--blows", type=int, default=20)
    parser.add_argument("--directory", default="chaos-cups", help="in .local (default: %(default)s)")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(LIMIT_S + 60, exit=True)
    with stop_signals(), breakable(LOCAL / options.directory, BUILDING) as house:
        logging.getLogger().setLevel(logging.CRITICAL)
        wrong = play(house, cups=options.cups, blows=options.blows, seed=options.seed)
        house.crash()
    tell(wrong, cups=options.cups, seed=options.seed)
    return 1 if wrong else 0


def tell(wrong: Sequence[str], *, cups: int, seed: int) -> None:
    """What is wrong, and in the last line how many are right."""
    for line in wrong[:20]:
        say(f"WRONG  {line}")
    say(f"{cups - len(wrong)} of {cups} cups are right (seed {seed})")


def play(house: House, *, cups: int, blows: int, seed: int) -> list[str]:
    """Let all be drunk while blows fall; what is wrong afterwards."""
    from tests.cups.models import Cup  # Django is ready only now

    rng = random.Random(seed)
    Cup._default_manager.bulk_create(Cup(pot=number % POTS, bad=number % BAD == 0) for number in range(cups))
    begun = struck_at = time.monotonic()
    asleep: list[tuple[float, int]] = []
    hits: Counter[str] = Counter()
    left = blows
    while (left or Cup._default_manager.filter(due_at__isnull=False).exists()) and time.monotonic() - begun < LIMIT_S:
        house.mend()
        if left and time.monotonic() - struck_at > BLOW_EVERY_S:
            struck_at, left = time.monotonic(), left - 1
            hits.update([strike(house, rng, asleep)])
        for wakes_at, pid in [each for each in asleep if each[0] <= time.monotonic()]:
            send(pid, signal.SIGCONT)
            asleep.remove((wakes_at, pid))
        time.sleep(0.03)
    for _, pid in asleep:
        send(pid, signal.SIGCONT)
    say(f"{time.monotonic() - begun:.1f} s, struck: {counted(hits)}")
    return [*judge()]


def strike(house: House, rng: random.Random, asleep: list[tuple[float, int]]) -> str:
    """One blow, at workers in the middle of a job if there are some; what it was."""
    blow = rng.choice(BLOWS)
    try:
        working = [each.pid for each in house.valkey.at_work()]
    except RedisError:
        working = []
    if blow == "flush":
        house.valkey.flush()
    elif blow == "pool":
        rng.choice(house.hosts).crash()
    elif not working:
        return "nobody"
    elif blow == "stop":
        pid = rng.choice(working)
        send(pid, signal.SIGSTOP)
        asleep.append((time.monotonic() + STOPPED_S, pid))
    else:
        send(rng.choice(working), signal.SIGKILL)
    for host in house.hosts:
        host.forget_ends()
    return blow


def judge() -> Iterator[str]:
    """Each cup that is not as it must be."""
    from statemachine.models import TransitionLog
    from tests.cups.models import Cup, Sip

    for cup in Cup._default_manager.order_by("pk"):
        history = list(TransitionLog.objects.of(cup).values_list("transition", flat=True))
        sips = list(Sip._default_manager.filter(cup=cup.pk).order_by("pk").values_list("number", flat=True))
        expected = ["fill", "fail"] if cup.bad else EXPECTED
        numbers = [] if cup.bad else list(range(1, cup.sips + 1))
        if (history, sips, cup.due_at) != (expected, numbers, None):
            yield f"cup {cup.pk} is {cup.state} ({cup.failure_code}), history {history}, sips {sips}, due {cup.due_at}"


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.chaos.together`: what the tests ask, in one house: to build one takes as long as to break it.

Cups under blows; a little of everything; edits without the fence, which must go wrong; archives that change while they are
watched; documents that come and go; hosts that are cut off from each other; and at last all of it is lost, and restored. A line
with a heading before each.
"""

import argparse
import faulthandler
import logging
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bench.breakable import House, premises, staffed
from bench.network import NoNetwork
from bench.stores import Weed
from core.local.processes import stop_signals
from core.local.servers import LOCAL
from tests.chaos import archives, cups, documents, drill, telling
from tests.chaos.plan import EDITS, HOSTS, SHORT, make_plan
from tests.chaos.telling import say

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 540
CUPS, CUP_BLOWS, CUP_SEED = 60, 8, 1
WATCHED, CHANGES, WATCH_BLOWS, WATCH_SEED = 24, 20, 3, 1
SHORT_SEED = 3
HOSTS_SEED = 1
# The rule that nothing but the fence keeps.
UNFENCED_RULE = "no result of one number on another"
DOCUMENT_BLOWS, DOCUMENT_SEED = 2, 1
DRILL_S = 3.0
PARTS = ("cups", "short", "unfenced", "archives", "documents", "hosts", "drill")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.together", description="Break a house seven times.")
    parser.add_argument("--directory", default="chaos-test", help="in .local (default: %(default)s)")
    directory = parser.parse_args().directory
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    building = replace(cups.BUILDING, on_small_disk=telling.ON_SMALL_DISK)
    with (
        stop_signals(),
        documents.storing(LOCAL / f"{directory}-store") as weed,
        premises(LOCAL / directory, building) as house,
    ):
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        plays: list[Callable[[House], None]] = [
            *map(partial, (_cups, _short, _unfenced, _archives)),
            partial(_documents, weed=weed),
            _hosts,
            partial(_drill, weed=weed),
        ]
        for part, play in zip(PARTS, plays, strict=True):
            say(heading(part))
            play(house)
            _empty(house)
    return 0


def heading(part: str) -> str:
    """What stands above the part's lines."""
    return f"--- {part}"


def _cups(house: House) -> None:
    with staffed(house, cups.BUILDING):
        wrong = cups.play(house, cups=CUPS, blows=CUP_BLOWS, seed=CUP_SEED)
        house.crash()
    cups.tell(wrong, cups=CUPS, seed=CUP_SEED)


def _short(house: House) -> None:
    from tests.chaos.run import Run  # Django is ready only now

    plan = make_plan(seed=SHORT_SEED, profile=SHORT)
    with staffed(house, telling.building(plan)):
        violations = Run(house, plan, seed=SHORT_SEED, say=say).play()
        house.crash()
    telling.tell(violations, leases=len(plan.leases), seed=SHORT_SEED)


def _unfenced(house: House) -> None:
    from tests.chaos.run import Run  # Django is ready only now

    plan = make_plan(seed=1, profile=replace(EDITS, settings_module="tests.chaos.unfenced.settings"))
    with staffed(house, telling.building(plan)):
        violations = Run(house, plan, seed=1, say=say).play_until_broken(UNFENCED_RULE)
        house.crash()
    telling.tell(violations, leases=len(plan.leases), seed=1)


def _archives(house: House) -> None:
    with staffed(house, archives.BUILDING):
        play = archives.Play(house, leases=WATCHED, changes=CHANGES, blows=WATCH_BLOWS, seed=WATCH_SEED)
        wrong = play.run()
        house.crash()
    archives.tell(wrong, leases=WATCHED, seed=WATCH_SEED)


def _documents(house: House, *, weed: Weed) -> None:
    with staffed(house, documents.BUILDING):
        wrong = documents.Play(house, weed, blows=DOCUMENT_BLOWS, seed=DOCUMENT_SEED).run()
        house.crash()
    documents.tell(wrong, blows=DOCUMENT_BLOWS, seed=DOCUMENT_SEED)


def _hosts(house: House) -> None:
    from tests.chaos.run import Run  # Django is ready only now

    plan = make_plan(seed=HOSTS_SEED, profile=HOSTS)
    try:
        with staffed(house, telling.building(plan)):
            violations = Run(house, plan, seed=HOSTS_SEED, say=say).play()
            house.crash()
    except NoNetwork as error:
        say(f"{telling.LEFT_OUT}{error}")
        return
    telling.tell(violations, leases=len(plan.leases), seed=HOSTS_SEED)


def _drill(house: House, *, weed: Weed) -> None:
    drill.tell(drill.Drill(house, weed, seconds=DRILL_S, is_short=True).run())


def _empty(house: House) -> None:
    """As a new house is."""
    from django.core.management import call_command  # Django is ready only now

    call_command("flush", interactive=False, verbosity=0)
    house.valkey.flush()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.chaos --seed N [--profile NAME] [--unfenced]`; `make chaos SEED=N` is the long one."""

import argparse
import faulthandler
import logging
import sys
from dataclasses import replace

from bench import breakable
from bench.network import NoNetwork
from bench.releases import NoRelease
from core.base.errors import RunsheetError
from core.local.processes import stop_signals
from core.local.servers import LOCAL
from tests.chaos import telling
from tests.chaos.plan import PROFILES, Plan, make_plan
from tests.chaos.telling import say, seconds

# Beyond the profile's own limit, for starting, judging and stopping; then the process ends, and all of its own with it.
START_AND_STOP_S = 90


def main() -> int:
    options = _parser().parse_args()
    profile = PROFILES[options.profile]
    if options.unfenced:
        profile = replace(profile, settings_module="tests.chaos.unfenced.settings")
    faulthandler.dump_traceback_later(profile.limit_s + START_AND_STOP_S, exit=True)
    plan = make_plan(seed=options.seed, profile=profile)
    try:
        with stop_signals():
            return _play(plan, seed=options.seed, directory=options.directory)
    except (NoNetwork, NoRelease) as error:
        say(f"{telling.LEFT_OUT}{error}")
        return 0
    except RunsheetError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    except KeyboardInterrupt:
        return 130


def _play(plan: Plan, *, seed: int, directory: str) -> int:
    with breakable.breakable(LOCAL / directory, telling.building(plan)) as house:
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        from tests.chaos.run import Run  # Django is ready only now

        ahead = f"of pools {seconds(plan.skews_s)}; of reconcilers {seconds(plan.reconciler_skews_s)}"
        say(f"clocks are ahead: {ahead}")
        violations = Run(house, plan, seed=seed, say=say).play()
        house.crash()
    telling.tell(violations, leases=len(plan.leases), seed=seed)
    return 1 if violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.chaos", description="Break everything, and see what is lost.")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--profile", choices=PROFILES, default="long", help="default: %(default)s")
    parser.add_argument("--unfenced", action="store_true", help="without the fence, which must go wrong")
    parser.add_argument("--directory", default="chaos", help="in .local, for servers and logs (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

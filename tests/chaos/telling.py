"""What a run builds, and what it tells at its end."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import breakable
from bench.releases import previous
from tests.chaos.oracle import Violation
from tests.chaos.plan import Plan

# What grows with all that is done.
ON_SMALL_DISK = ("leases_lease", "statemachine_transitionlog")
# What is said, with the reason, in place of a run that wants more than can be had here.
LEFT_OUT = "left out: "
MB = 1_000_000
# Of each rule's violations.
SHOWN = 10


def building(plan: Plan) -> breakable.Plan:
    """Which machines a plan needs."""
    return breakable.Plan(
        skews_s=plan.skews_s,
        reconciler_skews_s=plan.reconciler_skews_s,
        workers=plan.profile.workers,
        settings_module=plan.profile.settings_module,
        on_small_disk=ON_SMALL_DISK,
        has_network=plan.profile.has_network,
        upgrades_from=previous() if plan.profile.upgrades else None,
    )


def tell(violations: Sequence[Violation], *, leases: int, seed: int) -> None:
    """By rule, and in the last line how many leases no rule complains about."""
    for rule, broken in _by_rule(violations).items():
        say(f"WRONG  {rule}: {len(broken)} times, such as")
        for violation in broken[:SHOWN]:
            say(f"       {violation}")
    right = leases - len({each.lease for each in violations if each.lease is not None})
    general = sum(violation.lease is None for violation in violations)
    but = f", but {general} calls or sums of calls are wrong" if general else ""
    say(f"{right} of {leases} leases are right{but} (seed {seed})")


def _by_rule(violations: Sequence[Violation]) -> dict[str, list[Violation]]:
    found: dict[str, list[Violation]] = {}
    for violation in violations:
        found.setdefault(violation.rule, []).append(violation)
    return found


def counted(found: Mapping[str, int]) -> str:
    """How many of each: `crash 3, stall 1`."""
    return ", ".join(f"{what} {count:,}" for what, count in found.items()) or "nothing"


def seconds(found: Sequence[float]) -> str:
    return ", ".join(f"{each:g} s" for each in found)


def in_words(figures: Mapping[str, Any]) -> str:
    """Figures with their units, by names such as `took_s` and `bytes`; what has no unit is counted."""
    return ", ".join(_figure(name, value) for name, value in figures.items())


def _figure(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return "of which " + ", ".join(f"{part} {took:,.1f} s" for part, took in value.items())
    if name == "took_s":
        return f"took {value:,.1f} s"
    return f"{value / MB:,.1f} MB" if name == "bytes" else f"{value:,} {name}"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's output

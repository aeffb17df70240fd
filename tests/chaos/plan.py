"""What is going to happen in a run: the leases, what goes wrong with each, and the blows; the same for the same seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from tests.chaos.story import TEAM
from tests.chaos.world import (
    BASES,
    BLM,
    FULL,
    IVAN_LACKS,
    IVANS,
    NMSLO,
    NO_ACCESS,
    NONE,
    PEOPLE,
    SIGHTS,
    TRAVERSE_ONLY,
    Aim,
    Archive,
    World,
)

LIST = "files/list_folder"
LINK = "sharing/create_shared_link_with_settings"
JSON = "application/json"
# Hosts may differ by some seconds; two of them by twice this.
MOST_SKEW_S = 4.0
# Of the five tries that a lease has, Dropbox spoils at most two; the rest is for the blows.
MOST_TROUBLES = 2
# Of how many archives Paul's sight is said.
KEPT = 0.4
# Half of the leases come in bursts, as by an import, and half of the blows fall into the time after one; in shares of the
# time that there is for leases and blows.
BURSTS = (0.1, 0.35, 0.6)
BURST_LASTS = 0.1


type MadeBy = Literal["service", "bulk_create", "SQL", "web"]


class Blow(StrEnum):
    """What is done to the running system."""

    KILL_WORKER = "SIGKILL of a worker"
    KILL_HOST = "SIGKILL of a whole pool with its scheduler"
    KILL_RECONCILER = "SIGKILL of a reconciler"
    ZOMBIE = "SIGSTOP of a worker past its claim, then SIGCONT"
    FLUSHALL = "FLUSHALL"
    VALKEY_KILLED = "Valkey killed without persistence, then started"
    POSTGRES_FAST = "PostgreSQL restarted (fast)"
    POSTGRES_IMMEDIATE = "PostgreSQL restarted (immediate)"
    TOKENS_EXPIRE = "all access tokens expire, and the first renewal fails"
    TWICE = "a message delivered once more"
    REDIS_READ_ONLY = "Redis read-only"
    REDIS_FULL = "Redis full"
    DISK_FULL = "PostgreSQL's disk full"
    CUT = "a host cut off, and healed"
    SLOW = "the way to a host slow"
    UPGRADE = "this release beside the one before it"
    RETIRE = "the release before it ends"


# Only where hosts have addresses of their own.
OF_NETWORK = frozenset({Blow.CUT, Blow.SLOW})
# At these shares of the time of a run that upgrades.
OF_UPGRADE = {Blow.UPGRADE: 0.25, Blow.RETIRE: 0.9}
ON_ONE_MACHINE = tuple(each for each in Blow if each not in {*OF_NETWORK, *OF_UPGRADE})


class Deed(StrEnum):
    """What a person does to a lease while a worker is at it."""

    EDIT = "gets another number"
    CANCEL = "is stopped"
    CANCEL_AND_AGAIN = "is stopped and started again"
    ANOTHER = "is run by another person, once it has settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One call of a lease that Dropbox does not answer well; `order` is what the stand-in is asked for."""

    name: str
    route: str
    order: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLease:
    at_s: float
    aim: Aim
    person: str
    made_by: MadeBy
    troubles: tuple[Trouble, ...] = ()
    deed: Deed | None = None
    new_aim: Aim | None = None
    other_person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBlow:
    """`choice` says which of those that can be hit, `lasts_s` how long what is down stays down."""

    at_s: float
    blow: Blow
    choice: int
    lasts_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """The base path of an agency becomes another one."""

    at_s: float
    agency: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How much of everything.

    Attributes:
        chaos_s: leases come and blows fall in this time; then everything has until `limit_s` to settle.
        read_timeout_s: the settings' own; what Dropbox does not answer takes longer.
        changes: when the base path is changed to the second one, back, and so on; in shares of `chaos_s`.
        edited, stopped, rerun, troubled: which share of the leases.
        most_skew_s: how wrong a clock is.
        made_by: one of them makes each lease.
        has_network: hosts have addresses of their own.
        upgrades: the release before this one runs first, both beside each other, and then this one alone.
    """

    leases: int
    chaos_s: float
    limit_s: float
    hosts: int
    workers: int
    latency_ms: int
    settings_module: str
    read_timeout_s: float
    blows: Mapping[Blow, int]
    changes: tuple[float, ...]
    edited: float = 0.1
    stopped: float = 0.1
    rerun: float = 0.2
    troubled: float = 0.3
    most_skew_s: float = MOST_SKEW_S
    made_by: tuple[MadeBy, ...] = ("service", "service", "bulk_create", "SQL")
    has_network: bool = False
    upgrades: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    profile: Profile
    world: World
    skews_s: tuple[float, ...]
    reconciler_skews_s: tuple[float, ...]
    changes: tuple[PlannedChange, ...]
    leases: tuple[PlannedLease, ...] = field(repr=False)
    blows: tuple[PlannedBlow, ...] = field(repr=False)


SHORT = Profile(
    leases=24,
    chaos_s=9,
    limit_s=60,
    hosts=2,
    workers=2,
    latency_ms=150,
    settings_module="tests.chaos.settings",
    read_timeout_s=2,
    blows=dict.fromkeys(ON_ONE_MACHINE, 1) | {Blow.KILL_WORKER: 2},
    changes=(0.5, 1.2),
    stopped=0.15,
)
LONG = Profile(
    leases=300,
    chaos_s=150,
    limit_s=480,
    hosts=3,
    workers=2,
    latency_ms=400,
    settings_module="core.settings.production",
    read_timeout_s=30,
    blows=dict.fromkeys(ON_ONE_MACHINE, 3) | {Blow.KILL_WORKER: 8, Blow.KILL_HOST: 4, Blow.ZOMBIE: 6, Blow.TWICE: 10},
    changes=(0.2, 0.4, 0.6, 0.75),
)
# Nothing is killed, but every lease gets another number while a worker is at the first: what the fence is for.
EDITS = Profile(
    leases=12,
    chaos_s=4,
    limit_s=30,
    hosts=1,
    workers=4,
    latency_ms=600,
    settings_module="tests.chaos.settings",
    read_timeout_s=2,
    blows={Blow.TWICE: 4},
    changes=(),
    edited=1.0,
    stopped=0.0,
    rerun=0.0,
    troubled=0.0,
)
# Two hosts for workers, whose clocks are a minute apart, one for the web and one for the servers.
HOSTS = Profile(
    leases=24,
    chaos_s=12,
    limit_s=75,
    hosts=2,
    workers=2,
    latency_ms=150,
    settings_module="tests.chaos.settings",
    read_timeout_s=2,
    blows={Blow.CUT: 3, Blow.SLOW: 2, Blow.KILL_WORKER: 1, Blow.TWICE: 1},
    changes=(0.5,),
    most_skew_s=60,
    made_by=("web",),
    has_network=True,
)
LONG_HOSTS = replace(
    HOSTS,
    leases=150,
    chaos_s=120,
    limit_s=480,
    settings_module="core.settings.production",
    read_timeout_s=30,
    blows={Blow.CUT: 6, Blow.SLOW: 6, Blow.KILL_WORKER: 3, Blow.KILL_HOST: 1, Blow.TWICE: 3, Blow.VALKEY_KILLED: 1},
    changes=(0.3, 0.6),
)
UPGRADE = replace(
    SHORT,
    leases=36,
    chaos_s=20,
    hosts=1,
    limit_s=90,
    blows={Blow.KILL_WORKER: 2, Blow.KILL_HOST: 1, Blow.KILL_RECONCILER: 1, Blow.TWICE: 2, Blow.FLUSHALL: 1},
    upgrades=True,
)
LONG_UPGRADE = replace(
    UPGRADE,
    leases=150,
    chaos_s=100,
    limit_s=480,
    settings_module="core.settings.production",
    read_timeout_s=30,
    blows=dict(UPGRADE.blows) | {Blow.KILL_WORKER: 6, Blow.KILL_HOST: 3, Blow.POSTGRES_FAST: 1, Blow.VALKEY_KILLED: 1},
)
# Nothing strikes but what is lost in the middle of it; see `tests.chaos.failover` and `tests.chaos.replica`.
BURST = Profile(
    leases=200,
    chaos_s=5,
    limit_s=120,
    hosts=2,
    workers=2,
    latency_ms=100,
    settings_module="tests.chaos.settings",
    read_timeout_s=2,
    blows={},
    changes=(),
    edited=0.0,
    stopped=0.0,
    rerun=0.0,
    troubled=0.1,
)
PROFILES = {
    "short": SHORT,
    "long": LONG,
    "edits": EDITS,
    "hosts": HOSTS,
    "long-hosts": LONG_HOSTS,
    "upgrade": UPGRADE,
    "long-upgrade": LONG_UPGRADE,
}


def make_plan(*, seed: int, profile: Profile) -> Plan:
    """The plan of a seed; it depends on nothing else."""
    rng = random.Random(seed)
    blows = [
        PlannedBlow(
            at_s=round(_blow_at(rng, blow) * profile.chaos_s, 1),
            blow=blow,
            choice=rng.randrange(1_000),
            lasts_s=round(rng.uniform(0.5, 3), 1),
        )
        for blow, count in profile.blows.items()
        for _ in range(count)
    ]
    if profile.upgrades:
        blows += [
            PlannedBlow(at_s=share * profile.chaos_s, blow=blow, choice=0, lasts_s=0)
            for blow, share in OF_UPGRADE.items()
        ]
    leases = [_lease(rng, profile, each) for each in range(profile.leases)]
    return Plan(
        profile=profile,
        world=World(kept_base=rng.choice(SIGHTS)),
        changes=_changes(rng, profile),
        skews_s=_skews(rng, profile.hosts, profile.most_skew_s),
        reconciler_skews_s=_skews(rng, 2, profile.most_skew_s),
        leases=tuple(sorted(leases, key=lambda each: each.at_s)),
        blows=tuple(sorted(blows, key=lambda each: each.at_s)),
    )


def _skews(rng: random.Random, count: int, most_s: float) -> tuple[float, ...]:
    """One clock is right; of two or more, one is as wrong as it may be."""
    others = [round(rng.uniform(-most_s, most_s), 1) for _ in range(count - 2)]
    return (0.0, rng.choice((-most_s, most_s)), *others)[:count]


def _blow_at(rng: random.Random, blow: Blow) -> float:
    if blow is Blow.ZOMBIE:  # a long sleep must not make the run longer
        return rng.uniform(BURSTS[0], 2 * BURSTS[1])
    if rng.random() < 1 / 2:
        return rng.choice(BURSTS) + rng.uniform(0, BURST_LASTS)
    return rng.uniform(BURSTS[0], 1)


def _changes(rng: random.Random, profile: Profile) -> tuple[PlannedChange, ...]:
    """To the second base path, back, and so on; whether the last one stays is left to chance where there are many."""
    count = len(profile.changes) - (len(profile.changes) > 2 and rng.random() < 1 / 2)
    return tuple(
        PlannedChange(
            at_s=round((share + rng.uniform(0, 0.05)) * profile.chaos_s, 1), agency=BLM, base=BASES[BLM][(each + 1) % 2]
        )
        for each, share in enumerate(profile.changes[:count])
    )


def _lease(rng: random.Random, profile: Profile, each: int) -> PlannedLease:
    deed = _deed(rng, profile)
    agency = rng.choice((BLM, BLM, NMSLO))
    aim = _aim(rng, agency, f"NMNM {each:07}")
    person = rng.choices(PEOPLE, weights=(5, 3, 2))[0]
    return PlannedLease(
        at_s=round((rng.choice(BURSTS) if rng.random() < 1 / 2 else rng.uniform(0, 0.8)) * profile.chaos_s, 1),
        aim=aim,
        person=person,
        made_by=rng.choice(profile.made_by),
        troubles=tuple(_trouble(rng, profile, aim) for _ in range(rng.randint(1, MOST_TROUBLES)))
        if rng.random() < profile.troubled
        else (),
        deed=deed,
        new_aim=_aim(rng, agency, f"NMLC {each:07}") if deed is Deed.EDIT else None,
        other_person=rng.choice([other for other in PEOPLE if other != person]) if deed is Deed.ANOTHER else "",
    )


def _aim(rng: random.Random, agency: str, number: str) -> Aim:
    """Most archives lie in the team's space under each base path, half of them in Ivan's, too; some are kept from Paul."""
    archives, kept = {}, {}
    for base in BASES[agency]:
        archives[TEAM, base] = _archive(rng)
        is_ivans = base != IVAN_LACKS and rng.random() < 1 / 2
        archives[IVANS, base] = _archive(rng) if is_ivans else Archive.MISSING
        if rng.random() < KEPT:
            kept[base] = rng.choice((FULL, TRAVERSE_ONLY, NO_ACCESS, NONE))
    return Aim(agency=agency, number=number, archives=archives, kept=kept)


def _archive(rng: random.Random) -> Archive:
    return rng.choices(list(Archive), weights=(50, 15, 5, 10, 20))[0]


def _deed(rng: random.Random, profile: Profile) -> Deed | None:
    share = rng.random()
    for deeds, of_all in (
        ((Deed.EDIT,), profile.edited),
        ((Deed.CANCEL, Deed.CANCEL_AND_AGAIN), profile.stopped),
        ((Deed.ANOTHER,), profile.rerun),
    ):
        if share < of_all:
            return rng.choice(deeds)
        share -= of_all
    return None


def _trouble(rng: random.Random, profile: Profile, aim: Aim) -> Trouble:
    orders: dict[str, dict[str, Any]] = {
        "500": {"status": 500},
        "503": {"status": 503},
        "429": {"status": 429, "headers": {"Retry-After": "2"}},
        "time-out": {"delay_s": profile.read_timeout_s + 1},
        "reset": {"kind": "reset"},
        "half an answer": {"kind": "truncate"},
        "garbage": {"status": 200, "body": '{"entries": [{', "content_type": JSON},
        "a proxy's page": {"kind": "html"},
        "the answer lost": {"kind": "close", "perform": True},
    }
    name = rng.choice(list(orders))
    has_link_call = aim.is_there
    return Trouble(name=name, route=LINK if has_link_call and rng.random() < 0.3 else LIST, order=orders[name])

"""What the start page shows: what needs somebody, what is under way, what was done, and whether all of it runs."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, Q, QuerySet, Value
from django.db.models.functions import TruncDate
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from cloud.errors import NotFound
from cloud.models import DropboxAccount
from console.machine.badges import label_of
from console.machine.dashboard import may_use_queues
from console.machine.next_steps import NextStep, is_anothers, step_for_all, told
from console.shell import navigation
from core.base.errors import codes_where, failure_of, of_one_person, words_for
from core.ops import tally
from discovery import charts
from leases.models import Agency, AgencyStorageConfig, Lease
from leases.states import WORKING, State
from statemachine.listeners import listening
from statemachine.models import STOPPED
from statemachine.obstacles import obstacle

DAYS = 14
RUNNING_SHOWN = 6
LINE = ("background", "turn", "pk")
RUNNING_ORDER = ("place", *LINE)  # the first is an annotation
COUNTED, STOPPED_COUNTED, OWED_COUNTED = -1, -2, -3  # beside the places of what is under way
ATTENTION_SHOWN = 8
OUTCOMES = (State.DONE, State.FOUND, State.NOT_FOUND, State.FAILED)
OF_SEVERAL = "The runs use the Dropbox of several people. Each goes on by itself when its person connects theirs again."
KIND_OF = {"ok": "done", NotFound.code: "not_found"}
LIST = "admin:leases_lease_changelist"
AT_WORK = ",".join(sorted(WORKING))


def list_of(**wanted: str) -> str:
    return f"{reverse(LIST)}?{urlencode(wanted)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many leases are in a state, and their list."""

    state: str
    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How it stands with all leases.

    Attributes:
        under_way: leases that have begun and are not settled.
        waiting: leases that are owed a run which has not begun, whatever is known of them from before.
        version: another one whenever the counts are others, or what is under way.
    """

    counts: list[StateCount]
    under_way: int
    waiting: int
    version: str

    @property
    def all_owed(self) -> str:
        """How many are under way or wait, where the page cannot show each; empty if it does."""
        if self.under_way + self.waiting <= RUNNING_SHOWN:
            return ""
        parts = (
            (self.under_way, "is under way,are under way"),
            (self.waiting, "waits for its turn,wait for their turn"),
        )
        said = (f"{count:,} lease{pluralize(count)} {pluralize(count, words)}" for count, words in parts if count)
        return f"In all, {', and '.join(said)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Leases that failed for one reason."""

    reason: str
    sentence: str
    count: int
    url: str
    next_step: NextStep | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A step of setting Runsheet up; without an address for who may not take it."""

    label: str
    is_done: bool
    url: str
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture and its figures.

    Attributes:
        kinds: what the colours mean, by class.
        rows: the figures once more, for a table.
    """

    title: str
    picture: SafeString
    kinds: dict[str, str]
    rows: list[tuple[str, list[float]]]


def look() -> Look:
    """How it stands with all leases, in one query."""
    counted, *others = (
        _counted(Lease.objects.all(), COUNTED),
        _counted(Lease.objects.filter(Lease.stopped()), STOPPED_COUNTED),
        _counted(Lease.objects.filter(due_at__isnull=False), OWED_COUNTED),
    )
    rows = sorted(counted.union(*others, *_shown_of_owed(), all=True).order_by())
    found = {state: number for state, number, place in rows if place == COUNTED}
    if stopped := next((number for _, number, place in rows if place == STOPPED_COUNTED), 0):
        found |= {State.PENDING: found[State.PENDING] - stopped, STOPPED: stopped}
    counts = [
        StateCount(
            state=state, label=label_of(Lease, state), count=found.get(state, 0), url=list_of(state__exact=state)
        )
        for state in Lease.shown_states()
        if state != STOPPED or stopped
    ]
    owed = {state: number for state, number, place in rows if place == OWED_COUNTED}
    under_way = sum(number for state, number in owed.items() if state in WORKING)
    waiting = sum(owed.values()) - under_way
    return Look(counts=counts, under_way=under_way, waiting=waiting, version=repr(rows))


def troubles(user: User) -> Iterator[Trouble]:
    """What has failed and does not start again by itself, by reason; one's own missing Dropbox is the banner's business."""
    banner = Q(initiated_by=user, failure_code__in=of_one_person())
    failed = Lease.objects.filter(state=State.FAILED, due_at__isnull=True).exclude(banner).order_by()
    people = Count("initiated_by", distinct=True)
    counted = failed.values("failure_code").annotate(count=Count("pk"), example=Max("pk"), people=people)
    rows = list(counted.order_by("-count")[:ATTENTION_SHOWN])
    examples = Lease.objects.select_related("initiated_by").in_bulk([row["example"] for row in rows])
    for row in rows:
        if lease := examples.get(row["example"]):
            code = row["failure_code"]
            is_of_several = row["people"] > 1 and is_anothers(lease, user)
            yield Trouble(
                reason=words_for(code),
                sentence=OF_SEVERAL if is_of_several else told(lease, user),
                count=row["count"],
                url=list_of(state__exact=State.FAILED, failure_code=code),
                next_step=None if is_of_several else step_for_all(lease, user),
            )


def running() -> list[Lease]:
    """Some of those that work is owed for: what a worker is at, then what else has begun, then what comes next."""
    first, *others = _parts_of_owed()
    return list(first.union(*others, all=True).order_by(*RUNNING_ORDER)[:RUNNING_SHOWN])


def _counted(leases: QuerySet[Lease], place: int) -> QuerySet[Lease, tuple[Any, ...]]:
    return leases.order_by().values_list("state").annotate(number=Count("*"), place=Value(place))


def _shown_of_owed() -> list[QuerySet[Lease, tuple[Any, ...]]]:
    """What of them the page shows."""
    return [
        Lease.objects.filter(pk__in=part.values("pk"))
        .order_by()
        .values_list("state", "pk")
        .annotate(place=Value(place))
        for place, part in enumerate(_parts_of_owed())
    ]


def _parts_of_owed() -> list[QuerySet[Lease]]:
    """The first few of each; each by its index, since hundreds of thousands may be waiting."""
    owed = Lease.objects.filter(due_at__isnull=False)
    claimed, begun = owed.filter(claimed_until__isnull=False), owed.filter(claimed_until=None, state__in=WORKING)
    waiting = owed.filter(claimed_until=None).exclude(state__in=WORKING)
    return [
        each.annotate(place=Value(place)).order_by(*LINE)[:RUNNING_SHOWN]
        for place, each in enumerate((claimed, begun, waiting))
    ]


def tasks(user: User, *, has_leases: bool) -> list[Task]:
    """What a new installation needs; empty when all of it is done."""
    account = DropboxAccount.objects.of(user)
    configured = set(AgencyStorageConfig.objects.filter(enabled=True).values_list("agency", flat=True))
    found = [
        Task(
            label="Connect your Dropbox, in which the archives lie",
            is_done=account is not None and not account.needs_reconnect_reason,
            url=reverse("dropbox_account") + "?next=" + reverse("admin:index"),
            button="Connect Dropbox",
        ),
        *(_configure(agency, user, is_done=agency in configured) for agency in Agency.values),
        Task(
            label="There are leases" if has_leases else "Create the first lease, and watch it being searched",
            is_done=has_leases,
            url=reverse("admin:leases_lease_add"),
            button="Add a lease",
        ),
    ]
    return [] if all(task.is_done for task in found) else found


def _configure(agency: str, user: User, *, is_done: bool) -> Task:
    may = user.has_perm("leases.add_agencystorageconfig")
    return Task(
        label=f"Say in which folder the archives of {agency} lie" + ("" if may else " (an administrator does that)"),
        is_done=is_done,
        url=f"{reverse('admin:leases_agencystorageconfig_add')}?agency={agency}" if may else "",
        button=f"Configure {agency}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """In one line; the page that says more, for who may see it."""

    is_well: bool
    sentence: str
    url: str


def health(user: User) -> Health:
    """Whether what is owed can be worked on."""
    wrong = obstacle()
    return Health(
        is_well=not wrong, sentence=wrong or _well(), url=navigation.parts_url() if may_use_queues(user) else ""
    )


def _well() -> str:
    count = len(listening())
    return f"Work gets done: {count} worker{'s' * (count != 1)} at hand, and the reconciler looks after them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Leases that wait for Dropbox, and not for anybody here.

    Attributes:
        since: when the first of them entered its state, aware.
    """

    reason: str
    count: int
    since: datetime
    url: str


def outages() -> list[Outage]:
    """What ails Dropbox, by what the leases that are tried again have met; the most first."""
    codes = codes_where(lambda failure: failure.ails)
    waiting = Lease.objects.filter(failure_code__in=codes, state__in=WORKING, due_at__isnull=False).order_by()
    counted = waiting.values_list("failure_code").annotate(count=Count("pk"), since=Min("entered_at"))
    return [
        Outage(
            reason=failure_of(code).ails, count=count, since=since, url=list_of(failure_code=code, state__in=AT_WORK)
        )
        for code, count, since in sorted(counted, key=lambda row: -row[1])
    ]


# --- Charts ---------------------------------------------------------------------------------------------------------


def settled() -> Chart:
    """How many leases came to rest on each day, by what came out."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    found: dict[date, dict[str, float]] = defaultdict(dict)
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    rows = Lease.objects.filter(entered_at__gte=since, state__in=OUTCOMES).order_by()
    for day, state, count in rows.values_list(TruncDate("entered_at"), "state").annotate(count=Count("pk")):
        found[day][state] = count
    bars = [
        charts.Bar(
            label=f"{day:%d}" if index % 2 else "",
            title=f"{day:%A, %d %B}: {sum(found[day].values()):g}",
            parts={state: found[day].get(state, 0) for state in OUTCOMES},
        )
        for index, day in enumerate(days)
    ]
    title = f"Leases settled in the last {DAYS} days"
    return Chart(
        title=title,
        picture=charts.svg(bars, title=title),
        kinds={str(state): str(state.label) for state in OUTCOMES},
        rows=[(f"{day:%Y-%m-%d}", [found[day].get(state, 0) for state in OUTCOMES]) for day in days],
    )


def measured() -> Iterator[Chart]:
    """How long leases took, and how Dropbox answered; nothing if Redis, which counts, does not answer."""
    try:
        histograms = tally.read().histograms
    except RedisError:
        return
    yield _by_seconds("settle_seconds", histograms, title="Time until a lease was settled", kinds={"done": "Leases"})
    yield _by_seconds(
        "dropbox_call_seconds",
        histograms,
        title="Dropbox calls by how long they took",
        kinds={"done": "Answered", "not_found": "Answered “not found”", "failed": "Failed"},
    )


def _by_seconds(name: tally.Observed, histograms: Any, *, title: str, kinds: dict[str, str]) -> Chart:
    bounds = tally.BOUNDS_S[name]
    labels = [*(f"{bound:g}" for bound in bounds), "more"]
    amounts: list[dict[str, float]] = [dict.fromkeys(kinds, 0) for _ in labels]
    for of, histogram in histograms[name].items():
        given = dict(of)
        if given.get("machine", "leases.lease") != "leases.lease":
            continue
        kind = KIND_OF.get(given.get("outcome", "ok"), "failed")
        for bucket, count in histogram.counts.items():
            amounts[bucket][kind] += count
    words = [f"up to {label} s" for label in labels[:-1]] + [f"more than {labels[-2]} s"]
    bars = [
        charts.Bar(label=label, title=f"{word}: {sum(parts.values()):g}", parts=parts)
        for label, word, parts in zip(labels, words, amounts, strict=True)
    ]
    rows = [(word, list(parts.values())) for word, parts in zip(words, amounts, strict=True)]
    return Chart(title=f"{title} (seconds)", picture=charts.svg(bars, title=title), kinds=kinds, rows=rows)

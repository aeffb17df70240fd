"""Whether another Redis would take over, where sentinels watch over it."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from core.base.redis_client import in_words
from core.base.redis_servers import NO_SENTINEL, NoPrimary, Primary, Sentinels, options_of
from core.ops.doctor.finding import Finding, Mark, answer

# Of each; twice that for three of them is less than the doctor's patience.
TIMEOUT_S = 0.6

type Said = dict[str, Any] | NoPrimary


def sentinels() -> Iterator[Finding]:
    """Nothing where there are none."""
    configured: Sentinels | None = settings.REDIS_SENTINELS
    if configured is None:
        return
    try:
        said, replicas, quorum = answer(lambda: _look(configured))
    except TimeoutError:
        yield Finding(Mark.WRONG, "sentinels do not answer in time", "See that they run, and the way there.")
        return
    states = [each for each in said if isinstance(each, dict)]
    troubles = [
        _in_words(host, each) for host, each in zip(configured.hosts, said, strict=True) if isinstance(each, NoPrimary)
    ]
    if troubles:
        yield Finding(Mark.WRONG, f"{len(states)} of {len(said)} sentinels answer", " ".join(dict.fromkeys(troubles)))
    if quorum:
        yield Finding(Mark.WRONG, "no other Redis would take over", in_words(quorum))
    yield from _primaries(states, replicas)


def _in_words(host: tuple[str, int], said: NoPrimary) -> str:
    if said.words != NO_SENTINEL:
        return in_words(said)
    of_one = f"The one at {host[0]}:{host[1]} does not ({{reason}}). See that it runs, and the way there."
    return in_words(NoPrimary(of_one, str(said)))


def _primaries(states: list[dict[str, Any]], replicas: int) -> Iterator[Finding]:
    named = sorted({f"{each['ip']}:{each['port']}" for each in states})
    if len(named) > 1:
        advice = "A fail-over is under way, or they do not reach one another. If it stays so, see their logs."
        yield Finding(Mark.WRONG, f"sentinels name several primaries: {', '.join(named)}", advice)
    elif named and not replicas:
        advice = "Nothing takes over when it is lost. Let another Redis be its replica (replicaof)."
        yield Finding(Mark.WRONG, f"the primary {named[0]} has no replica that is well", advice)
    elif named:
        plural = "s" if replicas > 1 else ""
        yield Finding(
            Mark.OK, f"the primary is {named[0]}, with {replicas} replica{plural}, as {len(states)} sentinels say"
        )


def _look(configured: Sentinels) -> tuple[list[Said], int, NoPrimary | None]:
    """What each says of the primary, and what one that answers says of how many replicas are well, and of the sentinels' number."""
    primary = Primary(configured, options_of(settings.REDIS_URL, timeout_s=TIMEOUT_S))
    said: list[Said] = [_said(primary, number) for number in range(len(configured.hosts))]
    answering = next((number for number, each in enumerate(said) if isinstance(each, dict)), None)
    if answering is None:
        return said, 0, None
    replicas = primary.replicas_at(answering)
    try:
        primary.check_quorum(answering)
    except NoPrimary as trouble:
        return said, replicas, trouble
    return said, replicas, None


def _said(primary: Primary, number: int) -> Said:
    try:
        return primary.state_at(number)
    except NoPrimary as trouble:
        return trouble

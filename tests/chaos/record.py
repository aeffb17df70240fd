"""What the database and the journal say, in the oracle's words; imported once Django is ready."""

from collections.abc import Mapping, Sequence

from dropbox_standin.client import Standin
from leases.models import Lease
from statemachine.models import TransitionLog
from tests.chaos.oracle import Act, Asked, Ending, Story, Taken, Target
from tests.chaos.plan import Aim, Archive


def target_of(aim: Aim) -> Target:
    if aim.archive is Archive.MISSING:
        return Target(number=aim.number, path=aim.path, state="not_found")
    link = aim.archive is not Archive.NO_LINK
    return Target(number=aim.number, path=aim.path, state="done", reports=aim.reports, link=link)


def stories(aims: Mapping[int, Aim], acts: Mapping[int, Sequence[Act]]) -> list[Story]:
    """One for each lease, by its key."""
    leases = Lease.objects.select_related("runsheet_directory").in_bulk(list(aims))
    return [
        Story(
            lease=pk,
            target=target_of(aim),
            acts=tuple(acts.get(pk, ())),
            taken=_taken(leases[pk]),
            ending=_ending(leases[pk]),
        )
        for pk, aim in aims.items()
    ]


def asked(standin: Standin) -> list[Asked]:
    return [
        Asked(seq=call.seq, route=call.route, path=call.path or "", status=call.status, fault=call.fault)
        for call in standin.journal()
    ]


def _taken(lease: Lease) -> tuple[Taken, ...]:
    # By key, not by generation: the rows are written under the record's lock, so this is the order in which it happened.
    rows = TransitionLog.objects.of(lease).order_by("pk")
    return tuple(
        Taken(
            transition=row.transition,
            source=row.from_state,
            target=row.to_state,
            generation=row.generation,
            by=row.actor_kind,
            reason=row.reason,
            tries=row.tries,
            path=row.evidence.get("path", ""),
        )
        for row in rows
    )


def _ending(lease: Lease) -> Ending:
    directory = lease.runsheet_directory
    return Ending(
        state=lease.state,
        number=lease.lease_number,
        generation=lease.generation,
        owed=lease.due_at is not None,
        path=directory.path if directory else "",
        reports=tuple(lease.matching_files),
        link=bool(directory and directory.share_url),
        refusal=bool(directory and directory.share_refusal),
        failure_code=lease.failure_code,
    )

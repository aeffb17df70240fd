"""What the database and the journal say, in the oracle's words; imported once Django is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from cloud.models import DropboxAccount
from discovery.errors import BasePathMissing, BasePathOutOfSight
from dropbox_standin.client import Standin
from leases.models import Lease
from statemachine.models import TransitionLog
from tests.chaos.calls import Asked
from tests.chaos.plan import PlannedLease
from tests.chaos.story import Act, Configured, Ending, Story, Taken
from tests.chaos.world import World

# The log keeps the sentence of a failure, the row its code until it is started again; this keeps each code.
WITNESS = """
CREATE TABLE IF NOT EXISTS chaos_failure (lease_id bigint, generation integer, code text);
TRUNCATE chaos_failure;
CREATE OR REPLACE FUNCTION chaos_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_failure VALUES (NEW.id, NEW.generation, NEW.failure_code);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER chaos_witness AFTER UPDATE ON leases_lease FOR EACH ROW
    WHEN (NEW.state = 'failed' AND OLD.state <> 'failed') EXECUTE FUNCTION chaos_witness();
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What is looked up once for all leases.

    Attributes:
        people: by the account's own name in Dropbox.
        codes: of failures, by lease and generation.
        spaces: whose a folder is, by its lasting name.
        older_until: the key of the last row that the release before this one may have written.
    """

    people: Mapping[str, str]
    codes: Mapping[tuple[int, int], str]
    spaces: Mapping[str, str]
    older_until: int


def watch_failures() -> None:
    """From now on the code of each failure is kept, and none of an earlier run."""
    with connection.cursor() as cursor:
        cursor.execute(WITNESS)


def witness(*, spaces: Mapping[str, str], older_until: int) -> Witness:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lease_id, generation, code FROM chaos_failure")
        codes = {(lease, generation): code for lease, generation, code in cursor.fetchall()}
    people = dict(DropboxAccount.objects.values_list("account_id", "user__username"))
    return Witness(people=people, codes=codes, spaces=spaces, older_until=older_until)


def last_key() -> int:
    """Of the rows that the log has now; one that is written later has a higher one."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT last_value FROM {TransitionLog._meta.db_table}_id_seq")
        (found,) = cursor.fetchone()
    return int(found)


def stories(
    made: Mapping[int, PlannedLease],
    acts: Mapping[int, Sequence[Act]],
    bases: Mapping[str, Sequence[Configured]],
    *,
    world: World,
    told: Witness,
) -> list[Story]:
    """One for each lease, by its key."""
    leases = Lease.objects.select_related("runsheet_directory").in_bulk(list(made))
    return [
        Story(
            lease=pk,
            person=planned.person,
            target=world.target(planned.aim),
            bases=tuple(bases[planned.aim.agency]),
            acts=tuple(acts.get(pk, ())),
            taken=_taken(leases[pk], told),
            ending=_ending(leases[pk], told),
        )
        for pk, planned in made.items()
    ]


def asked(standin: Standin) -> list[Asked]:
    return [
        Asked(seq=call.seq, route=call.route, path=call.path or "", status=call.status, fault=call.fault)
        for call in standin.journal()
    ]


def _taken(lease: Lease, told: Witness) -> tuple[Taken, ...]:
    # With the name of the exception that a bug raised, so that whoever reads of it knows what to look for in the programs' logs.
    # By key, not by generation: the rows are written under the record's lock, so this is the order in which it happened.
    rows = TransitionLog.objects.of(lease).order_by("pk")
    return tuple(
        Taken(
            transition=row.transition,
            source=row.from_state,
            target=row.to_state,
            generation=row.generation,
            by=row.actor_kind,
            reason=f"{row.reason} {row.evidence.get('exception', '')}".rstrip(),
            tries=row.tries,
            key=row.pk,
            path=row.evidence.get("path", ""),
            person=told.people.get(row.evidence.get("account", ""), ""),
            reports=tuple(row.evidence.get("matching", ())),
            link=row.evidence.get("link", ""),
            code=_code(told.codes.get((lease.pk, row.generation), "")),
            # The release before this one told only who was asked.
            tells_witness=row.pk > told.older_until or "known_account" in row.evidence,
        )
        for row in rows
    )


def _code(code: str) -> str:
    """Which of the two it is depends on who else has seen the folder, which decides nothing about the lease."""
    return BasePathMissing.code if code == BasePathOutOfSight.code else code


def _ending(lease: Lease, told: Witness) -> Ending:
    directory = lease.runsheet_directory
    has_link = bool(directory and directory.share_url)
    return Ending(
        state=lease.state,
        number=lease.lease_number,
        generation=lease.generation,
        owed=lease.due_at is not None,
        path=directory.path if directory else "",
        reports=tuple(lease.matching_files),
        link=has_link,
        link_space=told.spaces.get(directory.file_id, "nobody knows whose space") if directory and has_link else "",
        refusal=bool(directory and directory.share_refusal),
        failure_code=_code(lease.failure_code),
        known_person=told.people.get(lease.known_account, ""),
        known_base=lease.known_base_path,
    )

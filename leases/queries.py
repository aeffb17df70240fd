"""Reads that more than one place needs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, QuerySet

from cloud.models import CloudLocation, Folded
from core.base.database import fetch_one, prepared
from core.base.folding import fold_case
from leases.errors import ConfigurationDisabled, ConfigurationMissing
from leases.models import AgencyStorageConfig, Lease, Origin
from leases.neighbours import Near
from leases.states import State
from statemachine.models import TransitionLog

# Of one agency; what a folder holds is compared with them while somebody waits.
COMPARED_AT_MOST = 50_000
# Where the evidence of a failure names the folder of archives that was missing.
MISSING_FOLDER = "missing_folder"
FAILURES_READ = 20
# In the evidence: how many names would have been a report's, had they not the form of what programs leave behind.
PASSED_OVER_COUNT = "passed_over_count"
# Of each of some leases, what it was told last of one path; as text, since every run reads it.
LAST_TOLD = """
SELECT asked.record_id, last.is_absent, last.account, last.path_root, last.namespace, last.folder_id
FROM unnest(%s::bigint[], %s::text[]) AS asked(record_id, path) CROSS JOIN LATERAL (
    SELECT transition = 'record_not_found' AS is_absent, coalesce(evidence ->> 'known_account', evidence ->> 'account') AS account,
        coalesce(evidence ->> 'known_root', evidence ->> 'path_root') AS path_root,
        evidence ->> 'namespace' AS namespace, evidence ->> 'folder_id' AS folder_id
    FROM statemachine_transitionlog
    WHERE record_type = %s AND record_id = asked.record_id AND upper(evidence ->> 'path') = upper(asked.path)
        AND transition IN ('record_found', 'record_detection', 'record_not_found')
    ORDER BY generation DESC LIMIT 1
) last
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundArchives:
    """The archives of an agency that runs have found in one folder, as far as that is still known.

    Attributes:
        folder: its path.
        names: of the archives, as they were asked for; at most `COMPARED_AT_MOST` in all folders together.
        accounts: the cloud's own names of the accounts that have seen them.
    """

    folder: str
    names: tuple[str, ...]
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An account has given answers for a folder of archives.

    Attributes:
        account: the cloud's own name of it.
        at: when it gave the last one; None if nobody knows.
    """

    base_path: str
    account: str
    at: datetime | None


def configuration_of(agency: str) -> AgencyStorageConfig | None:
    """What is said of where an agency's archives lie, be it switched on or off; None if nothing is."""
    return fetch_one(AgencyStorageConfig, "SELECT {columns} FROM {table} WHERE agency = %s", [agency])


def usable(found: AgencyStorageConfig | None, *, agency: str) -> AgencyStorageConfig:
    """Where an agency's archives lie; there is no default and no fallback.

    Raises:
        ConfigurationMissing, ConfigurationDisabled: naming the agency.
    """
    if found is None:
        raise ConfigurationMissing(
            f"{agency} is not configured. Say under “Agencies” where its archives lie; it goes on by itself."
        )
    if not found.enabled:
        raise ConfigurationDisabled(
            f"Discovery is switched off for {agency}. Switch it on under “Agencies”; it goes on by itself."
        )
    return found


def found_archives(agency: str) -> list[FoundArchives]:
    """By the folder that they were found in, the one with the most first; one query."""
    found = Lease.objects.filter(agency=agency, runsheet_directory__isnull=False).order_by("runsheet_directory__path")
    rows = found.values_list("runsheet_directory__path", "known_account").distinct()[:COMPARED_AT_MOST]
    folders: dict[str, list[tuple[str, str]]] = {}
    for path, account in rows:
        folders.setdefault(fold_case(path.rpartition("/")[0]), []).append((path, account))
    return sorted(map(_found_in, folders.values()), key=lambda each: (-len(each.names), each.folder))


def _found_in(rows: Sequence[tuple[str, str]]) -> FoundArchives:
    return FoundArchives(
        folder=rows[0][0].rpartition("/")[0],
        names=tuple(dict.fromkeys(path.rpartition("/")[2] for path, _ in rows)),
        accounts=tuple(dict.fromkeys(account for _, account in rows if account)),
    )


def seen_in(configuration: AgencyStorageConfig | None) -> str:
    """What a configuration says to a run, in words that differ whenever it does; empty if there is none."""
    if configuration is None:
        return ""
    return f"{'on' if configuration.enabled else 'off'}, {configuration.runsheet_archive_base_path}"


def failures_of(user_id: int) -> list[tuple[str, int]]:
    """How many of the leases that somebody started have failed, by failure code, the most first."""
    failed = Lease.objects.filter(state=State.FAILED, initiated_by_id=user_id).order_by()
    counted = failed.values_list("failure_code").annotate(count=Count("pk")).order_by("-count", "failure_code")
    return list(counted)


def leases_numbered(agency: str, numbers: Sequence[str]) -> QuerySet[Lease]:
    """Those of the agency that have one of the numbers, in whatever case; each with `folded`: its number in one case.

    Args:
        numbers: normalised.
    """
    folded = [fold_case(number) for number in numbers]
    return Lease.objects.filter(agency=agency).annotate(folded=Folded("lease_number")).filter(folded__in=folded)


def origins_of_locations(locations: Collection[int]) -> dict[int, Origin]:
    """By their primary keys: whom it is known from that they are there, for those on which a lease stands. One query."""
    if not locations:
        return {}
    leases = Lease.objects.filter(runsheet_directory__in=locations).exclude(known_account="")
    newest = leases.order_by("runsheet_directory_id", "-known_at").distinct("runsheet_directory_id")
    return {lease.runsheet_directory_id: lease.origin for lease in newest if lease.runsheet_directory_id}


def origin_of_location(location: CloudLocation) -> Origin | None:
    """Whom it is known from that it is there; None if no lease stands on it."""
    return origins_of_locations([location.pk]).get(location.pk)


def last_answers() -> list[Answered]:
    """When each account last gave an answer that still stands, by the folder that it was asked for; reads all leases."""
    answers = Lease.objects.exclude(known_account="").exclude(known_base_path="").order_by()
    rows = answers.values_list("known_base_path", "known_account").annotate(at=Max("known_at"))
    return [Answered(base_path=base_path, account=account, at=at) for base_path, account, at in rows]


def last_failures(agency: str, *, codes: Collection[str]) -> dict[int, datetime]:
    """When a lease of the agency last failed with one of the codes, by the id of the user whose run it was."""
    failed = Lease.objects.filter(agency=agency, state=State.FAILED, failure_code__in=codes, initiated_by__isnull=False)
    return dict(failed.order_by().values_list("initiated_by_id").annotate(at=Max("entered_at")))


def missed_by(lease: Lease) -> list[tuple[str, str, datetime]]:
    """Which accounts' runs of the lease have missed which folder of archives and when, by its history; the newest."""
    failures = TransitionLog.objects.of(lease).filter(transition="fail", evidence__has_key=MISSING_FOLDER)
    rows = failures.order_by("-generation").values_list("evidence", "at")[:FAILURES_READ]
    return [(str(evidence.get("account", "")), str(evidence[MISSING_FOLDER]), at) for evidence, at in rows]


def last_told(asked: Mapping[int, str]) -> dict[int, Origin]:
    """By leases: whom it was last known from, by their histories, that a directory lies at a path; not those of which it was not.

    One query.

    Args:
        asked: the paths, by the primary keys of the leases.
    """
    if not asked:
        return {}
    with prepared() as cursor:
        cursor.execute(LAST_TOLD, [list(asked), list(asked.values()), Lease._meta.label_lower])
        rows = cursor.fetchall()
    return {
        lease: Origin(
            base_path=asked[lease].rpartition("/")[0],
            account=account,
            path_root=path_root or "",
            namespace=namespace or "",
            folder_id=folder_id or "",
        )
        for lease, is_absent, account, path_root, namespace, folder_id in rows
        if account and not is_absent
    }


def nearest_archives(leases: Iterable[Lease]) -> dict[int, list[Near]]:
    """Of those leases whose archive was not found: the archives that came nearest, as far as somebody looked."""
    absent = [lease.pk for lease in leases if lease.state == State.NOT_FOUND]
    found = _last_evidence(absent, to_state=State.NOT_FOUND)
    return {pk: near_in(evidence) for pk, evidence in found if "nearest" in evidence}


def near_in(evidence: Mapping[str, Any]) -> list[Near]:
    """The archives that came nearest, by the evidence of an answer."""
    reports = evidence.get("nearest_reports", {})
    return [Near(name=name, has_report=reports.get(name)) for name in evidence.get("nearest", ())]


def passed_over_counts(leases: Iterable[Lease]) -> dict[int, int]:
    """Of those leases for which no report is known: how many files of a report's name were passed over."""
    without = [lease.pk for lease in leases if lease.known_report[0] is False]
    found = _last_evidence(without, transition="record_detection")
    return {pk: int(evidence[PASSED_OVER_COUNT]) for pk, evidence in found if PASSED_OVER_COUNT in evidence}


def reasons_not_made(leases: Iterable[Lease]) -> dict[int, str]:
    """Of those leases whose archive was not found: why it was not made, where somebody wanted it."""
    absent = [lease.pk for lease in leases if lease.state == State.NOT_FOUND]
    found = _last_evidence(absent, to_state=State.NOT_FOUND)
    return {pk: str(evidence["not_made"]) for pk, evidence in found if "not_made" in evidence}


def _last_evidence(pks: Collection[int], **which: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Of each of the leases, what led to the last of its transitions of some kind, if there was one."""
    if pks:
        logs = TransitionLog.objects.filter(record_type=Lease._meta.label_lower, record_id__in=pks, **which)
        last = logs.order_by("record_id", "-generation").distinct("record_id")
        yield from last.values_list("record_id", "evidence")

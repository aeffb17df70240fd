"""What a lease's states owe: when it is searching, look for the directory; when it is detecting, look into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from cloud.dropbox import Gateway, gateway_for
from cloud.errors import ANOTHER_ACCOUNT, CONFIGURED, Reconnected
from cloud.models import DropboxAccount
from cloud.services.locations import forget_link
from core.base.errors import RunsheetError
from discovery.services.archive_making import is_of_the_index, with_archive_made
from discovery.services.beside_archives import Looks, look_beside, record_beside
from discovery.services.givens import Given, given_to
from discovery.services.index_answers import IndexAnswers, each_alone
from discovery.services.indexed_sightings import IndexedSighting
from discovery.services.judging import known_from
from discovery.services.lease_directory_search import DirectorySighting, look_for_directory, record_directory
from discovery.services.previous_report_detection import DetectionResult, DirectoryGone, detect_previous_report
from discovery.services.report_names import reports_among
from discovery.services.waiting import wait_for_it, wake_the_others
from leases.errors import DirectoryElsewhere, Reconfigured
from leases.models import Lease, Origin
from leases.queries import configuration_of, seen_in
from leases.services import confirm_base_path, resume_failed, resume_if_reconfigured
from leases.states import State
from statemachine.reactions import Backoff, Ending, Endings, Limits, Outcome, Run, Together, reaction

LIMITS = Limits(soft_s=settings.DISCOVERY_SOFT_TIME_LIMIT_S, hard_s=settings.DISCOVERY_TIME_LIMIT_S)
# A set takes a worker for a second or two, and keeps whoever starts something by hand waiting for no longer.
TOGETHER_AT_MOST = 200
# In the evidence: with which connection a run began.
CONNECTION = "connection"
# In the evidence: with which configuration a run began.
CONFIGURATION = "configuration"


def retry_rules() -> Backoff:
    """The only retry rules there are: 5 tries, waits of about 2, 4, 8 and 16 s, at most 120 s, or as Dropbox asks."""
    return Backoff(
        tries=settings.DISCOVERY_TRIES,
        base_s=settings.DISCOVERY_BACKOFF_BASE_S,
        cap_s=settings.DISCOVERY_BACKOFF_CAP_S,
    )


def resume_if_mended(lease: Lease, error: RunsheetError) -> None:
    """What is mended at the moment at which a run fails for want of it must not leave that lease behind."""
    resume_if_reconnected(lease, error)
    if CONFIGURED in error.mended_by and CONFIGURATION in error.evidence:
        resume_if_reconfigured(lease, seen=error.evidence[CONFIGURATION])
    if isinstance(error, DirectoryElsewhere):
        resume_failed(Lease.objects.filter(pk=lease.pk), reason="the archives of its agency lie elsewhere now")


def resume_if_reconnected(lease: Lease, error: RunsheetError) -> None:
    """Who connects Dropbox at the moment at which a run fails for want of it must not find that lease left behind.

    Connecting holds the person's row, too: either it sees this failure, or this sees the new connection.
    """
    if ANOTHER_ACCOUNT not in error.mended_by:
        return
    user = User.objects.select_for_update(no_key=True).filter(pk=lease.initiated_by_id or 0).first()
    if DropboxAccount.objects.is_reconnected(user, since=error.evidence.get(CONNECTION)):
        resume_failed(Lease.objects.filter(pk=lease.pk), reason="Dropbox was connected meanwhile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What a search hands to the detection that follows it in the same job: none of it is asked for again."""

    given: Given
    gateway: Gateway
    sighting: DirectorySighting


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedFromIndex:
    """The same of a search that the index has answered."""

    given: Given
    sighting: IndexedSighting


def wanted_together(lease: Lease) -> int:
    """How many leases of one person and agency are worth being looked at together with this one.

    What somebody starts by hand is asked at Dropbox itself, and so is what the index may not answer: alone, by as many
    workers as there are.
    """
    if not lease.background or lease.makes_archive:
        return 1
    given = given_to(lease)
    index = given.index_for(lease)
    if index is None:
        return 1
    are_together = given.waits(lease, index) or given.in_index([lease], index)
    return TOGETHER_AT_MOST if are_together else 1


TOGETHER = Together(at_most=TOGETHER_AT_MOST, key=("initiated_by_id", "agency"), wanted=wanted_together)


@reaction(
    Lease,
    State.SEARCHING,
    retry=retry_rules,
    queue=settings.DISCOVERY_QUEUE,
    limits=LIMITS,
    together=TOGETHER,
    gave_up=resume_if_mended,
)
def search(runs: list[Run[Lease]]) -> Endings:
    """Look for the directories of the leases and record what was found."""
    given = given_to(runs[0].record)
    index = given.index() if runs[0].record.background else None
    if index and given.waits(runs[0].record, index):
        return Endings(each=wait_for_it(len(runs)))
    sightings = given.in_index([run.record for run in runs], index)
    beside = _looks_beside([run.record for run in runs if run.record.pk in sightings], given)
    answers = IndexAnswers(_settled_by(sightings, beside, runs, given))
    wake_the_others([run.record for run in runs])
    return Endings(
        each=each_alone(
            runs,
            told=lambda run: _found_in_index(run, given, answers),
            asked=lambda run: _search_in_dropbox(run, given, beside),
        ),
        record=partial(_record_places, answers, beside),
    )


@reaction(
    Lease,
    State.DETECTING,
    retry=retry_rules,
    queue=settings.DISCOVERY_QUEUE,
    limits=LIMITS,
    together=TOGETHER,
    gave_up=resume_if_mended,
)
def detect(runs: list[Run[Lease]]) -> Endings:
    """Look into the directories of the leases for previous reports and record the matching names."""
    handed: dict[int, Handed | HandedFromIndex] = {run.record.pk: run.carry for run in runs if run.carry}
    given = next(iter(handed.values())).given if handed else given_to(runs[0].record)
    told = {pk: each.sighting for pk, each in handed.items() if isinstance(each, HandedFromIndex)}
    alone = [run.record for run in runs if not run.carry and run.record.background]
    index = given.index() if alone else None
    if index and not handed and given.waits(alone[0], index):
        return Endings(each=wait_for_it(len(runs)))
    answers = IndexAnswers(told | given.in_index(alone, index))
    wake_the_others(alone)
    return Endings(
        each=each_alone(
            runs,
            told=lambda run: _detected_in_index(run.record, answers),
            asked=lambda run: _detect_in_dropbox(run, given),
        ),
        record=answers.confirm_base_path,
    )


def _found_in_index(run: Run[Lease], given: Given, answers: IndexAnswers) -> Ending | None:
    lease, sighting = run.record, answers.sightings.get(run.record.pk)
    if sighting is None:
        return None
    if sighting.archive is None:
        arguments = {"origin": sighting.origin}
        return Outcome(transition="record_not_found", record=lambda _: arguments, evidence=sighting.evidence)
    return Outcome(
        transition="record_found",
        record=answers.found,
        evidence=sighting.evidence,
        then="start_detection" if lease.follow_through else None,
        then_reason="full discovery",
        carry=HandedFromIndex(given=given, sighting=sighting),
    )


def _detected_in_index(lease: Lease, answers: IndexAnswers) -> Ending | None:
    sighting = answers.sightings.get(lease.pk)
    if sighting is None or sighting.archive is None:
        return None
    reports = reports_among(file.name for file in sighting.archive.files)
    arguments = {"matching_files": list(reports.names), "origin": sighting.origin}
    return Outcome(
        transition="record_detection", record=lambda _: arguments, evidence=sighting.evidence | reports.evidence
    )


def _settled_by(
    sightings: dict[int, IndexedSighting], beside: Looks, runs: list[Run[Lease]], given: Given
) -> dict[int, IndexedSighting]:
    """Without those where something may have to be made, or is gone beside the archive: who asks Dropbox itself may say so."""
    leases = {run.record.pk: run.record for run in runs}
    return {
        pk: each
        for pk, each in sightings.items()
        if is_of_the_index(leases[pk], given.configuration, is_there=each.archive is not None)
        and not any(look.is_doubtful for look in beside.get(pk, ()))
    }


def _looks_beside(leases: list[Lease], given: Given, gateway: Gateway | None = None) -> Looks:
    """What lies beside the archives, whatever was answered of those."""
    if not leases or given.account is None or given.configuration is None:
        return {}
    return look_beside(leases=leases, account=given.account, configuration=given.configuration, gateway=gateway)


def _record_places(answers: IndexAnswers, beside: Looks, leases: list[Lease]) -> None:
    answers.record_places(leases)
    record_beside(beside, leases)


def _search_in_dropbox(run: Run[Lease], given: Given, beside: Looks) -> Ending:
    """Once it is answered, what was seen beside the archive stands in `beside`."""
    lease = given.lent_to(run.record)
    with _again_if_mended(lease, given):
        gateway = gateway_for(lease.initiated_by, account=given.account, before_call=run.keep_claim)
        sighting = look_for_directory(lease=lease, gateway=gateway, configuration=given.configuration)
        sighting = with_archive_made(lease=lease, gateway=gateway, configuration=given.configuration, sighting=sighting)
    beside.update(_looks_beside([lease], given, gateway))
    if sighting.listing is None:
        return Outcome(transition="record_not_found", record=partial(_forget, sighting), evidence=sighting.evidence)
    return Outcome(
        transition="record_found",
        record=partial(_remember, sighting),
        evidence=sighting.evidence | known_from(sighting.origin, asked=gateway.account),
        then="start_detection" if lease.follow_through else None,
        then_reason="full discovery",
        carry=Handed(given=given, gateway=gateway, sighting=sighting),
    )


def _detect_in_dropbox(run: Run[Lease], given: Given) -> Ending:
    lease = given.lent_to(run.record)
    handed = run.carry if isinstance(run.carry, Handed) else None
    try:
        with _again_if_mended(lease, given):
            gateway = (
                handed.gateway.once_more(before_call=run.keep_claim)
                if handed
                else gateway_for(lease.initiated_by, account=given.account, before_call=run.keep_claim)
            )
            result = detect_previous_report(
                lease=lease,
                gateway=gateway,
                configuration=given.configuration,
                sighting=handed.sighting if handed else None,
            )
    except DirectoryGone as gone:
        return Outcome(
            transition="record_not_found",
            record=partial(_forget_link, gone.origin),
            reason="the directory is gone",
            evidence=gone.evidence,
        )
    return Outcome(
        transition="record_detection",
        record=partial(_record_detection, result),
        evidence={
            **gateway.evidence(path=result.listing.path),
            **known_from(result.origin, asked=gateway.account),
            "entries": len(result.listing.entries),
            **result.reports.evidence,
            "request_ids": list(result.listing.request_ids),
        },
    )


@contextmanager
def _again_if_mended(lease: Lease, given: Given) -> Iterator[None]:
    """A run that began before somebody mended what it lacks has missed what mending resumes, so it must not fail now.

    Raises:
        Reconnected, Reconfigured: instead of the failure.
    """
    with _again_if_reconfigured(lease, seen_in(given.configuration)), _again_if_reconnected(lease, given.account):
        yield


@contextmanager
def _again_if_reconfigured(lease: Lease, before: str) -> Iterator[None]:
    try:
        yield
    except RunsheetError as error:
        if CONFIGURED not in error.mended_by:
            raise
        error.evidence[CONFIGURATION] = before
        if seen_in(configuration_of(lease.agency)) != before:
            raise Reconfigured(evidence=error.evidence) from error
        raise


@contextmanager
def _again_if_reconnected(lease: Lease, account: DropboxAccount | None) -> Iterator[None]:
    before = account.connection if account else ""
    try:
        yield
    except RunsheetError as error:
        if ANOTHER_ACCOUNT not in error.mended_by:
            raise
        error.evidence[CONNECTION] = before
        if DropboxAccount.objects.is_reconnected(lease.initiated_by, since=before):
            raise Reconnected(evidence=error.evidence) from error
        raise


def _remember(sighting: DirectorySighting, lease: Lease) -> dict[str, Any]:
    confirm_base_path(lease, base_path=sighting.origin.base_path)
    location = record_directory(sighting)
    assert location is not None  # a sighting with a listing
    return {"location_id": location.pk, "origin": sighting.origin}


def _forget(sighting: DirectorySighting, lease: Lease) -> dict[str, Any]:
    confirm_base_path(lease, base_path=sighting.origin.base_path)
    record_directory(sighting)
    return {"origin": sighting.origin}


def _record_detection(result: DetectionResult, lease: Lease) -> dict[str, Any]:
    confirm_base_path(lease, base_path=result.origin.base_path)
    return {"matching_files": list(result.matching_files), "origin": result.origin}


def _forget_link(origin: Origin, lease: Lease) -> dict[str, Any]:
    confirm_base_path(lease, base_path=origin.base_path)
    if lease.runsheet_directory:
        forget_link(path=lease.runsheet_directory.path)
    return {"origin": origin}

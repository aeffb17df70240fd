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
from discovery.services.archive_making import with_archive_made
from discovery.services.beside_archives import Look, look_beside, record_beside
from discovery.services.lease_directory_search import DirectorySighting, look_for_directory, record_directory
from discovery.services.previous_report_detection import DetectionResult, DirectoryGone, detect_previous_report
from discovery.services.program_remains import told_of_remains
from leases.errors import DirectoryElsewhere, Reconfigured
from leases.models import AgencyStorageConfig, Lease, Origin
from leases.queries import configuration_of, seen_in
from leases.services import confirm_base_path, resume_failed, resume_if_reconfigured
from leases.states import State
from statemachine.reactions import Backoff, Limits, Outcome, Run, reaction

LIMITS = Limits(soft_s=settings.DISCOVERY_SOFT_TIME_LIMIT_S, hard_s=settings.DISCOVERY_TIME_LIMIT_S)
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
class Given:
    """What a run stands on, as it was when the run began.

    Attributes:
        configuration: of the lease's agency; None if there is none.
        account: of whoever started the run; None if they have connected none.
    """

    configuration: AgencyStorageConfig | None
    account: DropboxAccount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What a search hands to the detection that follows it in the same job: none of it is asked for again."""

    given: Given
    gateway: Gateway
    sighting: DirectorySighting


def given_to(lease: Lease) -> Given:
    """Two reads, for all that follows."""
    account = DropboxAccount.objects.used_by(lease.initiated_by_id) if lease.initiated_by_id else None
    if account:
        lease.initiated_by = account.user
    return Given(configuration=configuration_of(lease.agency), account=account)


@reaction(
    Lease,
    State.SEARCHING,
    retry=retry_rules,
    queue=settings.DISCOVERY_QUEUE,
    limits=LIMITS,
    gave_up=resume_if_mended,
)
def search(run: Run[Lease]) -> Outcome:
    """Look for the lease's directory and record what was found."""
    lease, given = run.record, given_to(run.record)
    with _again_if_mended(lease, given):
        gateway = gateway_for(lease.initiated_by, account=given.account, before_call=run.keep_claim)
        sighting = look_for_directory(lease=lease, gateway=gateway, configuration=given.configuration)
        sighting = with_archive_made(lease=lease, gateway=gateway, configuration=given.configuration, sighting=sighting)
    beside = _looks_beside(lease, gateway, given)
    if sighting.listing is None:
        return Outcome(
            transition="record_not_found", record=partial(_forget, sighting, beside), evidence=sighting.evidence
        )
    return Outcome(
        transition="record_found",
        record=partial(_remember, sighting, beside),
        evidence=sighting.evidence,
        then="start_detection" if lease.follow_through else None,
        then_reason="full discovery",
        carry=Handed(given=given, gateway=gateway, sighting=sighting),
    )


@reaction(
    Lease,
    State.DETECTING,
    retry=retry_rules,
    queue=settings.DISCOVERY_QUEUE,
    limits=LIMITS,
    gave_up=resume_if_mended,
)
def detect(run: Run[Lease]) -> Outcome:
    """Look into the lease's directory for a previous report and record the matching names."""
    lease, handed = run.record, run.carry
    given = handed.given if handed else given_to(lease)
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
            "pattern": settings.RUNSHEET_PREVIOUS_REPORT_PATTERN,
            "entries": len(result.listing.entries),
            "matching": list(result.matching_files),
            **told_of_remains(result.passed_over),
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


def _looks_beside(lease: Lease, gateway: Gateway, given: Given) -> tuple[Look, ...]:
    """What lies beside the archive; whatever was answered of that."""
    assert given.configuration is not None  # there is an answer, so there is a place
    looks = look_beside(leases=[lease], gateway=gateway, configuration=given.configuration)
    return looks.get(lease.pk, ())


def _remember(sighting: DirectorySighting, beside: tuple[Look, ...], lease: Lease) -> dict[str, Any]:
    confirm_base_path(lease, base_path=sighting.origin.base_path)
    record_beside(beside, lease)
    location = record_directory(sighting)
    assert location is not None  # a sighting with a listing
    return {"location_id": location.pk, "origin": sighting.origin}


def _forget(sighting: DirectorySighting, beside: tuple[Look, ...], lease: Lease) -> dict[str, Any]:
    confirm_base_path(lease, base_path=sighting.origin.base_path)
    record_beside(beside, lease)
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

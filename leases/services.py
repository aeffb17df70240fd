"""What people and workers do with the records."""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from cloud.errors import CONFIGURED
from core.base.database import broken_constraint, fetch_one
from core.base.errors import mended_by
from core.base.folding import is_same_path
from leases.errors import DuplicateLease, InvalidLease, Reconfigured
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of, seen_in
from leases.states import SETTLED, WORKING, State
from leases.validation import normalise_number
from statemachine.deleting import delete
from statemachine.errors import Stale
from statemachine.line import turns_of
from statemachine.repeats import is_repeated
from statemachine.rights import require
from statemachine.transitions import RECONCILER, Actor, Step, advance, locked

# Why a lease starts that has just been made, as its history says.
CREATED = "created"


def create_lease(
    *,
    agency: str,
    lease_number: str,
    created_by: User,
    follow_through: bool = True,
    background: bool = False,
    turn: int | None = None,
) -> Lease:
    """Make a lease; it starts by itself once the transaction is committed.

    Args:
        agency: a value of `Agency`.
        lease_number: one folder name; normalised.
        created_by: the user whose Dropbox the run uses.
        follow_through: whether a found directory is read for a report by itself.
        background: one of so many that what others start by hand goes first.
        turn: its place there, as one of many that are ordered together.

    Returns:
        The lease as it was saved; a message that was sent for it since has moved it on.

    Raises:
        TransitionForbidden, InvalidLease, DuplicateLease: nothing was saved.
    """
    require(created_by, "leases.add_lease")
    lease = Lease(
        agency=agency,
        lease_number=normalise_number(lease_number),
        follow_through=follow_through,
        created_by_id=created_by.pk,
        updated_by_id=created_by.pk,
        initiated_by_id=created_by.pk,
    )
    _check(lease)
    step = Step(transition=Lease.start_transition, reason=CREATED, background=background, turn=turn)
    try:
        with transaction.atomic():
            advance(lease, step, RECONCILER)  # as the reconciler would, had somebody else saved it
    except IntegrityError as error:
        raise _translated(error, lease) from error
    return lease


def change_lease(
    *, lease_id: int, agency: str, lease_number: str, changed_by: User, generation: int | None = None
) -> Lease:
    """Give a lease another agency or number and search again: what was known belongs to another path.

    A run under way is stopped in the same transaction, so the newest number wins. Nothing happens if neither differs.

    Args:
        generation: what the person saw, where it matters to the change; None: whatever the lease has become since.

    Raises:
        TransitionForbidden, RecordGone, InvalidLease, DuplicateLease, Stale: nothing was changed.
    """
    require(changed_by, "leases.change_lease")
    with locked(Lease, lease_id) as lease:
        if generation is not None and lease.generation != generation:
            raise Stale
        was = str(lease)
        # As it is, though it may have been saved when numbers were folded less.
        number = lease_number if lease_number == lease.lease_number else normalise_number(lease_number)
        if (lease.agency, lease.lease_number) == (agency, number):
            return lease
        require(changed_by, "leases.run_discovery")  # it is stopped, and started again
        lease.agency, lease.lease_number, lease.updated_by_id = agency, number, changed_by.pk
        _check(lease)
        _search_again(lease, Actor.person(changed_by), reason=f"changed from {was}")
    return lease


def delete_lease(*, lease_id: int, deleted_by: User, generation: int | None = None) -> None:
    """Delete a lease; its history stays, and who has deleted it is noted as the console notes it.

    Args:
        generation: what the person saw, where it matters; None: whatever the lease has become since.

    Raises:
        TransitionForbidden, RecordGone, Stale: nothing was deleted.
    """
    with transaction.atomic():
        gone = delete(model=Lease, pk=lease_id, user=deleted_by, generation=generation)
        LogEntry.objects.log_actions(deleted_by.pk, [gone], DELETION, single_object=True)


def _search_again(lease: Lease, actor: Actor, *, reason: str) -> None:
    lease.forget_result()
    lease.forget_beside()
    try:
        if lease.is_working:
            advance(lease, Step(transition="cancel", reason=reason), actor)
        advance(lease, Step(transition="start_search", arguments={"follow_through": True}, reason=reason), actor)
    except IntegrityError as error:
        raise _translated(error, lease) from error


def configuration_saved(configuration: AgencyStorageConfig, *, changed: bool = True) -> int:
    """Start again by themselves the agency's leases that failed for want of this configuration; how many.

    One that is switched off starts nothing, since every run could only fail; all of it is owed when it is switched on.

    To be called in the transaction that saves it. Saving it once more unchanged starts nothing for a while
    (`statemachine.repeats`); one that is made anew after it was deleted is another one.

    Args:
        changed: what is changed always counts, whatever is remembered: Redis may have lost what came between.
    """
    given = (configuration.pk, configuration.enabled, configuration.runsheet_archive_base_path)
    trigger = f"configuration:{configuration.agency}"
    if is_repeated(trigger, given=sha256(repr(given).encode()).hexdigest()) and not changed:
        return 0
    if not configuration.enabled:
        return 0
    with transaction.atomic():
        _take_turns(configuration.agency, shared=False)
        count = resume_failed(
            _failed_for_it(configuration), reason=f"the storage configuration of {configuration.agency} was saved"
        )
        # Whoever held a lease for another reason than a run has let go of it by then.
        transaction.on_commit(partial(_ask_again, configuration, wait=True), robust=True)
        return count + _ask_again(configuration)


def count_asked_again(configuration: AgencyStorageConfig) -> int:
    """How many leases would be asked again if this were saved; it need not be saved yet."""
    if not configuration.enabled:
        return 0
    return _failed_for_it(configuration).count() + _asked_elsewhere(configuration).count()


def _failed_for_it(configuration: AgencyStorageConfig) -> QuerySet[Lease]:
    """The leases that have failed for want of a configuration like this."""
    return Lease.objects.filter(
        agency=configuration.agency,
        state=State.FAILED,
        due_at__isnull=True,
        failure_code__in=mended_by(CONFIGURED),
    )


def _asked_elsewhere(configuration: AgencyStorageConfig) -> QuerySet[Lease]:
    """The leases whose answer was given for another folder than that of this configuration."""
    elsewhere = ~Q(known_base_path=configuration.runsheet_archive_base_path)
    # What has failed for another reason shows its last known answer.
    has_answer = Q(state__in=SETTLED) | Q(state=State.FAILED) & ~Q(known_base_path="")
    return Lease.objects.filter(elsewhere, has_answer, agency=configuration.agency, due_at__isnull=True)


def _ask_again(configuration: AgencyStorageConfig, *, wait: bool = False) -> int:
    """Owe a run to every answer that was given for another folder, found and not found alike; how many.

    Args:
        wait: for leases that somebody holds; not before the configuration is committed, which a run that records its
            answer waits for (`confirm_base_path`).
    """
    doubtful = _asked_elsewhere(configuration).order_by()
    unlocked = doubtful.values("pk") if wait else doubtful.select_for_update(skip_locked=True, no_key=True).values("pk")
    return Lease.objects.filter(pk__in=unlocked).update(
        due_at=Now(),
        due_reason=f"the folder of the archives of {configuration.agency} was changed",
        **Lease.idle_values,  # what was to be made was to be made elsewhere
        background=True,
        turn=turns_of(doubtful),
        owed_by=None,
    )


def confirm_base_path(lease: Lease, *, base_path: str) -> None:
    """Make sure that an answer is still to the question that the configuration asks; call it with the lease locked.

    One answer for many leases of an agency needs that once.

    Who changes the configuration and this wait for each other, so that no answer for the old folder is recorded after
    the change (`_ask_again` finds those recorded before).

    Raises:
        Reconfigured: it is not.
    """
    # Many workers hold it at the same time; only who changes it has to wait for them.
    query = "SELECT {columns} FROM {table} WHERE agency = %s FOR SHARE"
    found = fetch_one(AgencyStorageConfig, query, [lease.agency])
    if found is None or not is_same_path(found.runsheet_archive_base_path, base_path):
        raise Reconfigured(retry_after_s=1.0)


def resume_if_reconfigured(lease: Lease, *, seen: str) -> int:
    """Owe a run that has just failed, in this transaction, a new start if its configuration was saved meanwhile.

    Who saves it at the moment at which a run fails for want of it must not find that lease left behind: either saving
    sees the failure, or this sees what was saved.

    Args:
        seen: what `seen_in` told when the run began.
    """
    _take_turns(lease.agency, shared=True)
    if seen_in(configuration_of(lease.agency)) == seen:
        return 0
    reason = f"the storage configuration of {lease.agency} was saved meanwhile"
    return resume_failed(Lease.objects.filter(pk=lease.pk), reason=reason)


def _take_turns(agency: str, *, shared: bool) -> None:
    """Whoever saves an agency's configuration, and the runs that fail for want of it: one after the other.

    A row would not do, since there may be none yet.
    """
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtext('agency configuration'), hashtext(%s))", [agency])


def resume_failed(leases: QuerySet[Lease], *, reason: str = "what it failed for is mended") -> int:
    """Owe those of the leases that have failed a new start, since what they failed for is mended; how many.

    They start a few at a time, and what people start by hand goes first. What a person had started by hand is no
    batch's to stop.

    Args:
        reason: what the history of each says.
    """
    failed = leases.filter(state=State.FAILED, due_at__isnull=True)
    owed_by = Case(When(background=True, then="owed_by"), default=None)
    return failed.update(due_at=Now(), due_reason=reason, background=True, turn=turns_of(failed), owed_by=owed_by)


def owe_runs(*, leases: Mapping[int, int], reason: str) -> set[int]:
    """Owe a run in the background to those of the leases with which nothing has happened since; which they are.

    Whatever is owed one already, is at work, or was stopped by somebody is left alone. Where a report was looked for, it is looked
    for again.

    Args:
        leases: by primary key, the generation of each as the caller has read it.
    """
    with transaction.atomic():
        idle = Lease.objects.filter(pk__in=leases, state__in=[*SETTLED, State.FAILED], due_at__isnull=True)
        held = idle.filter(claimed_until__isnull=True).select_for_update(skip_locked=True, no_key=True).order_by()
        same = {pk for pk, generation in held.values_list("pk", "generation") if generation == leases[pk]}
        asked = Lease.objects.filter(pk__in=same)
        looks_on = Case(When(state=State.DONE, then=Value(True)), default=F("follow_through"))
        asked.update(
            due_at=Now(),
            due_reason=reason,
            background=True,
            turn=turns_of(asked),
            owed_by=None,
            follow_through=looks_on,
        )
    return same


def try_at_once(leases: QuerySet[Lease]) -> int:
    """Let those of the leases that wait for their next try have it now, since what the last one lacked is there; how many."""
    waiting = leases.filter(state__in=WORKING, claimed_until__isnull=True, rung_at__isnull=True)
    return waiting.update(due_at=Now(), failure_code="", failure_message="")


def _check(lease: Lease) -> None:
    """What one look at the fields tells; what other leases have to do with it the database says (`_translated`)."""
    try:
        lease.clean_fields(exclude={"state", "created_by", "updated_by", "initiated_by"})
    except ValidationError as error:
        raise InvalidLease(" ".join(found[0] for found in error.message_dict.values())) from error


def _translated(error: IntegrityError, lease: Lease) -> DuplicateLease | InvalidLease | IntegrityError:
    """The database's word in ours."""
    broken = broken_constraint(error)
    if broken == "leases_lease_once_per_agency":
        return DuplicateLease(f"{lease.agency} already has a lease {lease.lease_number}. Open that one.")
    if broken.startswith("leases_lease_number_"):
        rule = next(each for each in Lease._meta.constraints if each.name == broken)
        return InvalidLease(str(rule.get_violation_error_message()))
    return error

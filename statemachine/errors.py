"""What can happen at the door."""

from http import HTTPStatus

from core.base.errors import JOB, Permanent, Refused, Remedy, Temporary


class RecordGone(Refused):
    """This record no longer exists."""

    code = "record_gone"
    status = HTTPStatus.NOT_FOUND


class UnknownTransition(Refused):
    """There is no such transition."""

    code = "unknown_transition"


class TransitionRefused(Refused):
    """The present state does not allow that. Look at it again to see what happened meanwhile."""

    code = "transition_refused"
    status = HTTPStatus.CONFLICT


class TransitionForbidden(Refused):
    """You do not have the permission for that. Ask an administrator."""

    code = "transition_forbidden"
    status = HTTPStatus.FORBIDDEN


class Stale(Refused):
    """The record has moved on since it was looked at; nothing was changed. Reload to see its present state."""

    code = "stale"
    status = HTTPStatus.CONFLICT


class BatchGone(Refused):
    """This batch no longer exists."""

    code = "batch_gone"
    status = HTTPStatus.NOT_FOUND


class NothingToStart(Refused):
    """There is nothing to start: each of these records is under way or about to start. Nothing was changed."""

    code = "nothing_to_start"
    status = HTTPStatus.CONFLICT


class ChoiceChanged(Refused):
    """Since you were asked, the records have changed: others match, or somebody has run some. Nothing was changed."""

    code = "choice_changed"
    status = HTTPStatus.CONFLICT


class Crashed(Permanent):
    """Every try was broken off: its worker ended without a result. Run it again; if that fails too, report it."""

    code = "crashed"
    words = "worker crashed"
    advice = "Run it again; if that fails too, report it"
    at_last = (
        "The last try was broken off: its worker ended without a result. Run it again; if that fails too, report it."
    )


class TookTooLong(Temporary):
    """The work took longer than a job may last."""

    code = "took_too_long"
    words = "took too long"


class WorkerStopped(Temporary):
    """The worker was told to stop."""

    code = "worker_stopped"
    words = "worker stopped"
    costs_try = False
    goes_on = "It goes on by itself with another one."


class RowLocked(Temporary):
    """What this work has to write is held by somebody else."""

    code = "row_locked"
    words = "record in use"
    costs_try = False


class OurOutage(Temporary):
    """Something that this console itself needs is out of order."""

    code = "our_outage"
    words = "the console out of order"
    advice = "Wait; it goes on by itself"
    costs_try = False
    goes_on = "It goes on by itself when that is mended, and this counts as no try."


class DatabaseOutage(OurOutage):
    """The console's database is out of order."""

    code = "database_outage"
    words = "the console's database out of order"


class RedisOutage(OurOutage):
    """The console's Redis is out of order."""

    code = "redis_outage"
    words = "the console's Redis out of order"


class HostOutage(OurOutage):
    """A machine of the console's is out of order."""

    code = "host_outage"
    words = "a machine of the console's out of order"


class Bug(Permanent):
    """Something unexpected went wrong in the program; it was not tried again. Report it, then run it again."""

    code = "bug"
    words = "a bug"
    advice = "Report it with its log, then run it again"
    remedies = (Remedy(label="Look at its job", where=JOB, otherwise="Report it; then run it again."),)


class ClaimLost(BaseException):
    """Another worker holds the row now, or somebody changed it; what this worker found out is to be thrown away.

    Not an `Exception`, so that no `except Exception` around I/O can swallow it.
    """

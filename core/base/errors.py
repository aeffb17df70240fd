"""The three kinds of error, named by what the caller does next.

Every app's `errors.py` derives from these: one class for each thing that can happen. Its docstring can be shown to an
operator as it stands. All that is said of a failure stands on its class, so that a new failure is one class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar

# Where a step leads whose address is not known here: to the record that failed, to the job that it failed in, or to what
# is told of all parts of the system.
RECORD, JOB, SYSTEM = "record", "job", "parts"
ASK = "Ask an administrator to do that."
# As long as a record's column for it.
CODE_AT_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What helps against a failure, as a button; the texts may name `{record.…}`, `{page}`, `{whose}`, `{or_run}` and `{who_sees}`.

    Attributes:
        label: of the button.
        where: the name of the address that it leads to, or `RECORD`, `JOB` or `SYSTEM`.
        query: what the address says beside.
        fragment: the place on the page.
        rights: the permissions that who takes it must have.
        is_theirs: whether only the person can take it whose run it was.
        otherwise: what to do instead, for those to whom it is not open.
    """

    label: str
    where: str
    query: Mapping[str, str] = field(default_factory=dict)
    fragment: str = ""
    rights: tuple[str, ...] = ()
    is_theirs: bool = False
    otherwise: str = ASK

    @property
    def is_of_one(self) -> bool:
        """Whether it says nothing about other records that have failed for the same reason."""
        return self.where in {RECORD, JOB}


class RunsheetError(Exception):
    """Something went wrong.

    Attributes:
        code: stable name of what happened; stored with a failed record, which finds the class by it (`failure_of`).
        words: what it is called where there is room for a few words.
        became: what became of a record that has it, as in “2 leases failed” and “is failed”.
        advice: what to do about a record that failed with it, in a few words.
        remedies: the same as buttons, the best first; none where running it again is all there is.
        mended_by: the events that let a record go on by itself; each app names its own.
        for_others: what others read, where only the person whose run it was can mend it, once for all their records.
        status: what it is in terms of HTTP, where the wish of a program met it; None: nobody can help it who asks.
        field: of that wish, what it is about; empty: the whole.
        ails: what is wrong with the other side meanwhile; told on the start page while records wait for it.
        evidence: what was asked and answered (JSON: path, account, request id, …); kept in the transition log.
    """

    code: ClassVar[str] = "error"
    words: ClassVar[str] = ""
    became: ClassVar[str] = "failed"
    advice: ClassVar[str] = "Read why it failed, then run it again"
    remedies: ClassVar[tuple[Remedy, ...]] = ()
    mended_by: ClassVar[frozenset[str]] = frozenset()
    for_others: ClassVar[str] = ""
    ails: ClassVar[str] = ""
    status: ClassVar[HTTPStatus | None] = None
    field: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Be found by the code.

        Raises:
            TypeError: another failure has it, or no record could keep it.
        """
        super().__init_subclass__()
        if len(cls.code) > CODE_AT_MOST:
            raise TypeError(f"the code “{cls.code}” has more than {CODE_AT_MOST} characters; take a shorter one")
        if "code" in vars(cls) and _BY_CODE.setdefault(cls.code, cls) is not cls:
            raise TypeError(f"the code “{cls.code}” is that of {_BY_CODE[cls.code].__qualname__}; take another one")

    def __init__(self, message: str = "", *, evidence: dict[str, Any] | None = None) -> None:
        super().__init__(message or type(self).sentence())
        self.evidence: dict[str, Any] = evidence or {}

    @classmethod
    def sentence(cls) -> str:
        """The first paragraph of the docstring: what to tell an operator when the raiser knows nothing better."""
        return " ".join((cls.__doc__ or cls.__name__).strip().split("\n\n")[0].split())


_BY_CODE: dict[str, type[RunsheetError]] = {RunsheetError.code: RunsheetError}


def failure_of(code: str) -> type[RunsheetError]:
    """The failure with this code; where none has it any more, one that says as much as the code does."""
    return _BY_CODE.get(code, RunsheetError)


def words_for(code: str) -> str:
    """A failure code as a person would say it."""
    return failure_of(code).words or code.replace("_", " ")


def codes_where(applies: Callable[[type[RunsheetError]], object]) -> tuple[str, ...]:
    """The codes of the failures to which that applies, in the order of the alphabet."""
    return tuple(sorted(code for code, failure in _BY_CODE.items() if applies(failure)))


def mended_by(event: str) -> tuple[str, ...]:
    """The codes of what goes on by itself at this event."""
    return codes_where(lambda failure: event in failure.mended_by)


def of_one_person() -> tuple[str, ...]:
    """The codes of what one person mends for all their records at once."""
    return codes_where(lambda failure: failure.for_others)


class Refused(RunsheetError):
    """That cannot be done as asked. Tell the person; do not retry."""

    code = "refused"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class DatabaseTooBusy(Refused):
    """The database was too busy to do this in time. Nothing was changed; try again in a minute."""

    code = "database_too_busy"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class Temporary(RunsheetError):
    """It did not work now and may work later.

    The sentence says only what happened, since it also stands where nothing is tried any more.

    Attributes:
        retry_after_s: seconds to wait at least, if the other side said so.
        costs_try: whether the attempt counts against the budget. A pause of a whole account costs none.
        goes_on: what to add while it will be tried again.
    """

    code = "temporary"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    advice = "Run it again later"
    costs_try: ClassVar[bool] = True
    goes_on: ClassVar[str] = "It is tried again by itself."

    def __init__(
        self, message: str = "", *, retry_after_s: float | None = None, evidence: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, evidence=evidence)
        self.retry_after_s = retry_after_s


class Permanent(RunsheetError):
    """It will not work however often it is tried. Stop, and tell the people who can change that."""

    code = "permanent"


class WorkerStopping(BaseException):
    """The worker was told to stop, and the job has used up the time it was given to end.

    Not an `Exception`, for the same reason as `SoftTimeLimit`.
    """


class SoftTimeLimit(BaseException):
    """The job has run for too long; it counts as a temporary failure.

    Not an `Exception`, so that no `except Exception` around I/O can swallow it.
    """

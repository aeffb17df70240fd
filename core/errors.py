"""The three kinds of error, named by what the caller does next.

Every app's `errors.py` derives from these, one class for each thing that can happen, with a docstring that can be shown
to an operator as it stands.
"""

from typing import Any, ClassVar


class RunsheetError(Exception):
    """Something went wrong.

    Attributes:
        code: stable name of what happened; stored with a failed record and used to look up what to do next.
        evidence: what was asked and answered (JSON: path, account, request id, …); kept in the transition log.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", *, evidence: dict[str, Any] | None = None) -> None:
        super().__init__(message or type(self).sentence())
        self.evidence: dict[str, Any] = evidence or {}

    @classmethod
    def sentence(cls) -> str:
        """The first paragraph of the docstring: what to tell an operator when the raiser knows nothing better."""
        return " ".join((cls.__doc__ or cls.__name__).strip().split("\n\n")[0].split())


class Refused(RunsheetError):
    """That cannot be done as asked. Tell the person; do not retry."""

    code = "refused"


class Temporary(RunsheetError):
    """It did not work now and may work later.

    The sentence says only what happened, since it also stands where nothing is tried any more.

    Attributes:
        retry_after_s: seconds to wait at least, if the other side said so.
        costs_try: whether the attempt counts against the budget. A pause of a whole account costs none.
        goes_on: what to add while it will be tried again.
    """

    code = "temporary"
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

    Not an `Exception`, so that no `except Exception` around I/O can swallow it (design, rule 8).
    """
